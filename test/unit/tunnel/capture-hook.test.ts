// What the pump tells a capture, on batches as ports fill them: which octets are put, and what is said of them.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP, dropCounters } from '#tsgre/drops.js'
import { Batch, SLOT_BYTES } from '#tsgre/io/batch.js'
import { CaptureHook } from '#tsgre/tunnel/capture-hook.js'
import { CaptureReader } from '#tsgre/tunnel/capture-reader.js'
import {
  captureMemory,
  FRAME,
  GRE_PACKET,
  INNER,
  MAY_FRAGMENT,
  OUTER,
  PACKET,
  RX,
  TX,
  UNSURE,
} from '#tsgre/tunnel/capture-record.js'
import { contents, fill } from '../../rig/batches.js'
import { innerFrame } from '../../rig/flows.js'
import { plainFrame } from '../../rig/frames.js'
import { naiveEmitGre } from '../../rig/naive/naive-gre.js'
import { settings } from '../../rig/settings.js'
import { sendingSide } from '../../rig/sides.js'
import { fillSuperframes } from '../../rig/superframes.js'

function hooked(sides: number, more: { dropsOnly?: boolean; snaplen?: number } = {}) {
  const memory = captureMemory({ sides, dropsOnly: false, snaplen: 262144, ...more }, 1 << 20)
  const hook = new CaptureHook(1_000_000)
  hook.add(memory)
  hook.now[0] = 500.5
  return { hook, reader: new CaptureReader(memory) }
}

const tcp = (size: number) => innerFrame({ payload: new Uint8Array(size).fill(7) })

interface Seen {
  kind: number
  direction: number
  drop: number
  peer: number
  flags: number
  octets: Uint8Array
}

function all(reader: CaptureReader): Seen[] {
  const seen: Seen[] = []
  while (reader.next()) {
    const octets = new Uint8Array(reader.captured)
    reader.copyTo(octets, 0)
    const { kind, direction, drop, peer, flags } = reader
    seen.push({ kind, direction, drop, peer, flags, octets })
  }
  return seen
}

test('puts the frames of a batch with what became of each, at the time of the turn', () => {
  const { hook, reader } = hooked(INNER)
  const frames = [plainFrame(60), plainFrame(1514), plainFrame(61)]
  hook.sent(fill(new Batch(4), frames), Uint8Array.of(0, DROP['too-big'], 0), Int16Array.of(-1, 3, 127))
  assert.ok(reader.next())
  assert.is(reader.time[0], 1_000_500.5)
  const copy = new Uint8Array(60)
  reader.copyTo(copy, 0)
  assert.equal(copy, frames[0])
  assert.is(reader.peer, -1)
  const [second, third] = all(reader)
  assert.equal(second, { kind: FRAME, direction: TX, drop: DROP['too-big'], peer: 3, flags: 0, octets: frames[1]! })
  assert.equal(third, { kind: FRAME, direction: TX, drop: 0, peer: 127, flags: 0, octets: frames[2]! })
})

test('says of a superframe how long its segments are, and of other frames nothing', () => {
  const { hook, reader } = hooked(INNER)
  const big = tcp(45 * 1400)
  const batch = fillSuperframes(new Batch(2), [
    { bytes: big, gsoSize: 1400 },
    { bytes: tcp(100), gsoSize: 0 },
  ])
  hook.sent(batch, new Uint8Array(2), new Int16Array(2))
  assert.ok(reader.next())
  assert.is(reader.segment, 1400)
  assert.is(reader.captured, big.length)
  assert.ok(reader.next())
  assert.is(reader.segment, 0)
})

test('puts packets with the headers they have elsewhere, once the port has taken them', () => {
  const { hook, reader } = hooked(OUTER)
  const frames = fillSuperframes(new Batch(2), [{ bytes: tcp(5000), gsoSize: 1400 }])
  const packets = Batch.over(frames, 8, true)
  const { encapsulator } = sendingSide(settings({ keyOut: 42, checksum: true }), 1480)
  const drops = dropCounters()
  encapsulator.begin(frames)
  encapsulator.fill(packets, drops)
  assert.is(packets.count, 4)
  packets.ttl.fill(9)
  packets.tos.fill(0xb9)
  packets.fragment.fill(1)
  packets.peer.fill(5)
  hook.writing(packets, drops)
  for (let i = 0; i < 3; i++) packets.advance() // the fourth has to wait
  hook.written(packets, drops)
  const seen = all(reader)
  assert.equal(
    seen.map(({ octets }) => octets),
    contents(packets).slice(0, 3),
  )
  for (const { kind, direction, drop, peer, flags } of seen)
    assert.equal(
      { kind, direction, drop, peer, flags },
      { kind: GRE_PACKET, direction: TX, drop: 0, peer: 5, flags: MAY_FRAGMENT },
    )
  assert.is(reader.ttl, 9)
  assert.is(reader.tos, 0xb9)
  hook.writing(packets, drops)
  packets.advance()
  hook.written(packets, drops)
  assert.is(all(reader).length, 1)
})

