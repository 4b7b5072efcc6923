import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP_REASONS } from '#tsgre/drops.js'
import {
  ETH_P_TEB,
  emitGre,
  GRE_CHECKSUM,
  GRE_KEY,
  GRE_ROUTING,
  GRE_SEQUENCE,
  greHeader,
  greHeaderLength,
  parseGre,
  sealGre,
  verifyGre,
} from '#tsgre/wire/gre.js'
import { octets } from '#tsgre/wire/octets.js'
import { type NaiveGre, naiveEmitGre, naiveParseGre, naiveVerifyGre } from '../../rig/naive/naive-gre.js'
import { type Random, random } from '../../rig/random.js'

const COMBINATIONS = Array.from(
  { length: 8 },
  (_, i) => (i & 4 ? GRE_CHECKSUM : 0) | (i & 2 ? GRE_KEY : 0) | (i & 1 ? GRE_SEQUENCE : 0),
)

/** The first 16 bits, the protocol, then zeros: 32 octets. */
function packetOf(flags: number, protocol = ETH_P_TEB): Uint8Array {
  const packet = new Uint8Array(32)
  packet.set([flags >>> 8, flags & 0xff, protocol >>> 8, protocol & 0xff])
  return packet
}

function parse(packet: Uint8Array, length = packet.length) {
  return parseGre(packet, 0, length, greHeader())
}

function named(result: number): string | number {
  return result < 0 ? DROP_REASONS[-result - 1] : result
}

function fieldsFor(flags: number, dice: Random): NaiveGre {
  return {
    ...(flags & GRE_CHECKSUM && { checksum: 0 }),
    ...(flags & GRE_KEY && { key: dice.word() }),
    ...(flags & GRE_SEQUENCE && { sequence: dice.word() }),
    payload: dice.bytes(dice.below(80)),
  }
}

test('counts four octets, and four for each of checksum, key and sequence', () => {
  assert.equal(COMBINATIONS.map(greHeaderLength), [4, 8, 8, 12, 8, 12, 12, 16])
  assert.is(greHeaderLength(0x4fff), 4)
})

test('round-trips all eight combinations at every alignment', () => {
  const dice = random(1)
  for (const flags of COMBINATIONS) {
    for (let start = 40; start < 44; start++) {
      const fields = fieldsFor(flags, dice)
      const end = start + fields.payload.length
      const memory = octets(dice.bytes(128))
      memory.bytes.set(fields.payload, start)
      const header = {
        ...greHeader(),
        flags,
        protocol: ETH_P_TEB,
        key: fields.key ?? 0,
        sequence: fields.sequence ?? 0,
      }

      const packet = emitGre(memory.bytes, start, header)
      if (flags & GRE_CHECKSUM) sealGre(memory, packet, end)
      assert.equal(memory.bytes.slice(packet, end), naiveEmitGre(fields), `flags ${flags.toString(16)} at ${start}`)

      const parsed = greHeader()
      assert.is(parseGre(memory.bytes, packet, end, parsed), start - packet)
      const checksum = flags & GRE_CHECKSUM ? (memory.bytes[packet + 4] << 8) | memory.bytes[packet + 5] : 0
      assert.equal(parsed, { ...header, checksum })
      if (flags & GRE_CHECKSUM) assert.ok(verifyGre(memory, packet, end))
    }
  }
})

test('writes in front of the frame and nowhere else', () => {
  for (const flags of COMBINATIONS) {
    const memory = octets(new Uint8Array(64).fill(0xaa))
    const start = emitGre(memory.bytes, 33, { ...greHeader(), flags, protocol: ETH_P_TEB })
    assert.is(start, 33 - greHeaderLength(flags))
    if (flags & GRE_CHECKSUM) sealGre(memory, start, 64)
    assert.ok(memory.bytes.slice(0, start).every((octet) => octet === 0xaa))
    assert.ok(memory.bytes.slice(33).every((octet) => octet === 0xaa))
  }
})

test('sends reserved bits and version as zero, whatever the header has', () => {
  const bytes = new Uint8Array(16).fill(0xff)
  emitGre(bytes, 16, { flags: 0xffff, protocol: ETH_P_TEB, checksum: 0xbeef, key: 1, sequence: 2 })
  assert.equal([...bytes], [0xb0, 0, 0x65, 0x58, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2])
})

test('seals over what lay in the checksum and in Reserved1', () => {
  const memory = octets(naiveEmitGre({ checksum: 0, payload: new Uint8Array(20).fill(9) }))
  const sealed = memory.bytes.slice()
  memory.bytes.fill(0xee, 4, 8)
  sealGre(memory, 0, memory.bytes.length)
  assert.equal(memory.bytes, sealed)
})

test('refuses a packet cut anywhere inside its header', () => {
  for (const flags of COMBINATIONS) {
    const length = greHeaderLength(flags)
    for (let cut = 0; cut < length; cut++) assert.is(named(parse(packetOf(flags), cut)), 'truncated')
    assert.is(parse(packetOf(flags), length), length)
  }
})

test('refuses version 1 before reading the key', () => {
  assert.is(named(parse(packetOf(GRE_KEY | 1), 2)), 'bad-version')
})

