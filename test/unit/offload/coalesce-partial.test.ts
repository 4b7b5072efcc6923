// Frames whose checksum was left to hardware that was not there: the kernel of the other end, or of this one, handed them
// on with the sum of the pseudo header only, and maybe merged.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { coalesce, type Delivered } from '../../rig/coalesced.js'
import { ACK, CWR, FIN, type Inner, innerFrame, neighbours, PSH, TIMESTAMPS, UDP } from '../../rig/flows.js'
import { QINQ } from '../../rig/frames.js'
import { naiveKernel } from '../../rig/naive/naive-kernel.js'
import { naiveSegments } from '../../rig/naive/naive-segment.js'

const payload = neighbours({}, [4000])[0].payload!

function one(inner: Inner, longest = 1476): Delivered {
  const [delivered] = coalesce([innerFrame({ payload, checksum: 'partial', ...inner })], { longest })
  return delivered
}

const columns = ({ gsoType, gsoSize, csumStart, csumOffset }: Delivered) => [gsoType, gsoSize, csumStart, csumOffset]

for (const inner of [{}, { version: 6 }, { protocol: UDP }, { protocol: UDP, version: 6, tags: QINQ }] as Inner[]) {
  test(`has a short one completed: ${JSON.stringify(inner)}`, () => {
    const short = { ...inner, payload: payload.slice(0, 77) }
    const delivered = one(short)
    assert.is(delivered.gsoType, 0)
    assert.equal(naiveKernel(delivered), [innerFrame(short)])
  })
}

test('has one without payload completed', () => {
  assert.equal(naiveKernel(one({ payload: new Uint8Array() })), [innerFrame()])
})

test('has a merged one cut to the longest frame', () => {
  const inner = { options: TIMESTAMPS, flags: ACK | PSH | FIN, sequence: 0xffff_fff0, id: 0xffff }
  const delivered = one(inner)
  assert.equal(columns(delivered), [1, 1410, 34, 16])
  assert.equal(naiveKernel(delivered), naiveSegments(innerFrame({ ...inner, payload }), 1410, 1476))
})

test('has a merged one over IPv6 and behind tags cut to the longest frame', () => {
  const inner: Inner = { version: 6, tags: QINQ }
  const delivered = one(inner)
  assert.equal(columns(delivered), [4, 1476 - 82, 62, 16])
  assert.ok(naiveKernel(delivered).every((frame) => frame.length <= 1476))
})

test('cuts none that just fits', () => {
  assert.is(one({ payload: payload.slice(0, 1476 - 54) }).gsoType, 0)
  assert.is(one({ payload: payload.slice(0, 1476 - 53) }).gsoType, 1)
})

test('says of a merged one with CWR that only its first segment has it', () => {
  const delivered = one({ flags: ACK | CWR })
  assert.is(delivered.gsoType, 0x81)
  assert.equal(
    naiveKernel(delivered).map((frame) => frame[47]),
    [ACK | CWR, ACK, ACK],
  )
  assert.is(one({ flags: ACK | CWR, version: 6 }).gsoType, 0x84)
  assert.is(one({ flags: ACK | CWR, payload: payload.slice(0, 9) }).gsoType, 0)
})

test('leaves a long datagram whole, since nothing says how long its parts were', () => {
  const delivered = one({ protocol: UDP })
  assert.equal([delivered.gsoType, delivered.csumStart, delivered.csumOffset], [0, 34, 6])
  assert.equal(naiveKernel(delivered), [innerFrame({ protocol: UDP, payload })])
})

test('cuts into at least one octet where headers alone are too long', () => {
  assert.is(one({}, 20).gsoSize, 1)
})

test('leaves padding out, which the kernel would take for payload', () => {
  for (const size of [3, 4000]) {
    const inner = { payload: payload.slice(0, size) }
    const delivered = one({ ...inner, padding: [1, 2, 3] })
    assert.is(delivered.frame.length, 54 + size)
    assert.equal(naiveKernel(delivered), naiveSegments(innerFrame(inner), 1422, 1476))
  }
})

test('completes none whose IPv4 header is wrong', () => {
  for (const size of [3, 4000]) {
    const frame = innerFrame({ payload: payload.slice(0, size), checksum: 'partial' })
    frame[25] ^= 1
    const [delivered] = coalesce([frame], { longest: 1476 })
    assert.equal([delivered.gsoType, delivered.csumStart], [0, 0])
    assert.equal(delivered.frame, frame)
  }
})

test('joins nothing to one, and lets none of its flow overtake it', () => {
  const fields = neighbours({}, [100, 100, 100, 100, 100])
  const frames = fields.map((inner, i) => innerFrame({ ...inner, checksum: i === 2 ? 'partial' : 'right' }))
  const delivered = coalesce(frames)
  assert.equal(
    delivered.map(({ members }) => members),
    [[0, 1], [2], [3, 4]],
  )
  assert.equal(delivered.flatMap(naiveKernel), fields.map(innerFrame))
})

test('takes one whose checksum happens to be the sum of the pseudo header for complete', () => {
  // The packet sums to 0xffff without its field: checksum and complement of the rest are the same word.
  const without = innerFrame({ payload: Uint8Array.of(0, 0), checksum: 'none' })
  const partial = innerFrame({ payload: Uint8Array.of(0, 0), checksum: 'partial' })
  let total = 0
  for (let at = 34; at < 56; at += 2) total += Buffer.from(without).readUInt16BE(at)
  const pseudo = Buffer.from(partial).readUInt16BE(50)
  const rest = 0xffff - ((total + 2 * pseudo) % 0xffff)
  const frame = innerFrame({ payload: Uint8Array.of(rest >> 8, rest & 0xff) })
  assert.is(Buffer.from(frame).readUInt16BE(50), pseudo)
  const [delivered] = coalesce([frame])
  assert.is(delivered.csumStart, 0)
})

test.run()
