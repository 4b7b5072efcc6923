import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP } from '#tsgre/drops.js'
import { emitIpv6, ipv6Header, parseIpv6 } from '#tsgre/wire/ipv6.js'
import { octets } from '#tsgre/wire/octets.js'
import { naiveIpv6 } from '../../rig/naive/naive-ip.js'
import { random } from '../../rig/random.js'

const TRUNCATED = -DROP.truncated
const HOP_BY_HOP = 0
const ROUTING = 43
const GRE = 47
const DESTINATION_OPTIONS = 60
const SOURCE = Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
const DESTINATION = Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2)

/** A packet with `payload` behind its first 40 octets, the first of which is a `nextHeader`. */
function packetOf(nextHeader: number, payload: number[]): Uint8Array {
  const memory = octets(new Uint8Array(40 + payload.length))
  memory.bytes.set(payload, 40)
  emitIpv6(memory, 40, { ...ipv6Header(), nextHeader }, SOURCE, DESTINATION, payload.length)
  return memory.bytes
}

/** An extension header of `8 + 8 * more` octets in front of a `next`. */
function extension(next: number, more = 0): number[] {
  return [next, more, ...new Array<number>(6 + 8 * more).fill(1)]
}

function parse(packet: Uint8Array, end = packet.length) {
  const out = ipv6Header()
  return { length: parseIpv6(packet, 0, end, out), next: out.nextHeader }
}

test('writes a header octet for octet', () => {
  const memory = octets(new Uint8Array(44).fill(0xff))
  const header = { trafficClass: 0xb8, flowLabel: 0x12345, nextHeader: GRE, hopLimit: 9 }
  assert.is(emitIpv6(memory, 41, header, SOURCE, DESTINATION, 0x0102), 1)
  const addresses = '20010db800000000000000000000000120010db8000000000000000000000002'
  assert.is(Buffer.from(memory.bytes).toString('hex'), `ff6b81234501022f09${addresses}ffffff`)
})

test('round-trips random headers at every alignment', () => {
  const dice = random(1)
  for (let i = 0; i < 2000; i++) {
    const memory = octets(dice.bytes(160))
    const end = 60 + dice.below(4)
    const payloadLength = dice.below(90)
    const fields = {
      trafficClass: dice.below(256),
      flowLabel: dice.below(0x100000),
      nextHeader: 1 + dice.below(59),
      hopLimit: dice.below(256),
    }
    const source = dice.bytes(16)
    const destination = dice.bytes(16)
    const at = emitIpv6(memory, end, fields, source, destination, payloadLength)
    const parsed = ipv6Header()
    assert.is(parseIpv6(memory.bytes, at, 160, parsed), 40)
    assert.equal(parsed, { ...fields, payloadLength, sourceOffset: at + 8, destinationOffset: at + 24 }, `round ${i}`)
    assert.equal(memory.bytes.slice(parsed.sourceOffset, parsed.sourceOffset + 16), source)
    assert.equal(memory.bytes.slice(parsed.destinationOffset, parsed.destinationOffset + 16), destination)
  }
})

test('keeps a flow label and a traffic class that are too wide out of their neighbours', () => {
  const memory = octets(new Uint8Array(40))
  const header = { ...ipv6Header(), trafficClass: 0x1ff, flowLabel: 0x7fffffff }
  emitIpv6(memory, 40, header, SOURCE, DESTINATION, 0)
  assert.is(Buffer.from(memory.bytes.slice(0, 4)).toString('hex'), '6fffffff')
})

test('walks over hop-by-hop and destination options, short and long', () => {
  assert.equal(parse(packetOf(DESTINATION_OPTIONS, [...extension(GRE), 9, 9])), { length: 48, next: GRE })
  const both = [...extension(DESTINATION_OPTIONS, 2), ...extension(GRE), 9, 9]
  assert.equal(parse(packetOf(HOP_BY_HOP, both)), { length: 72, next: GRE })
})

test('stops at any other extension header and names it', () => {
  assert.equal(parse(packetOf(DESTINATION_OPTIONS, [...extension(ROUTING), ...extension(GRE)])), {
    length: 48,
    next: ROUTING,
  })
})

test('stops after eight extension headers', () => {
  const nine = Array.from({ length: 9 }, () => extension(DESTINATION_OPTIONS)).flat()
  assert.equal(parse(packetOf(DESTINATION_OPTIONS, nine)), { length: 104, next: DESTINATION_OPTIONS })
})

test('refuses a packet cut anywhere', () => {
  const packet = packetOf(DESTINATION_OPTIONS, extension(GRE))
  for (let cut = 0; cut < 48; cut++) assert.is(parse(packet, cut).length, TRUNCATED, `${cut} octets`)
  assert.is(parse(packet, 48).length, 48)
})

test('refuses an extension header that leaves the packet, though the memory goes on', () => {
  const packet = new Uint8Array(200)
  packet.set(packetOf(DESTINATION_OPTIONS, extension(GRE, 1).slice(0, 12)))
  assert.is(parse(packet).length, TRUNCATED)
  packet.set(packetOf(DESTINATION_OPTIONS, []))
  assert.is(parse(packet).length, TRUNCATED)
})

test('refuses every version but 6', () => {
  for (let version = 0; version < 16; version++) {
    const packet = packetOf(GRE, [])
    packet[0] = version << 4
    assert.is(parse(packet).length, version === 6 ? 40 : TRUNCATED)
  }
})

test('agrees with the naive twin on random packets', () => {
  const dice = random(2)
  const nexts = [HOP_BY_HOP, DESTINATION_OPTIONS, DESTINATION_OPTIONS, GRE, ROUTING]
  const lengths = new Set<number>()
  for (let i = 0; i < 20_000; i++) {
    const bytes = dice.bytes(30 + dice.below(120))
    if (!dice.oneIn(8)) bytes[0] = 0x60 | dice.below(16)
    bytes.set([0, dice.below(110), nexts[dice.below(5)]], 4)
    for (let at = 40; at + 1 < bytes.length; at += 8) bytes.set([nexts[dice.below(5)], dice.below(2)], at)
    const twin = naiveIpv6(bytes)
    const out = ipv6Header()
    const length = parseIpv6(bytes, 0, bytes.length, out)
    assert.is(length, twin?.length ?? TRUNCATED, `round ${i}`)
    if (twin !== undefined) assert.equal(out, twin.header, `round ${i}`)
    lengths.add(length)
  }
  assert.ok(lengths.size > 8, `only lengths ${[...lengths]}`)
})

test.run()