test('refuses every version but 0, before any other bit', () => {
  for (let version = 1; version < 8; version++) {
    assert.is(named(parse(packetOf(GRE_ROUTING | version, 0x0800))), 'bad-version')
  }
})

test('refuses routing and bits 4 and 5 before the length and the protocol', () => {
  for (const bit of [GRE_ROUTING, 0x0800, 0x0400]) {
    assert.is(named(parse(packetOf(bit | GRE_KEY), 2)), 'reserved-bits')
    assert.is(named(parse(packetOf(bit, 0x0800))), 'reserved-bits')
  }
})

test('ignores bits 6 to 12', () => {
  for (let bits = 0; bits <= 0x03f8; bits += 8) assert.is(parse(packetOf(GRE_KEY | bits)), 8)
})

test('refuses every protocol but transparent Ethernet bridging, after the length', () => {
  for (const protocol of [0, 0x0800, 0x6557, 0x6559, 0x88be, 0x5865]) {
    assert.is(named(parse(packetOf(GRE_KEY, protocol))), 'unknown-protocol')
    assert.is(named(parse(packetOf(GRE_KEY, protocol), 7)), 'truncated')
  }
})

test('clears fields that the packet before had', () => {
  const out = { flags: 1, protocol: 2, checksum: 3, key: 4, sequence: 5 }
  parseGre(packetOf(0), 0, 32, out)
  assert.equal(out, { flags: 0, protocol: ETH_P_TEB, checksum: 0, key: 0, sequence: 0 })
})

test('reads key and sequence as unsigned', () => {
  const packet = packetOf(GRE_KEY | GRE_SEQUENCE).fill(0xff, 4, 12)
  const out = greHeader()
  parseGre(packet, 0, 32, out)
  assert.is(out.key, 0xffffffff)
  assert.is(out.sequence, 0xffffffff)
})

test('reads nothing beyond the end of the packet, though the memory goes on', () => {
  const bytes = new Uint8Array(64).fill(0xff)
  bytes.set(packetOf(GRE_KEY).slice(0, 6), 10)
  assert.is(named(parseGre(bytes, 10, 16, greHeader())), 'truncated')
})

test('finds any single changed octet by the checksum', () => {
  const memory = octets(naiveEmitGre({ checksum: 0, key: 7, payload: random(5).bytes(61) }))
  const end = memory.bytes.length
  assert.ok(verifyGre(memory, 0, end))
  for (let at = 0; at < end; at++) {
    memory.bytes[at] ^= 0x10
    assert.not(verifyGre(memory, 0, end), `octet ${at}`)
    memory.bytes[at] ^= 0x10
  }
})

test('takes a Reserved1 that is not zero where the sum is right over everything', () => {
  const bytes = naiveEmitGre({ checksum: 0, payload: random(6).bytes(30) })
  const view = new DataView(bytes.buffer)
  const without = 0xffff - view.getUint16(4)
  view.setUint16(6, 0x1234)
  view.setUint16(4, 0xffff - ((without + 0x1234) % 0xffff))
  assert.ok(verifyGre(octets(bytes), 0, bytes.length))
})

test('refuses a checksum flag with the checksum left zero', () => {
  const memory = octets(packetOf(GRE_CHECKSUM))
  assert.not(verifyGre(memory, 0, 32))
})

test('agrees with the naive twin on random packets', () => {
  const dice = random(7)
  const out = greHeader()
  const seen = new Map<string | number, number>()
  for (let i = 0; i < 20_000; i++) {
    const pad = dice.below(4)
    const memory = octets(dice.bytes(pad + dice.below(40)))
    disguise(memory.bytes.subarray(pad), dice)
    const packet = memory.bytes.slice(pad)
    const twin = naiveParseGre(packet)
    const length = parseGre(memory.bytes, pad, memory.bytes.length, out)
    const result = length < 0 ? named(length) : 'parsed'
    seen.set(result, (seen.get(result) ?? 0) + 1)
    if (typeof twin === 'string') {
      assert.is(result, twin, `round ${i}`)
      continue
    }
    const { checksum = 0, key = 0, sequence = 0, payload } = twin
    assert.is(length, packet.length - payload.length, `round ${i}`)
    assert.equal([out.checksum, out.key, out.sequence], [checksum, key, sequence], `round ${i}`)
    assert.is(verifyGre(memory, pad, memory.bytes.length), naiveVerifyGre(packet), `round ${i}`)
  }
  for (const result of ['parsed', 'truncated', 'bad-version', 'reserved-bits', 'unknown-protocol']) {
    assert.ok((seen.get(result) ?? 0) > 500, `${result} was hardly met: ${seen.get(result)}`)
  }
})

/** Makes random octets look like GRE most of the time, with now and then one thing wrong. */
function disguise(packet: Uint8Array, dice: Random): void {
  const wrong = [0, 0, 0, 0, 0x4000, 0x0800, 0x0400, 0x0001, 0x0002][dice.below(9)]
  const flags = COMBINATIONS[dice.below(8)] | (dice.word() & 0x03f8) | wrong
  const protocol = dice.oneIn(8) ? dice.below(0x10000) : ETH_P_TEB
  const start = [flags >>> 8, flags & 0xff, protocol >>> 8, protocol & 0xff]
  packet.set(start.slice(0, packet.length))
}

test.run()
