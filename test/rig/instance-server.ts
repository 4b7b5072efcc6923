// A program that serves the control socket of a StillInstance: instance-server.js NAME. Its one peer's counters grow with time.
// It prints `ready PATH WARNING`, and ends by SIGTERM or when it is told to stop. SERVE_AS: the user it becomes first, see dropTo.

import { serveControl } from '#tsgre/daemon/control/server.js'
import { dropTo } from './drop-to.js'
import { instanceStatus, peerStatus, tunnelStatus } from './statuses.js'
import { StillInstance } from './still-instance.js'

const RATE = 1_000_000
const started = performance.now()
const name = process.argv[2] ?? 'hosts'
const instance = new StillInstance(name)

instance.now = () => {
  const seconds = (performance.now() - started) / 1000
  const counts = {
    txFrames: Math.round(100 * seconds),
    txBytes: Math.round(RATE * seconds),
    rxFrames: Math.round(10 * seconds),
    rxBytes: 0,
  }
  const busy = peerStatus('192.168.56.5', { ...counts, rtt: 0.31, loss: 0, lastReceived: Date.now() })
  const idle = peerStatus('192.168.56.6', { liveness: 'down' })
  const problems = [{ code: 'peer-down', text: '192.168.56.6 is down', remedy: 'ping it', remote: '192.168.56.6' }]
  const tunnel = tunnelStatus([idle, busy], { problems })
  return instanceStatus([tunnel], { name, since: new Date(Date.now() - 1000 * seconds).toISOString() })
}
dropTo(process.env.SERVE_AS)
const server = await serveControl(instance)
const end = () => server.close().then(() => process.exit(0))
instance.onStop = end
process.on('SIGTERM', end)
console.log(`ready ${server.path} ${server.warning ?? ''}`)
