// Frames that nobody honest would send. Whoever reads beyond a frame comes to another result when other octets lie there:
// everything is done twice, with memory around that is all zeros and all ones.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FOUND, findLayers, layers, OTHER, UNCLEAR } from '#tsgre/offload/layers.js'
import { coalesce } from '../../rig/coalesced.js'
import { type Inner, innerFrame, TIMESTAMPS, UDP } from '../../rig/flows.js'
import { QINQ } from '../../rig/frames.js'
import { naiveKernel } from '../../rig/naive/naive-kernel.js'
import { naiveSegments } from '../../rig/naive/naive-segment.js'
import { naiveTransport } from '../../rig/naive/naive-transport.js'
import { random } from '../../rig/random.js'
import { segmentsOf } from '../../rig/segments.js'

const dice = random(41)

const SOUND: Inner[] = [
  {},
  { version: 6, options: TIMESTAMPS },
  { protocol: UDP, tags: QINQ },
  { protocol: UDP, version: 6, extensions: [[0, Array(6).fill(0)]] },
  { ipOptions: [1, 1, 1, 1], checksum: 'partial' },
]

/** Noise; or a sound frame with some octets changed, mostly among its headers, and maybe cut off anywhere. */
function garbage(): Uint8Array {
  const { below, oneIn, bytes } = dice
  if (oneIn(8)) return bytes(below(160))
  const frame = innerFrame({ ...SOUND[below(SOUND.length)], payload: bytes(below(60)) })
  for (let changes = below(4); changes > 0; changes--) frame[12 + below(frame.length - 12)] = below(256)
  return oneIn(3) ? frame.slice(0, below(frame.length + 1)) : frame
}

/** The layers of a frame between octets of `canary`, offsets counted from its start. */
function found(frame: Uint8Array, canary: number) {
  const memory = new Uint8Array(frame.length + 200).fill(canary)
  memory.set(frame, 100)
  const at = layers()
  const result = findLayers(memory, 100, 100 + frame.length, at)
  if (result !== FOUND) return result === OTHER ? 'other' : result === UNCLEAR ? 'unclear' : result
  const { version, ip, protocol, transport, payload, stop } = at
  return {
    version,
    protocol,
    ip: ip - 100,
    transport: transport - 100,
    payload: payload - 100,
    stop: stop - 100,
  }
}

test('finds the layers of 20000 garbage frames where the naive twin does, inside the frame', () => {
  const kinds = new Set()
  for (let i = 0; i < 20_000; i++) {
    const frame = garbage()
    const expected = naiveTransport(frame)
    kinds.add(typeof expected === 'string' ? expected : 'found')
    assert.equal(found(frame, 0), expected, Buffer.from(frame).toString('hex'))
    assert.equal(found(frame, 0xff), expected, Buffer.from(frame).toString('hex'))
  }
  assert.equal([...kinds].sort(), ['found', 'other', 'unclear'])
})

test('cuts 10000 garbage frames as the naive twin does, or refuses, and touches nothing beside', () => {
  let cut = 0
  for (let i = 0; i < 10_000; i++) {
    const frame = garbage()
    const asked = dice.below(40)
    const longest = dice.oneIn(2) ? 1500 : dice.below(120)
    const expected = naiveSegments(frame, asked, longest)
    const into = { align: dice.below(4), into: dice.below(4) }
    for (const canary of [0, 0xff]) assert.equal(segmentsOf(frame, { asked, longest, canary, ...into }), expected)
    if (expected) cut++
  }
  assert.ok(cut > 1000 && cut < 9000, `${cut} cut`)
})

test('takes 20000 garbage frames to put together, and touches nothing beside', () => {
  for (let i = 0; i < 200; i++) {
    const frames = Array.from({ length: 100 }, garbage)
    const longest = dice.below(200)
    const [zeros, ones] = [0, 0xff].map((canary) => coalesce(frames, { longest, canary }))
    assert.equal(members(zeros), members(ones))
    zeros.forEach((one, at) => {
      assert.ok(Buffer.compare(one.frame, ones[at].frame) === 0)
      assert.is(one.gsoType, ones[at].gsoType)
    })
  }
})

const members = (all: ReturnType<typeof coalesce>) => all.map((one) => one.members)

test('takes every truncation of a sound frame', () => {
  for (const inner of SOUND) {
    const whole = innerFrame({ ...inner, payload: dice.bytes(20) })
    for (let length = 0; length <= whole.length; length++) {
      const frame = whole.slice(0, length)
      assert.equal(found(frame, 0), naiveTransport(frame))
      assert.equal(segmentsOf(frame, { asked: 7 }), naiveSegments(frame, 7, 1 << 16))
      assert.equal(coalesce([frame, frame]).flatMap(naiveKernel).length, 2)
    }
  }
})

test.run()
