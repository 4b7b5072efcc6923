import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Look, topScreen } from '#tsgre/cli/top-screen.js'
import type { PeerStatus, Problem } from '#tsgre/daemon/status.js'
import { drops, instanceStatus, peerStatus, tunnelStatus } from '../../rig/statuses.js'

const LARGE = { columns: 80, rows: 24 }
const SMALL = { columns: 40, rows: 10 }

function look(at: number, peers: readonly PeerStatus[], problems: readonly Problem[] = [], pid = 1): Look {
  return { at, clock: '14:03:22', instances: [instanceStatus([tunnelStatus(peers, { problems })], { pid })] }
}

function problem(text: string): Problem {
  return { code: 'x', text, remedy: '', remote: undefined }
}

const before = [peerStatus('192.168.56.5'), peerStatus('192.168.56.6', { liveness: 'down' })]
const after = [
  before[1]!,
  peerStatus('192.168.56.5', {
    txBytes: 250_000,
    txFrames: 2000,
    rxBytes: 25,
    rxFrames: 2,
    drops: drops({ loop: 8, ecn: 2 }),
    rtt: 0.312,
  }),
].reverse()

test('shows rates between two looks, most traffic first', () => {
  const lines = topScreen(look(1000, before), look(3000, after.slice().reverse()), LARGE, false)
  assert.is(lines.length, 24)
  assert.equal(lines.slice(1, 5), [
    'tap0 up 192.168.56.4  MTU 1500 (tunnel 1462)  FDB 0',
    ' PEER          STATE    TX/s   pps  RX/s   pps drop/s      RTT',
    ' 192.168.56.5  up       1.0M  1.0k   100     1      5  0.31 ms',
    ' 192.168.56.6  down        0     0     0     0      0        -',
  ])
  assert.match(lines.at(-1)!, 'q quits')
})

test('has no rates at the first look, nor of another process, nor below zero', () => {
  const rates = (then: Look | undefined, now: Look) =>
    topScreen(then, now, LARGE, false)
      .find((line) => line.includes('192.168.56.5 '))!
      .split(/ +/)
      .slice(3, 7)
  assert.equal(rates(undefined, look(3000, after)), ['-', '-', '-', '-'])
  assert.equal(rates(look(1000, before, [], 2), look(3000, after)), ['-', '-', '-', '-'])
  assert.equal(rates(look(1000, after), look(3000, before)), ['0', '0', '0', '0'])
})

test('in 40 columns peers, their states and both rates stay', () => {
  const lines = topScreen(look(1000, before), look(3000, after), SMALL, false)
  assert.equal(lines.slice(2, 4), [' PEER          STATE    TX/s  RX/s', ' 192.168.56.5  up       1.0M   100'])
})

test('never has more lines than rows nor wider ones than columns', () => {
  const many = Array.from({ length: 100 }, (_, i) => peerStatus(`host-with-a-long-name-${i}.example.org`))
  const wrong = Array.from({ length: 30 }, (_, i) => problem(`host ${i} answers 'protocol unreachable': no GRE there`))
  for (let columns = 0; columns <= 120; columns += 3) {
    for (let rows = 0; rows <= 30; rows++) {
      const lines = topScreen(look(0, many), look(1000, many, wrong), { columns, rows }, false)
      assert.is(lines.length, rows, `${columns}x${rows}`)
      assert.ok(
        lines.every((line) => line.length <= columns),
        `${columns}x${rows}`,
      )
    }
  }
})

test('says how much did not find room', () => {
  const many = Array.from({ length: 100 }, (_, i) => peerStatus(`192.168.57.${i}`))
  const lines = topScreen(undefined, look(0, many, [problem('a'), problem('b'), problem('c')]), SMALL, false)
  assert.equal(lines.slice(1, 3), ['! a', '! and 2 more; see tsgre status'])
  assert.match(lines.at(-2)!, '… 97 more lines')
})

test('colours add escapes and no width', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that starts a colour
  const plain = (line: string) => line.replace(/\x1b\[\d+m/g, '')
  const looks = [look(1000, before), look(3000, after, [problem('a')])] as const
  const coloured = topScreen(...looks, LARGE, true)
  assert.equal(coloured.map(plain), topScreen(...looks, LARGE, false))
  assert.match(coloured.join(''), '\x1b[31mdown   \x1b[0m')
})

test('tells in place of a table why there is none', () => {
  const lines = topScreen(
    undefined,
    { at: 0, clock: '14:03:22', instances: [], trouble: 'no tsgre runs' },
    SMALL,
    false,
  )
  assert.is(lines[1], 'no tsgre runs')
})

test.run()
