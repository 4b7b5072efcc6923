import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP } from '#tsgre/drops.js'
import { sum } from '#tsgre/wire/checksum.js'
import { emitIpv4, ipv4Header, parseIpv4 } from '#tsgre/wire/ipv4.js'
import { octets } from '#tsgre/wire/octets.js'
import { naiveIpv4 } from '../../rig/naive/naive-ip.js'
import { type Random, random } from '../../rig/random.js'

const TRUNCATED = -DROP.truncated

function headerOf(dice: Random) {
  return {
    totalLength: 0,
    tos: dice.below(256),
    id: dice.below(0x10000),
    dontFragment: dice.oneIn(2),
    moreFragments: dice.oneIn(2),
    fragmentOffset: dice.below(0x2000) * 8,
    ttl: dice.below(256),
    protocol: dice.below(256),
    source: dice.word(),
    destination: dice.word(),
  }
}

/** A packet of 20 + `payload` octets from 192.0.2.1 to 192.0.2.2. */
function packetOf(payload: number): Uint8Array {
  const memory = octets(new Uint8Array(20 + payload))
  emitIpv4(memory, 20, { ...ipv4Header(), protocol: 47, source: 0xc0000201, destination: 0xc0000202 }, payload)
  return memory.bytes
}

function parse(packet: Uint8Array, end = packet.length) {
  return parseIpv4(packet, 0, end, ipv4Header())
}

test('writes a header whose checksum is right, octet for octet', () => {
  const expected = '45000014000040004011b6d5c0000201c0000202'
  const memory = octets(new Uint8Array(20).fill(0xff))
  emitIpv4(memory, 20, { ...ipv4Header(), protocol: 17, source: 0xc0000201, destination: 0xc0000202 }, 0)
  assert.is(Buffer.from(memory.bytes).toString('hex'), expected)
})

test('round-trips random headers at every alignment', () => {
  const dice = random(1)
  for (let i = 0; i < 2000; i++) {
    const memory = octets(dice.bytes(128))
    const end = 40 + dice.below(4)
    const payload = dice.below(80)
    const header = headerOf(dice)
    const at = emitIpv4(memory, end, header, payload)
    assert.is(at, end - 20)
    assert.is(sum(memory, at, end), 0xffff, `round ${i}`)
    const parsed = ipv4Header()
    assert.is(parseIpv4(memory.bytes, at, 128, parsed), 20)
    assert.equal(parsed, { ...header, totalLength: 20 + payload }, `round ${i}`)
  }
})

test('writes in front of the payload and nowhere else', () => {
  const memory = octets(new Uint8Array(64).fill(0xaa))
  emitIpv4(memory, 41, ipv4Header(), 0)
  assert.ok(memory.bytes.slice(0, 21).every((octet) => octet === 0xaa))
  assert.ok(memory.bytes.slice(41).every((octet) => octet === 0xaa))
})

test('steps over options', () => {
  const packet = packetOf(40)
  packet[0] = 0x4f
  assert.is(parse(packet), 60)
})

test('takes padding behind the packet', () => {
  const packet = new Uint8Array(46)
  packet.set(packetOf(8))
  const out = ipv4Header()
  assert.is(parseIpv4(packet, 0, 46, out), 20)
  assert.is(out.totalLength, 28)
})

test('refuses a packet cut anywhere', () => {
  const packet = packetOf(8)
  for (let cut = 0; cut < 28; cut++) assert.is(parse(packet, cut), TRUNCATED, `${cut} octets`)
})

test('refuses every version but 4', () => {
  for (let version = 0; version < 16; version++) {
    const packet = packetOf(0)
    packet[0] = (version << 4) | 5
    assert.is(parse(packet), version === 4 ? 20 : TRUNCATED)
  }
})

test('refuses a header of fewer than five words, and one longer than its packet', () => {
  for (const words of [0, 1, 4, 6, 15]) {
    const packet = packetOf(0)
    packet[0] = 0x40 | words
    assert.is(parse(packet), TRUNCATED)
  }
})

test('refuses a total length shorter than the header', () => {
  const packet = packetOf(8)
  packet[3] = 19
  assert.is(parse(packet), TRUNCATED)
})

test('agrees with the naive twin on random packets', () => {
  const dice = random(2)
  let parsed = 0
  for (let i = 0; i < 20_000; i++) {
    const pad = dice.below(4)
    const bytes = dice.bytes(pad + dice.below(70))
    if (bytes.length > pad + 4) {
      bytes[pad] = dice.oneIn(8) ? dice.below(256) : 0x40 | dice.below(16)
      bytes.set([0, dice.below(bytes.length)], pad + 2)
    }
    const twin = naiveIpv4(bytes.slice(pad))
    const out = ipv4Header()
    assert.is(parseIpv4(bytes, pad, bytes.length, out), twin?.length ?? TRUNCATED, `round ${i}`)
    if (twin === undefined) continue
    assert.equal(out, twin.header, `round ${i}`)
    parsed++
  }
  assert.ok(parsed > 1000, `only ${parsed} were packets`)
})

test.run()
