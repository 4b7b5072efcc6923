import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MOST_HEADER_BYTES } from '#tsgre/offload/segment.js'
import { ACK, CWR, ECE, FIN, type Inner, innerFrame, PSH, TIMESTAMPS, UDP } from '../../rig/flows.js'
import { DOT1Q, ETH_P_ARP, ethernet, QINQ } from '../../rig/frames.js'
import { naiveSegments } from '../../rig/naive/naive-segment.js'
import { naiveTransport, naiveVerify, naiveVerifyIp } from '../../rig/naive/naive-transport.js'
import { random } from '../../rig/random.js'
import { segmentsOf } from '../../rig/segments.js'

const payload = random(1).bytes(3000)

/** The segments of a frame with 3000 octets of payload, each found equal to the naive twin's and right in itself. */
function cut(inner: Inner, asked = 1000, longest = 1 << 16): Uint8Array[] {
  const superframe = innerFrame({ payload, checksum: 'partial', ...inner })
  const segments = segmentsOf(superframe, { asked, longest })
  assert.ok(segments, 'refused')
  for (const segment of segments) {
    const at = naiveTransport(segment)
    if (typeof at === 'string') throw new Error(`a segment is ${at}`)
    assert.ok(naiveVerifyIp(segment, at), 'checksum of the IPv4 header')
    assert.ok(naiveVerify(segment, at), 'checksum')
  }
  assert.equal(segments, naiveSegments(superframe, asked, longest))
  return segments
}

/** What is left of each segment behind `header` octets. */
function payloads(segments: Uint8Array[], header: number): Uint8Array {
  return Uint8Array.from(Buffer.concat(segments.map((segment) => segment.slice(header))))
}

const read = (segment: Uint8Array, at: number, bytes: number) => Buffer.from(segment).readUIntBE(at, bytes)
const sizes = (segments: Uint8Array[]) => segments.map((segment) => segment.length)

test('cuts TCP over IPv4 into what a sender without offload would have sent', () => {
  const segments = cut({ id: 7, sequence: 5000, flags: ACK | PSH, tos: 0xb8, ttl: 3 })
  const sent = [0, 1, 2].map((i) => {
    const piece = payload.slice(i * 1000, i * 1000 + 1000)
    const flags = i === 2 ? ACK | PSH : ACK
    return innerFrame({ id: 7 + i, sequence: 5000 + i * 1000, flags, tos: 0xb8, ttl: 3, payload: piece })
  })
  assert.equal(segments, sent)
})

test('cuts TCP over IPv6 into what a sender without offload would have sent', () => {
  const segments = cut({ version: 6, sequence: 5000, tos: 0xb8, flowLabel: 0x54321, options: TIMESTAMPS })
  const sent = [0, 1, 2].map((i) => {
    const piece = payload.slice(i * 1000, i * 1000 + 1000)
    const sequence = 5000 + i * 1000
    return innerFrame({ version: 6, sequence, tos: 0xb8, flowLabel: 0x54321, options: TIMESTAMPS, payload: piece })
  })
  assert.equal(segments, sent)
})

for (const version of [4, 6] as const) {
  test(`cuts UDP over IPv${version} into what a sender without offload would have sent`, () => {
    const segments = cut({ version, protocol: UDP, id: 7 })
    const sent = [0, 1, 2].map((i) => {
      return innerFrame({ version, protocol: UDP, id: 7 + i, payload: payload.slice(i * 1000, i * 1000 + 1000) })
    })
    assert.equal(segments, sent)
  })
}

const BOTH: Inner['extensions'] = [
  [0, [5, 2, 0, 0, 1, 0]],
  [60, Array(6).fill(0)],
]

