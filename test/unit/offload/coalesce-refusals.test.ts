// What must not be joined: every difference between headers, every flag, every fault. A frame that is refused must leave
// as it came, and no later frame of its flow may leave before it.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { together } from '../../rig/coalesced.js'
import { ACK, CWR, ECE, type Inner, innerFrame, neighbours, RST, SYN, TIMESTAMPS, UDP, URG } from '../../rig/flows.js'
import { DOT1Q, QINQ } from '../../rig/frames.js'

/** Six neighbours, of which the third is built with other fields. */
const withOther = (inner: Inner, other: Inner) =>
  neighbours(inner, Array(6).fill(100)).map((fields, i) => innerFrame(i === 2 ? { ...fields, ...other } : fields))

/** Six neighbours, of which the third is changed after its checksums were made. */
const withChanged = (inner: Inner, change: (frame: Uint8Array) => void) =>
  neighbours(inner, Array(6).fill(100)).map((fields, i) => {
    const frame = innerFrame(fields)
    if (i === 2) change(frame)
    return frame
  })

/** The third stays by itself, and those behind it are joined. */
const ALONE = [[0, 1], [2], [3, 4, 5]]
/** Those behind the third go on with it: it is a difference that both sides of a join may have. */
const BEGINS = [
  [0, 1],
  [2, 3, 4, 5],
]

const DIFFERENCES: Record<string, [inner: Inner, other: Inner]> = {
  'another destination MAC': [{}, { destinationMac: [2, 0, 0, 0, 0, 0xa3] }],
  'another source MAC': [{}, { sourceMac: [2, 0, 0, 0, 0, 0xa3] }],
  'a tag': [{}, { tags: [DOT1Q] }],
  'no tag': [{ tags: [DOT1Q] }, { tags: [] }],
  'a second tag': [{ tags: [DOT1Q] }, { tags: QINQ }],
  'another VLAN': [{ tags: QINQ }, { tags: [QINQ[0], [0x8100, 101]] }],
  'another priority of its tag': [{ tags: [DOT1Q] }, { tags: [[0x8100, 0xe064]] }],
  'another TPID': [{ tags: [DOT1Q] }, { tags: [[0x88a8, 100]] }],
  'another TOS': [{}, { tos: 4 }],
  'another ECN': [{ tos: 2 }, { tos: 3 }],
  'another TTL': [{}, { ttl: 63 }],
  'no DF': [{}, { df: false }],
  DF: [{ df: false }, { df: true }],
  'another acknowledgment': [{}, { acknowledgment: 0x8000_0000 }],
  'another window': [{}, { window: 503 }],
  'another urgent pointer': [{}, { urgent: 1 }],
  'another upper octet of the window': [{}, { window: 502 + 256 }],
  'another upper octet of the urgent pointer': [{}, { urgent: 256 }],
  'other time stamps': [{ options: TIMESTAMPS }, { options: [...TIMESTAMPS.slice(0, 11), 8] }],
  'no time stamps': [{ options: TIMESTAMPS }, { options: [] }],
  'time stamps': [{}, { options: TIMESTAMPS }],
  ECE: [{}, { flags: ACK | ECE }],
  'a traffic class': [{ version: 6 }, { tos: 4 }],
  'another flow label': [{ version: 6 }, { flowLabel: 1 }],
  'another hop limit': [{ version: 6 }, { ttl: 63 }],
  'another TOS in UDP': [{ protocol: UDP }, { tos: 4 }],
  'another TTL in UDP': [{ protocol: UDP }, { ttl: 63 }],
  'another tag in UDP': [{ protocol: UDP }, { tags: QINQ }],
  'another flow label in UDP': [{ protocol: UDP, version: 6 }, { flowLabel: 1 }],
}

for (const [name, [inner, other]] of Object.entries(DIFFERENCES)) {
  test(`does not join across ${name}`, () => {
    assert.equal(together(withOther(inner, other)), ALONE)
  })
}

test('joins those that differ from the ones before in the same way', () => {
  for (const other of [{ tos: 4 }, { ttl: 63 }, { window: 503 }, { options: TIMESTAMPS }, { flags: ACK | ECE }]) {
    const frames = neighbours({}, Array(6).fill(100)).map((fields, i) =>
      innerFrame(i < 2 ? fields : { ...fields, ...other }),
    )
    assert.equal(together(frames), BEGINS)
  }
})

const FLAGS: Record<string, number> = {
  SYN: SYN,
  'SYN and ACK': SYN | ACK,
  RST: RST | ACK,
  URG: URG | ACK,
  CWR: CWR | ACK,
  'no ACK': 0,
}

for (const [name, flags] of Object.entries(FLAGS)) {
  test(`joins nothing to a segment with ${name}, nor it to others`, () => {
    assert.equal(together(withOther({}, { flags })), ALONE)
    assert.equal(
      together(neighbours({ flags }, [100, 100, 100]).map(innerFrame)),
      [[0], [1], [2]],
      'also not to its like',
    )
  })
}

test('joins none of those with a reserved bit of TCP', () => {
  const frames = neighbours({}, [100, 100]).map((fields) => innerFrame({ ...fields, window: 502 }))
  for (const frame of frames) {
    frame[46] |= 1 // and the checksum, which is a one's complement sum, is one word 0x0100 less
    const sum = frame[50] - 1
    assert.ok(sum >= 0)
    frame[50] = sum
  }
  assert.equal(together(frames), [[0], [1]])
})

