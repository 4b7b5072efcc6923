// `tsgre capture` on a tunnel without a pump, in one process: node capture-command.js FRAMES MS [arguments of the command].
// FRAMES frames come at once, then one every MS milliseconds (0: the daemon ends the capture after them).

import yargs from 'yargs'
import { captureCommand, type FetchCapture } from '#tsgre/cli/capture.js'
import { describeFailure, exitCodeOf } from '#tsgre/cli/failure.js'
import { Captures } from '#tsgre/daemon/capture/captures.js'
import { DROP } from '#tsgre/drops.js'
import { StateError } from '#tsgre/errors.js'
import { Batch } from '#tsgre/io/batch.js'
import { CaptureHook } from '#tsgre/tunnel/capture-hook.js'
import { fill } from './batches.js'
import { innerFrame } from './flows.js'
import { plainFrame } from './frames.js'

const [first, ms, ...argv] = process.argv.slice(2)
const KINDS = [plainFrame(1600), innerFrame({ payload: new Uint8Array(100) })]
const batch = new Batch(1)
const hook = new CaptureHook()
let put = 0

function putFrame(): void {
  hook.now[0] = performance.now()
  const drop = put % 2 === 0 ? DROP['too-big'] : 0
  hook.sent(fill(batch, [KINDS[put++ % 2]!]), Uint8Array.of(drop), Int16Array.of(0))
}

const underlay = {
  local: Uint8Array.of(192, 168, 56, 4),
  udpPort: undefined,
  ttl: 64,
  peer: () => ({ remote: '192.168.56.5', bytes: Uint8Array.of(192, 168, 56, 5) }),
}
const tunnel = { attach: (ring: SharedArrayBuffer) => hook.add(ring), detach: () => hook.prune() }
const captures = new Captures('tap0', tunnel, underlay, () => [
  { asked: { remote: '192.168.56.5' }, address: '192.168.56.5' },
])

const fetch: FetchCapture = (name, request, signal) => {
  if (name === 'nobody') throw new StateError('TSGRE_PUMP_DIED', 'no tsgre of that name runs')
  const chunks = captures.start(request, signal)
  for (let i = 0; i < Number(first); i++) putFrame()
  if (Number(ms) === 0) captures.close()
  else setInterval(putFrame, Number(ms)).unref()
  return chunks
}

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
try {
  await yargs(argv)
    .command(captureCommand(fetch))
    .strict()
    .parserConfiguration({ 'duplicate-arguments-array': true, 'parse-numbers': false })
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new Error(message)
    })
    .parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
  process.stderr.write(`${describeFailure(error, false)}\n`)
}
