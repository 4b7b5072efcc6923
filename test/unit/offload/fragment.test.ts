import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cutter } from '#tsgre/offload/cutter.js'
import { octets } from '#tsgre/wire/octets.js'
import { ACK, type Inner, innerFrame, TIMESTAMPS, UDP } from '../../rig/flows.js'
import { DOT1Q, QINQ } from '../../rig/frames.js'
import { naiveSum } from '../../rig/naive/naive-checksum.js'
import { naiveReassemble } from '../../rig/naive/naive-reassemble.js'
import { naiveSegments } from '../../rig/naive/naive-segment.js'
import { naiveTransport, naiveVerify } from '../../rig/naive/naive-transport.js'
import { type Random, random } from '../../rig/random.js'
import { testMemory } from '../../rig/test-memory.js'

const ROUNDS = 2000
const CANARY = 0xa5
/** Record route (first fragment only), then a router alert (in all of them), and padding: RFC 791 §3.1, RFC 2113. */
const OPTIONS = [7, 7, 4, 0, 0, 0, 0, 0x94, 4, 0, 0, 1]

/** What the cutter makes of it after `begin`, put together; the frame itself must stay as it was. */
function pieces(
  frame: Uint8Array,
  align: number,
  begin: (cutter: Cutter, memory: ReturnType<typeof octets>, at: number) => boolean,
) {
  const at = 64 + align
  const memory = testMemory(at + frame.length + 64, CANARY)
  memory.bytes.set(frame, at)
  const before = memory.bytes.slice()
  const cutter = new Cutter()
  if (!begin(cutter, memory, at)) {
    assert.not(cutter.more, 'nothing comes of what was refused')
    return undefined
  }
  const all: Uint8Array[] = []
  while (cutter.more) {
    const headers = octets(new Uint8Array(320).fill(CANARY))
    const length = cutter.next(headers, 16)
    assert.ok(length > 0 && headers.bytes.slice(16 + length + 3).every((octet) => octet === CANARY))
    const { payload, payloadLength, payloadSum } = cutter.piece
    const piece = memory.bytes.slice(payload, payload + payloadLength)
    assert.ok(payload >= at && payload + payloadLength <= at + frame.length)
    assert.is(payloadSum, naiveSum(piece, 0, piece.length))
    all.push(Uint8Array.from(Buffer.concat([headers.bytes.slice(16, 16 + length), piece])))
  }
  assert.equal(memory.bytes.slice(), before)
  return all
}

function fragments(frame: Uint8Array, ip: number, stop: number, longest: number, align = 0): Uint8Array[] | undefined {
  return pieces(frame, align, (cutter, memory, at) => cutter.beginFragments(memory, at, at + ip, at + stop, longest))
}

function randomInner(dice: Random, size: number): Inner {
  return {
    protocol: UDP,
    df: false,
    id: dice.below(65536),
    tags: [[], [DOT1Q], QINQ][dice.below(3)]!,
    ipOptions: dice.oneIn(3) ? OPTIONS : [],
    payload: dice.bytes(size),
  }
}

test('fragments are the packet again, each fits, and each header is right: random packets, tags, options and sizes', () => {
  const dice = random(1)
  for (let round = 0; round < ROUNDS; round++) {
    const inner = randomInner(dice, 1 + dice.below(4000))
    const frame = innerFrame(inner)
    const ip = 14 + 4 * inner.tags!.length
    const longest = ip + 20 + inner.ipOptions!.length + 8 + dice.below(1500)
    const all = fragments(frame, ip, frame.length, longest, dice.below(4))
    assert.ok(all, `refused ${round}`)
    for (const piece of all) {
      assert.ok(piece.length <= longest)
      assert.equal(piece.slice(0, ip), frame.slice(0, ip))
      assert.is(naiveSum(piece, ip, ip + (piece[ip]! & 15) * 4), 0xffff)
    }
    const { data } = naiveReassemble(all.map((piece) => piece.slice(ip)))
    assert.equal(data, frame.slice(ip + (frame[ip]! & 15) * 4))
  }
})

test('options that only the first fragment has become no operations in the others, the copied ones stay', () => {
  const frame = innerFrame({ protocol: UDP, df: false, ipOptions: OPTIONS, payload: random(2).bytes(100) })
  const [first, ...others] = fragments(frame, 14, frame.length, 14 + 32 + 40)!
  assert.equal([...first!.slice(34, 46)], OPTIONS)
  assert.ok(others.length > 1)
  for (const other of others) assert.equal([...other.slice(34, 46)], [1, 1, 1, 1, 1, 1, 1, ...OPTIONS.slice(7)])
})

