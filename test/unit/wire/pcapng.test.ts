// The file format, read back by tshark and by our own reader.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { octets } from '#tsgre/wire/octets.js'
import {
  emitInterface,
  emitPacket,
  emitSection,
  emitStatistics,
  INBOUND,
  LINKTYPE_ETHERNET,
  OUTBOUND,
  PACKET_DATA,
} from '#tsgre/wire/pcapng.js'
import { blockLength, isSection, linkTypeOf, readPacket, readStatistics } from '#tsgre/wire/read-pcapng.js'
import { plainFrame } from '../../rig/frames.js'
import { random } from '../../rig/random.js'
import { output, tsharkFields, withFile } from '../../rig/tshark.js'

const utf8 = (text: string) => new TextEncoder().encode(text)
/** Old garbage: what is not written must not be read. */
const memory = octets(new Uint8Array(1 << 18).fill(0xa5))

interface Given {
  time: number
  direction: number
  comment: string
  octets: Uint8Array
  original?: number
}

function file(packets: readonly Given[], lost = 0): Uint8Array {
  let at = emitInterface(memory, emitSection(memory, 0, utf8('tsgre')), LINKTYPE_ETHERNET, 0, utf8('tap0'))
  for (const { time, direction, comment, octets: bytes, original = bytes.length } of packets) {
    memory.bytes.set(bytes, at + PACKET_DATA)
    at = emitPacket(memory, at, { time, direction, original, captured: bytes.length, comment: utf8(comment) })
  }
  return memory.bytes.slice(0, emitStatistics(memory, at, 1e12, packets.length + lost, lost))
}

const PACKETS: Given[] = Array.from({ length: 9 }, (_, i) => ({
  time: 1_700_000_000_000.25 + i * 1000.125,
  direction: i % 2 ? INBOUND : OUTBOUND,
  comment: i === 8 ? '' : `dropped: too-big, ${'ü'.repeat(i)}`, // of every length modulo four
  octets: plainFrame(60 + i),
}))

test('tshark reads times, directions, comments and octets', () => {
  const fields = ['frame.time_epoch', 'frame.packet_flags_direction', 'frame.comment', 'frame.len', 'data.data']
  const found = tsharkFields(file(PACKETS), fields)
  assert.is(found.length, PACKETS.length)
  PACKETS.forEach(({ time, direction, comment, octets: bytes }, i) => {
    const [epoch, way, words, length, data] = found[i]!
    assert.is(Math.round(Number(epoch) * 1e6), Math.round(time * 1000))
    assert.is(Number(way), direction)
    assert.is(words, comment)
    assert.is(Number(length), bytes.length)
    assert.is(data, Buffer.from(bytes.subarray(14)).toString('hex'))
  })
})

test('capinfos reads the interface and how many packets were lost', () => {
  const said = withFile(file(PACKETS, 4), (path) => output('capinfos', [path]))
  assert.match(said, /Interface #0 info:/)
  assert.match(said, /Name = tap0/)
  assert.match(said, /Number of packets = 9/)
  assert.match(said, /Number of stat entries = 1/)
  assert.match(said, /Capture application: *tsgre/)
})

test('our reader finds all of it again, block by block', () => {
  const bytes = file(PACKETS, 2 ** 33)
  const view = new DataView(bytes.buffer)
  const packet = { time: 0, direction: 0, original: 0, captured: 0, comment: utf8('') }
  const found: Given[] = []
  let [linkType, counts] = [-1, undefined as ReturnType<typeof readStatistics>]
  for (let at = 0, length = 0; at < bytes.length; at += length) {
    length = blockLength(view, at)
    assert.ok(length > 0)
    if (at === 0) assert.ok(isSection(view, at))
    linkType = Math.max(linkType, linkTypeOf(view, at, length))
    counts ??= readStatistics(view, at, length)
    if (!readPacket(view, at, length, packet)) continue
    const data = bytes.slice(at + PACKET_DATA, at + PACKET_DATA + packet.captured)
    const comment = new TextDecoder().decode(packet.comment)
    found.push({ time: packet.time, direction: packet.direction, comment, octets: data })
  }
  assert.is(linkType, LINKTYPE_ETHERNET)
  assert.equal(counts, { received: 2 ** 33 + 9, dropped: 2 ** 33 })
  assert.equal(
    found,
    PACKETS.map((given) => ({ ...given, time: Math.round(given.time * 1000) / 1000 })),
  )
})

test('our reader waits for the rest of a block, and takes nothing else for one', () => {
  const bytes = file(PACKETS.slice(0, 1))
  const view = (end: number) => new DataView(bytes.buffer, 0, end)
  const first = blockLength(view(bytes.length), 0)
  for (let end = 0; end < first; end++) assert.is(blockLength(view(end), 0), 0)
  for (const length of [0, 11, 13, 2 ** 32 - 4]) {
    const bad = new DataView(bytes.buffer.slice(0))
    bad.setUint32(4, length, true)
    assert.is(blockLength(bad, 0), -1)
  }
  const torn = new DataView(bytes.buffer.slice(0))
  torn.setUint32(first - 4, first + 4, true)
  assert.is(blockLength(torn, 0), -1)
})

test('our reader reads nothing outside a block that lies about itself', () => {
  const source = random(7)
  const packet = { time: 0, direction: 0, original: 0, captured: 0, comment: utf8('') }
  const good = file(PACKETS.slice(0, 1))
  for (let round = 0; round < 20_000; round++) {
    const bytes = good.slice()
    for (let n = 0; n < 4; n++) bytes[source.below(bytes.length)] = source.below(256)
    const view = new DataView(bytes.buffer)
    for (let at = 0; at < bytes.length; ) {
      const length = blockLength(view, at)
      if (length <= 0) break
      if (readPacket(view, at, length, packet)) assert.ok(packet.captured <= length)
      readStatistics(view, at, length)
      at += length
    }
  }
})

test.run()
