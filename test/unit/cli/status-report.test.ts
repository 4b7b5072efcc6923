import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { statusLines } from '#tsgre/cli/status-report.js'
import { drops, instanceStatus, peerStatus, tunnelStatus } from '../../rig/statuses.js'

const NOW = 10_000
const PROBLEM = { code: 'peer-down', text: '192.168.56.6 is down', remedy: 'ping 192.168.56.6', remote: '192.168.56.6' }

test('says first what is wrong and how to mend it', () => {
  const lines = statusLines(instanceStatus([tunnelStatus([], { problems: [PROBLEM] })]), NOW)
  assert.equal(lines.slice(0, 3), ['! 192.168.56.6 is down', '    ping 192.168.56.6', ''])
})

test('names the tunnel that something is wrong with where there are several', () => {
  const failed = { ...PROBLEM, text: 'the tunnel on tap1 has failed: gone' }
  const tunnels = [tunnelStatus([]), tunnelStatus([], { name: 'tap1', problems: [PROBLEM, failed] })]
  const lines = statusLines(instanceStatus(tunnels), NOW).filter((line) => line.startsWith('!'))
  assert.equal(lines, ['! tap1: 192.168.56.6 is down', '! the tunnel on tap1 has failed: gone'])
})

test('shows a tunnel and its peers, columns below each other', () => {
  const tunnel = tunnelStatus(
    [
      peerStatus('192.168.56.5', {
        rxBytes: 1500,
        txBytes: 2,
        rtt: 0.312,
        loss: 0,
        lastReceived: 7000,
        fdbEntries: 12,
      }),
      peerStatus('192.168.56.6', {
        asked: 'b.example',
        liveness: 'down',
        keyIn: 7,
        keyOut: 8,
        drops: drops({ loop: 2 }),
      }),
    ],
    {
      txFrames: 1,
      txBytes: 60,
      drops: drops({ loop: 2, 'too-big': 3 }),
      bridge: 'docker0',
      fdb: { entries: 12, limit: 16384 },
    },
  )
  assert.equal(statusLines(instanceStatus([tunnel], { pid: 42 }), NOW), [
    'tsgre hosts: up 10.0 s, process 42, version 0.1.0',
    '  user        tsgre, cap_net_admin cap_net_raw, no new privileges',
    '',
    'tap0: up, 192.168.56.4 by GRE, in bridge docker0',
    '  MTU         1500 (tunnel 1462), offload uso',
    '  sent        1 frame (60 B)',
    '  received    0 frames (0 B)',
    '  dropped     too-big 3, loop 2',
    '              b.example: loop 2',
    '  FDB         12 of 16384 addresses',
    '',
    '  peer                      state  received      rx   tx      rtt  loss  tunnel MTU  FDB  key',
    '  192.168.56.5              up     3 s ago   1.5 kB  2 B  0.31 ms   0 %        1462   12  none',
    '  b.example (192.168.56.6)  down   never        0 B  0 B        -     -        1462    0  in 7, out 8',
  ])
})

test('a name without an address has no tunnel MTU and is no up', () => {
  const nameless = peerStatus('', { asked: 'c.example', resolved: false, liveness: 'unknown' })
  const [line] = statusLines(instanceStatus([tunnelStatus([nameless])]), NOW).slice(-1)
  assert.is(line, '  c.example  no addr  never     0 B  0 B    -     -           -    0  none')
})

test.run()