const HEADERS: Record<string, [inner: Inner, header: number]> = {
  'time stamps in each segment': [{ options: TIMESTAMPS }, 66],
  'the longest TCP options in each segment': [{ options: Array(40).fill(1) }, 94],
  'IPv4 options in each segment': [{ ipOptions: [0x94, 4, 0, 0, 1, 1, 1, 0] }, 62],
  'the longest IPv4 and TCP options behind two tags': [
    { ipOptions: Array(40).fill(1), options: Array(40).fill(1), tags: QINQ },
    142,
  ],
  'a hop-by-hop header in each segment': [{ version: 6, extensions: [[0, [5, 2, 0, 0, 1, 0]]] }, 82],
  'destination options in each segment': [{ version: 6, extensions: [[60, Array(14).fill(0)]] }, 90],
  'both extension headers behind two tags, with time stamps': [
    { version: 6, extensions: BOTH, tags: QINQ, options: TIMESTAMPS },
    110,
  ],
  'one tag in each segment': [{ tags: [DOT1Q] }, 58],
  'two tags in each segment': [{ tags: QINQ }, 62],
  'one tag in each datagram': [{ tags: [DOT1Q], protocol: UDP }, 46],
  'two tags in each IPv6 datagram': [{ tags: QINQ, protocol: UDP, version: 6 }, 70],
}

for (const [claim, [inner, header]] of Object.entries(HEADERS)) {
  test(`repeats ${claim}`, () => {
    const segments = cut(inner)
    assert.equal(sizes(segments), [header + 1000, header + 1000, header + 1000])
    assert.equal(payloads(segments, header), payload)
  })
}

test('counts sequence numbers across 2^32', () => {
  const segments = cut({ sequence: 0xffff_fc00 })
  assert.equal(
    segments.map((segment) => read(segment, 38, 4)),
    [0xffff_fc00, 0xffff_ffe8, 0x3d0],
  )
})

test('counts sequence numbers across 2^31', () => {
  const segments = cut({ sequence: 0x7fff_ff00 })
  assert.equal(
    segments.map((segment) => read(segment, 38, 4)),
    [0x7fff_ff00, 0x8000_02e8, 0x8000_06d0],
  )
})

for (const protocol of [6, UDP]) {
  test(`counts IPv4 ids across 65535 (protocol ${protocol})`, () => {
    const segments = cut({ id: 0xfffe, protocol })
    assert.equal(
      segments.map((segment) => read(segment, 18, 2)),
      [0xfffe, 0xffff, 0],
    )
  })
}

test('leaves FIN and PSH to the last segment, CWR to the first, and all other flags to each', () => {
  const flags = cut({ flags: 0xff }).map((segment) => segment[47])
  assert.equal(flags, [0xff & ~(FIN | PSH), 0xff & ~(FIN | PSH | CWR), 0xff & ~CWR])
  assert.equal(
    cut({ flags: ACK | ECE }).map((segment) => segment[47]),
    [ACK | ECE, ACK | ECE, ACK | ECE],
  )
})

test('leaves FIN, PSH and CWR to the only segment', () => {
  assert.equal(
    cut({ flags: 0xff }, 3000).map((segment) => segment[47]),
    [0xff],
  )
})

test('leaves reserved bits beside the data offset as they are', () => {
  const superframe = innerFrame({ payload })
  superframe[46] |= 0x0f
  const segments = segmentsOf(superframe, { asked: 1000 })
  assert.equal(segments, naiveSegments(superframe, 1000, 1 << 16))
  assert.ok(segments?.every((segment) => segment[46] === 0x5f))
})

test('makes the last segment shorter where the payload is no multiple', () => {
  assert.equal(sizes(cut({}, 1448)), [54 + 1448, 54 + 1448, 54 + 104])
  assert.equal(sizes(cut({}, 2999)), [54 + 2999, 54 + 1])
  assert.equal(sizes(cut({ protocol: UDP }, 1472)), [42 + 1472, 42 + 1472, 42 + 56])
})

test('makes all segments as long where it is one', () => {
  assert.equal(sizes(cut({}, 1500)), [54 + 1500, 54 + 1500])
  assert.equal(sizes(cut({}, 3000)), [54 + 3000])
})

test('cuts into segments of one octet', () => {
  assert.is(cut({}, 1).length, 3000)
  assert.is(cut({ protocol: UDP, version: 6 }, 1).length, 3000)
})

