import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { coalesce, type Run, together } from '../../rig/coalesced.js'
import { ACK, ECE, FIN, type Inner, innerFrame, neighbours, PSH, TCP, TIMESTAMPS, UDP } from '../../rig/flows.js'
import { DOT1Q, QINQ } from '../../rig/frames.js'
import { naiveKernel } from '../../rig/naive/naive-kernel.js'

/** Which frames of these fields go together. */
const joined = (fields: readonly Inner[], run: Run = {}) => together(fields.map(innerFrame), run)

const KINDS: Record<string, Inner> = {
  'TCP over IPv4': {},
  'TCP over IPv6': { version: 6, flowLabel: 0x12345 },
  'TCP with time stamps': { options: TIMESTAMPS },
  'TCP that echoes congestion': { flags: ACK | ECE },
  'TCP behind one tag': { tags: [DOT1Q] },
  'TCP over IPv6 behind two tags': { version: 6, tags: QINQ },
  'TCP without DF': { df: false },
  'UDP over IPv4': { protocol: UDP },
  'UDP without DF': { protocol: UDP, df: false },
  'UDP over IPv6': { protocol: UDP, version: 6 },
  'UDP behind two tags': { protocol: UDP, tags: QINQ },
}

for (const [kind, inner] of Object.entries(KINDS)) {
  test(`joins neighbours: ${kind}`, () => {
    assert.equal(joined(neighbours(inner, [100, 100, 100, 100])), [[0, 1, 2, 3]])
    assert.equal(joined(neighbours(inner, [101, 101, 1])), [[0, 1, 2]])
    assert.equal(joined(neighbours(inner, [1, 1, 1])), [[0, 1, 2]])
  })
}

test('writes the headers a sender of superframes would have written, but for the checksum that is left', () => {
  const [delivered] = coalesce(neighbours({ id: 9, sequence: 77 }, [100, 100, 50]).map(innerFrame))
  const payload = neighbours({}, [250])[0].payload
  assert.equal(delivered.frame, innerFrame({ id: 9, sequence: 77, payload, checksum: 'partial' }))
  assert.equal(
    [delivered.gsoType, delivered.gsoSize, delivered.csumStart, delivered.csumOffset],
    [1, 100, 34, 16],
    'type, size, start and place of the checksum',
  )
})

test('says of each kind what the kernel calls it', () => {
  const typeOf = (inner: Inner) => coalesce(neighbours(inner, [10, 10]).map(innerFrame))[0]
  const columns = ({ gsoType, gsoSize, csumStart, csumOffset }: ReturnType<typeof typeOf>) => {
    return [gsoType, gsoSize, csumStart, csumOffset]
  }
  assert.equal(columns(typeOf({ version: 6, tags: QINQ })), [4, 10, 62, 16])
  assert.equal(columns(typeOf({ protocol: UDP })), [5, 10, 34, 6])
  assert.equal(columns(typeOf({ protocol: UDP, version: 6, tags: [DOT1Q] })), [5, 10, 58, 6])
})

test('leaves a lone frame as it is, with nothing left to the kernel', () => {
  const frame = innerFrame({ payload: Uint8Array.of(1, 2, 3) })
  const [delivered] = coalesce([frame])
  assert.equal([delivered.gsoType, delivered.csumStart, delivered.csumOffset], [0, 0, 0])
  assert.equal(delivered.frame, frame)
})

test('takes an empty list', () => {
  assert.equal(coalesce([]), [])
})

/** The frames of several flows, taken in turn. */
function inTurn(...flows: Inner[][]): Inner[] {
  return flows[0].flatMap((_, i) => flows.map((flow) => flow[i]))
}

test('joins flows that come interleaved, each to its own', () => {
  const flows = [
    neighbours({ sourcePort: 40000 }, [90, 90, 90]),
    neighbours({ sourcePort: 40001, sequence: 0xffff_ffff }, [80, 80, 80]),
    neighbours({ version: 6, source: 9 }, [70, 70, 70]),
    neighbours({ protocol: UDP, destinationPort: 53 }, [60, 60, 60]),
    neighbours({ source: 2, destination: 1, sourcePort: 443, destinationPort: 40000 }, [50, 50, 50]),
  ]
  assert.equal(
    joined(inTurn(...flows)),
    [0, 1, 2, 3, 4].map((i) => [i, i + 5, i + 10]),
  )
})

test('joins none across frames of a flow with the same addresses and ports but another protocol', () => {
  const flows = [neighbours({}, [90, 90]), neighbours({ protocol: UDP }, [90, 90])]
  assert.equal(joined(inTurn(...flows)), [[0], [1], [2], [3]])
})

test('keeps two flows apart that differ in one address or port only, and whose sequence numbers go on', () => {
  const [first, second] = neighbours({}, [90, 90])
  for (const other of [{ source: 5 }, { destination: 5 }, { sourcePort: 5 }, { destinationPort: 5 }]) {
    assert.equal(joined([first, { ...second, ...other }]), [[0], [1]])
    assert.equal(
      joined([
        { ...first, version: 6 },
        { ...second, version: 6, ...other },
      ]),
      [[0], [1]],
    )
  }
})

test('goes on across sequence number 2^32, 2^31 and IPv4 id 65535', () => {
  assert.equal(joined(neighbours({ sequence: 0xffff_ff9c }, [100, 100, 100])), [[0, 1, 2]])
  assert.equal(joined(neighbours({ sequence: 0xffff_ffaa }, [100, 100, 100])), [[0, 1, 2]])
  assert.equal(joined(neighbours({ sequence: 0x7fff_ff9c }, [100, 100, 100])), [[0, 1, 2]])
  assert.equal(joined(neighbours({ id: 0xffff }, [100, 100, 100])), [[0, 1, 2]])
  assert.equal(joined(neighbours({ id: 0xfffe, protocol: UDP }, [100, 100, 100])), [[0, 1, 2]])
})