test('says why packets were dropped in writing where all were, and that it is not sure where some were', () => {
  const { hook, reader } = hooked(OUTER)
  const packets = fill(new Batch(4), [plainFrame(60), plainFrame(61), plainFrame(62), plainFrame(63)])
  const drops = dropCounters()
  drops[DROP.firewall] = 7 // of before
  hook.writing(packets, drops)
  packets.head += 2
  drops[DROP['no-route']] += 2
  hook.written(packets, drops)
  hook.writing(packets, drops)
  packets.head++
  drops[DROP['queue-full']]++
  packets.advance()
  hook.written(packets, drops)
  assert.equal(
    all(reader).map(({ drop, flags }) => [drop, flags]),
    [
      [DROP['no-route'], 0],
      [DROP['no-route'], 0],
      [DROP['queue-full'], UNSURE],
      [DROP['queue-full'], UNSURE],
    ],
  )
})

test('an ICMP error counted during a write that sent everything is no drop of these packets', () => {
  const { hook, reader } = hooked(OUTER)
  const packets = fill(new Batch(1), [plainFrame(60)])
  const drops = dropCounters()
  hook.writing(packets, drops)
  drops[DROP['peer-refused']]++
  packets.advance()
  hook.written(packets, drops)
  assert.is(all(reader)[0]!.drop, 0)
})

/** A received packet as a raw IPv4 socket has it: behind its outer header, at the start of a slot. */
function rawIpv4(gre: Uint8Array, options = 0): { batch: Batch; outer: Uint8Array } {
  const ihl = 20 + options
  const outer = new Uint8Array(ihl + gre.length)
  outer.set([0x40 | (ihl / 4), 0, 0, 0, 0, 0, 0, 0, 61, 47])
  outer.set(gre, ihl)
  const batch = new Batch(2)
  batch.memory.bytes.set(outer, SLOT_BYTES)
  batch.count = 2
  batch.offset[1] = SLOT_BYTES + ihl
  batch.length[1] = gre.length
  batch.peer[1] = 2
  batch.tos[1] = 3
  return { batch, outer }
}

for (const options of [0, 4, 40]) {
  test(`shows a packet of a raw IPv4 socket with the header it came with (${options} octets of options)`, () => {
    const { hook, reader } = hooked(OUTER)
    const { batch, outer } = rawIpv4(naiveEmitGre({ payload: plainFrame(99), key: 7 }), options)
    hook.received(batch, 1, DROP['key-mismatch'])
    const [seen] = all(reader)
    assert.equal(seen, { kind: PACKET, direction: RX, drop: DROP['key-mismatch'], peer: 2, flags: 0, octets: outer })
  })
}

test('shows a packet that came without its outer header from GRE on', () => {
  const { hook, reader } = hooked(OUTER)
  const gre = naiveEmitGre({ payload: plainFrame(99), sequence: 1 })
  hook.received(fill(new Batch(1), [gre], -1), 0, DROP['unknown-peer'])
  const [seen] = all(reader)
  assert.equal(seen, { kind: GRE_PACKET, direction: RX, drop: DROP['unknown-peer'], peer: -1, flags: 0, octets: gre })
})

test('finds the frame behind every combination of GRE options, dropped or not', () => {
  const { hook, reader } = hooked(INNER)
  for (let bits = 0; bits < 8; bits++) {
    const options = {
      ...(bits & 1 && { checksum: 0 }),
      ...(bits & 2 && { key: 0xffffffff }),
      ...(bits & 4 && { sequence: 9 }),
    }
    const gre = naiveEmitGre({ ...options, payload: plainFrame(77) })
    hook.received(fill(new Batch(1), [gre]), 0, bits)
    const [seen] = all(reader)
    assert.equal(seen, { kind: FRAME, direction: RX, drop: bits, peer: 0, flags: 0, octets: plainFrame(77) })
  }
})

test('shows no frame where a packet has none', () => {
  const { hook, reader } = hooked(INNER)
  const good = naiveEmitGre({ payload: plainFrame(60) })
  const version1 = good.slice()
  version1[1] = 1
  const ip = good.slice()
  ip.set([0x08, 0], 2)
  for (const packet of [version1, ip, good.subarray(0, 17), good.subarray(0, 3), new Uint8Array(0)])
    hook.received(fill(new Batch(1), [packet]), 0, DROP.truncated)
  assert.equal(all(reader), [])
})

test('writes into every ring that wants it, until nobody reads', () => {
  const hook = new CaptureHook(0)
  const memories = [INNER, OUTER, INNER].map((sides) => captureMemory({ sides, dropsOnly: false, snaplen: 9 }, 4096))
  const readers = memories.map((memory) => new CaptureReader(memory))
  for (const memory of memories) hook.add(memory)
  const gre = naiveEmitGre({ payload: plainFrame(60) })
  const batch = fill(new Batch(1), [gre])
  hook.received(batch, 0, 0)
  assert.equal(
    readers.map((reader) => all(reader).length),
    [1, 1, 1],
  )
  readers[0]!.close()
  assert.ok(hook.prune())
  hook.received(batch, 0, 0)
  assert.equal(
    readers.map((reader) => all(reader).length),
    [0, 1, 1],
  )
  for (const reader of readers) reader.close()
  assert.not.ok(hook.prune())
})

test.run()