test('fragments of fragments are fragments of the packet', () => {
  const dice = random(3)
  for (let round = 0; round < 300; round++) {
    const frame = innerFrame({ protocol: UDP, df: false, id: 9, payload: dice.bytes(2000 + dice.below(3000)) })
    const once = fragments(frame, 14, frame.length, 14 + 20 + 600 + dice.below(900))!
    const twice = once.flatMap((piece) => fragments(piece, 14, piece.length, 14 + 20 + 8 + dice.below(300))!)
    assert.equal(naiveReassemble(twice.map((piece) => piece.slice(14))).data, frame.slice(34))
  }
})

test('what Ethernet has padded is left behind', () => {
  const frame = innerFrame({ protocol: UDP, df: false, payload: random(4).bytes(50), padding: [1, 2, 3] })
  const all = fragments(frame, 14, frame.length - 3, 14 + 20 + 16)!
  assert.equal(naiveReassemble(all.map((piece) => piece.slice(14))).data, frame.slice(34, -3))
})

test('refuses where not even eight octets fit behind the header', () => {
  const frame = innerFrame({ protocol: UDP, df: false, payload: random(5).bytes(50) })
  assert.is(fragments(frame, 14, frame.length, 14 + 20 + 7), undefined)
  assert.ok(fragments(frame, 14, frame.length, 14 + 20 + 8))
})

test('refuses a packet without payload, and one that ends beyond what a packet may have', () => {
  const empty = Uint8Array.from([...innerFrame({ protocol: UDP, df: false }).slice(0, 34), ...Array(50).fill(0)])
  empty[17] = 20
  assert.is(fragments(empty, 14, 34, 14 + 28), undefined)
  const late = innerFrame({ protocol: UDP, df: false, payload: random(8).bytes(1000) })
  const at = (offset: number) => {
    late[20] = offset >>> 8
    late[21] = offset & 255
    return fragments(late, 14, late.length, 14 + 20 + 64)
  }
  assert.is(at(0x1fff), undefined)
  assert.is(at(((65535 - 20 - 1008) >>> 3) + 1), undefined)
  assert.ok(at((65535 - 20 - 1008) >>> 3))
})

test('a segment of TCP becomes two that say what it said', () => {
  const dice = random(6)
  for (let round = 0; round < 300; round++) {
    const version = dice.oneIn(2) ? 4 : 6
    const inner = { version, sequence: dice.word(), id: dice.below(65536), options: TIMESTAMPS } as const
    const frame = innerFrame({ ...inner, flags: ACK, payload: dice.bytes(1448) })
    const at = naiveTransport(frame)
    if (typeof at === 'string') throw new Error(at)
    const longest = frame.length - 1 - dice.below(600)
    const all = pieces(frame, 0, (cutter, memory, start) =>
      cutter.beginSegments(memory, start, start + frame.length, 1448, longest),
    )!
    assert.is(all.length, 2)
    assert.equal(all, naiveSegments(frame, 1448, longest))
  }
})

test('datagrams of a superframe go in fragments, each datagram with its own right checksum', () => {
  const dice = random(7)
  for (let round = 0; round < 100; round++) {
    const asked = 900 + dice.below(600)
    const superframe = innerFrame({ protocol: UDP, df: false, checksum: 'partial', payload: dice.bytes(asked * 3 + 5) })
    const longest = 300 + dice.below(500)
    const all = pieces(superframe, 0, (cutter, memory, start) => {
      const begun = cutter.beginSegments(memory, start, start + superframe.length, asked, 65535)
      cutter.segmentsInFragments(14, longest)
      return begun
    })!
    assert.ok(all.every(({ length }) => length <= longest))
    const ids = [...new Set(all.map((piece) => (piece[18]! << 8) | piece[19]!))]
    const datagrams = ids.map((id) => {
      const mine = all.filter((piece) => ((piece[18]! << 8) | piece[19]!) === id)
      return naiveReassemble(mine.map((piece) => piece.slice(14))).data
    })
    const expected = naiveSegments(superframe, asked, 65535)!
    assert.equal(
      datagrams,
      expected.map((segment) => segment.slice(34)),
    )
    for (const segment of expected) {
      const at = naiveTransport(segment)
      assert.ok(typeof at !== 'string' && naiveVerify(segment, at))
    }
  }
})

test.run()