/** Frames that all have the same IPv4 id. */
const fixed = (inner: Inner) => neighbours(inner, [100, 100, 100]).map((fields) => ({ ...fields, id: inner.id ?? 0 }))

test('joins frames with DF whose IPv4 id stays the same', () => {
  for (const protocol of [TCP, UDP]) {
    for (const id of [0, 77]) {
      const delivered = coalesce(fixed({ protocol, id }).map(innerFrame))
      assert.equal(
        delivered.map(({ members }) => members),
        [[0, 1, 2]],
      )
      const numbered = neighbours({ protocol, id }, [100, 100, 100]).map(innerFrame)
      assert.equal(delivered.flatMap(naiveKernel), numbered)
    }
  }
})

test('joins no frames without DF whose IPv4 id stays the same', () => {
  assert.equal(joined(fixed({ df: false })), [[0], [1], [2]])
})

test('joins no frames whose IPv4 ids jump, stand still after a step, or step after standing still', () => {
  const withIds = (ids: number[]) => neighbours({}, [100, 100, 100]).map((fields, i) => ({ ...fields, id: ids[i] }))
  assert.equal(joined(withIds([5, 7, 9])), [[0], [1], [2]])
  assert.equal(joined(withIds([5, 4, 3])), [[0], [1], [2]])
  assert.equal(joined(withIds([5, 6, 6])), [[0, 1], [2]])
  const delivered = coalesce(withIds([5, 5, 6]).map(innerFrame))
  assert.equal(
    delivered.map(({ members }) => members),
    [[0, 1], [2]],
  )
})

test('ends a superframe with a short one', () => {
  assert.equal(joined(neighbours({}, [100, 99, 99, 99, 98, 98])), [[0, 1], [2, 3, 4], [5]])
  assert.equal(joined(neighbours({ protocol: UDP }, [100, 99, 99])), [[0, 1], [2]])
})

test('begins anew with a longer one', () => {
  assert.equal(joined(neighbours({}, [100, 101, 101])), [[0], [1, 2]])
  assert.equal(joined(neighbours({ protocol: UDP }, [100, 101, 101])), [[0], [1, 2]])
})

/** Six neighbours, one of them with other flags. */
const flagged = (which: number, flags: number) =>
  neighbours({}, [100, 100, 100, 100, 100, 100]).map((fields, i) => (i === which ? { ...fields, flags } : fields))

for (const [name, flags] of [
  ['PSH', ACK | PSH],
  ['FIN', ACK | FIN],
  ['FIN and PSH', ACK | FIN | PSH],
] as const) {
  test(`ends a superframe with ${name}, which is kept`, () => {
    assert.equal(joined(flagged(2, flags)), [
      [0, 1, 2],
      [3, 4, 5],
    ])
    assert.equal(joined(flagged(1, flags)), [
      [0, 1],
      [2, 3, 4, 5],
    ])
    assert.equal(joined(flagged(5, flags)), [[0, 1, 2, 3, 4, 5]])
    assert.equal(joined(flagged(0, flags)), [[0], [1, 2, 3, 4, 5]])
    const [superframe] = coalesce(flagged(5, flags).map(innerFrame))
    assert.is(superframe.frame[47], flags)
  })
}

test('ends a superframe with 64 frames', () => {
  const all = [...Array(200).keys()]
  const expected = [all.slice(0, 64), all.slice(64, 128), all.slice(128, 192), all.slice(192)]
  assert.equal(joined(neighbours({}, Array(200).fill(20))), expected)
  assert.equal(joined(neighbours({ protocol: UDP, version: 6 }, Array(200).fill(20))), expected)
})

test('ends a superframe before its IP packet has more than 65535 octets', () => {
  // 40 of headers and 5 × 13099 of payload are 65535
  assert.equal(joined(neighbours({}, Array(6).fill(13099))), [[0, 1, 2, 3, 4], [5]])
  assert.equal(joined(neighbours({}, Array(6).fill(13100))), [
    [0, 1, 2, 3],
    [4, 5],
  ])
  assert.equal(joined(neighbours({}, [...Array(5).fill(13099), 1])), [[0, 1, 2, 3, 4], [5]])
  assert.equal(joined(neighbours({}, [32000, 32000, 1495, 1])), [[0, 1, 2], [3]])
  assert.equal(joined(neighbours({}, [32000, 32000, 1496])), [[0, 1], [2]])
  // 28 of headers
  assert.equal(joined(neighbours({ protocol: UDP }, [32000, 32000, 1507])), [[0, 1, 2]])
  assert.equal(joined(neighbours({ protocol: UDP }, [32000, 32000, 1508])), [[0, 1], [2]])
  // 60 of headers, all of them counted
  assert.equal(joined(neighbours({ version: 6 }, [32000, 32000, 1475])), [[0, 1, 2]])
  assert.equal(joined(neighbours({ version: 6 }, [32000, 32000, 1476])), [[0, 1], [2]])
})

test('leaves UDP alone where datagrams may not be joined, and joins TCP all the same', () => {
  const flows = inTurn(neighbours({ protocol: UDP, sourcePort: 7 }, [9, 9]), neighbours({}, [9, 9]))
  assert.equal(joined(flows, { udp: false }), [[0], [1, 3], [2]])
})

test('does not remember the list before', () => {
  const [first, second, third] = neighbours({}, [100, 100, 100])
  assert.equal(joined([first, second]), [[0, 1]])
  assert.equal(joined([third]), [[0]])
})

test.run()