test('makes one segment of a frame that is short enough, its checksum completed', () => {
  const whole = innerFrame({ payload, flags: ACK | PSH | FIN | CWR })
  assert.equal(cut({ flags: ACK | PSH | FIN | CWR }, 5000), [whole])
})

test('cuts TCP smaller than asked where the frame would be longer than the longest', () => {
  assert.equal(sizes(cut({ options: TIMESTAMPS }, 1448, 1476)), [1476, 1476, 66 + 180])
  assert.equal(sizes(cut({ options: TIMESTAMPS }, 1448, 67)).length, 3000)
  assert.equal(sizes(cut({ options: TIMESTAMPS }, 1410, 1476)), [1476, 1476, 66 + 180])
  assert.equal(sizes(cut({ options: TIMESTAMPS }, 1409, 1476)), [1475, 1475, 66 + 182])
})

test('cuts UDP as asked also where the frame is longer than the longest', () => {
  assert.equal(sizes(cut({ protocol: UDP }, 1472, 1000)), [42 + 1472, 42 + 1472, 42 + 56])
})

/** Refused by the twin too. */
function refused(frame: Uint8Array, asked = 1000, longest = 1 << 16): void {
  assert.is(segmentsOf(frame, { asked, longest }), undefined)
  assert.is(naiveSegments(frame, asked, longest), undefined)
}

test('refuses a longest that leaves no room for payload', () => {
  refused(innerFrame({ payload }), 1000, 54)
  refused(innerFrame({ payload }), 1000, 0)
})

test('refuses to cut into nothing', () => {
  refused(innerFrame({ payload }), 0)
  refused(innerFrame({ payload, protocol: UDP }), 0)
})

test('refuses a packet without payload', () => {
  refused(innerFrame())
  refused(innerFrame({ protocol: UDP, version: 6, padding: [0, 0, 0, 0] }))
})

test('refuses what is neither TCP nor UDP, fragments, and headers that do not hold together', () => {
  refused(ethernet(ETH_P_ARP, Array(28).fill(1)))
  refused(innerFrame({ payload, protocol: 132 }))
  const fragment = innerFrame({ payload })
  fragment[20] |= 0x20
  refused(fragment)
  refused(innerFrame({ payload }).slice(0, -1))
  refused(innerFrame({ payload, version: 6 }).slice(0, 53))
  refused(new Uint8Array())
})

test('takes headers of MOST_HEADER_BYTES and refuses longer ones', () => {
  // Headers have two octets more than a multiple of four.
  const extensions: Inner['extensions'] = [[60, Array(158).fill(0)]]
  const most = cut({ version: 6, extensions, tags: [DOT1Q], payload: payload.slice(0, 500) }, 100)
  assert.equal(sizes(most), Array(5).fill(MOST_HEADER_BYTES - 2 + 100))
  refused(innerFrame({ version: 6, extensions, tags: [DOT1Q], options: [1, 1, 1, 0], payload }))
})

test('leaves out padding behind the IP packet', () => {
  assert.equal(cut({ padding: [1, 2, 3, 4, 5] }), cut({}))
})

/** A payload of two octets with which the datagram's checksum comes out as 0. */
function summingToZero(inner: Inner): Uint8Array {
  const without = innerFrame({ ...inner, protocol: UDP, payload: Uint8Array.of(0, 0) })
  return without.slice(-4, -2)
}

for (const version of [4, 6] as const) {
  test(`writes the checksum 0 of a datagram over IPv${version} as 0xffff`, () => {
    const zero = summingToZero({ version })
    const segments = cut({ version, protocol: UDP, payload: Uint8Array.of(...zero, ...zero, ...zero) }, 2)
    assert.equal(
      segments.map((segment) => read(segment, segment.length - 4, 2)),
      [0xffff, 0xffff, 0xffff],
    )
  })
}

test('writes the checksum 0 of a TCP segment as 0', () => {
  const without = innerFrame({ payload: Uint8Array.of(0, 0) })
  const [segment] = cut({ payload: without.slice(50, 52) })
  assert.is(read(segment, 50, 2), 0)
})

test.run()