test('joins no pure acknowledgments, and lets none be overtaken', () => {
  const none = new Uint8Array()
  assert.equal(together(withOther({}, { payload: none })), [[0, 1], [2], [3, 4, 5]])
  assert.equal(together(neighbours({}, [0, 0, 0]).map(innerFrame)), [[0], [1], [2]])
  assert.equal(together(neighbours({ protocol: UDP }, [0, 0, 0]).map(innerFrame)), [[0], [1], [2]])
})

test('joins nothing with IPv4 options or extension headers of IPv6', () => {
  for (const inner of [
    { ipOptions: [1, 1, 1, 0] },
    { version: 6, extensions: [[0, [5, 2, 0, 0, 1, 0]]] },
    { version: 6, extensions: [[60, Array(6).fill(0)]], protocol: UDP },
  ] as Inner[]) {
    assert.equal(together(neighbours(inner, [100, 100]).map(innerFrame)), [[0], [1]])
    assert.equal(together(withOther({ ...inner, ipOptions: [], extensions: [] }, inner)), ALONE)
  }
})

test('does not join across a gap, a frame that comes twice, or one that comes late', () => {
  const frames = neighbours({}, Array(8).fill(100)).map(innerFrame)
  const order = (numbers: number[]) => together(numbers.map((i) => frames[i]))
  assert.equal(order([0, 1, 3, 4]), [
    [0, 1],
    [2, 3],
  ])
  assert.equal(order([0, 1, 1, 2]), [
    [0, 1],
    [2, 3],
  ])
  assert.equal(order([0, 1, 0, 1, 2]), [
    [0, 1],
    [2, 3, 4],
  ])
  assert.equal(order([1, 0, 2, 3]), [[0], [1], [2, 3]])
  assert.equal(order([3, 2, 1, 0]), [[0], [1], [2], [3]])
})

test('does not join datagrams that came out of order, by their IPv4 ids', () => {
  const frames = neighbours({ protocol: UDP, df: false }, Array(6).fill(100)).map(innerFrame)
  const order = (numbers: number[]) => together(numbers.map((i) => frames[i]))
  assert.equal(order([0, 1, 3, 2, 4]), [[0, 1], [2], [3], [4]])
  assert.equal(order([0, 1, 1, 2]), [
    [0, 1],
    [2, 3],
  ])
})

const FAULTS: Record<string, [inner: Inner, change: (frame: Uint8Array) => void]> = {
  'a flipped bit of TCP payload': [{}, (frame) => (frame[100] ^= 0x10)],
  'a flipped bit of the last octet': [{ version: 6 }, (frame) => (frame[frame.length - 1] ^= 1)],
  'a flipped bit of UDP payload': [{ protocol: UDP }, (frame) => (frame[100] ^= 0x10)],
  'a wrong TCP checksum': [{}, (frame) => (frame[50] ^= 0x40)],
  'a wrong UDP checksum': [{ protocol: UDP, version: 6 }, (frame) => (frame[61] ^= 0x40)],
  'a wrong checksum of the IPv4 header': [{}, (frame) => (frame[24] ^= 1)],
  'a wrong checksum of the IPv4 header of a datagram': [{ protocol: UDP }, (frame) => (frame[25] ^= 1)],
  'a UDP length that is too short': [{ protocol: UDP }, (frame) => (frame[39] -= 1)],
  'a UDP length that is too long': [{ protocol: UDP }, (frame) => (frame[39] += 1)],
  'a UDP length that is too short, for which the checksum makes up': [
    { protocol: UDP },
    (frame) => {
      const view = new DataView(frame.buffer)
      frame[39] -= 1
      view.setUint16(40, view.getUint16(40) + 1)
    },
  ],
}

for (const [name, [inner, change]] of Object.entries(FAULTS)) {
  test(`leaves a frame with ${name} alone and as it came`, () => {
    assert.equal(together(withChanged(inner, change)), ALONE)
  })

  test(`joins nothing to a first frame with ${name}`, () => {
    const [first, ...others] = neighbours(inner, [100, 100, 100]).map(innerFrame)
    change(first)
    assert.equal(together([first, ...others]), [[0], [1, 2]])
  })
}

test('joins no datagrams without a checksum', () => {
  assert.equal(together(withOther({ protocol: UDP }, { checksum: 'none' })), ALONE)
  const frames = neighbours({ protocol: UDP, checksum: 'none' }, [100, 100]).map(innerFrame)
  assert.equal(together(frames), [[0], [1]])
})

test('joins no datagrams without a checksum for which 0 would be right', () => {
  const [first, second] = neighbours({ protocol: UDP, id: 1 }, [100, 100])
  const zeroed = innerFrame({ ...second, payload: new Uint8Array(100) })
  const payload = new Uint8Array(100)
  payload.set(zeroed.slice(40, 42), 4) // summed up with this, the rest is 0xffff
  const frame = innerFrame({ ...second, payload })
  assert.equal([frame[40], frame[41]], [0xff, 0xff])
  frame.fill(0, 40, 42)
  assert.equal(together([innerFrame(first), frame]), [[0], [1]])
})

test('joins nothing to or across a frame with padding behind the IP packet', () => {
  assert.equal(together(withOther({}, { padding: [0, 0, 0, 0] })), ALONE)
  assert.equal(together(withOther({ protocol: UDP, version: 6 }, { padding: [1] })), ALONE)
  const [first, ...others] = neighbours({}, [100, 100, 100])
  assert.equal(together([{ ...first, padding: [0, 0] }, ...others].map(innerFrame)), [[0], [1, 2]])
})

test.run()
