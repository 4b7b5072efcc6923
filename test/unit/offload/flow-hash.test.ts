import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { flowHash, pairHash } from '#tsgre/offload/flow-hash.js'
import { FOUND, findLayers, layers } from '#tsgre/offload/layers.js'
import { type Inner, innerFrame, UDP } from '../../rig/flows.js'
import { QINQ } from '../../rig/frames.js'

/** The hash of a frame that begins `shift` octets into its memory. */
function hash(inner: Inner, shift = 0): number {
  const frame = Uint8Array.from([...Array(shift).fill(0xee), ...innerFrame(inner)])
  const at = layers()
  assert.is(findLayers(frame, shift, frame.length, at), FOUND)
  return flowHash(frame, at)
}

test('is the same for all packets of a flow, wherever they lie', () => {
  const expected = hash({})
  const same: Inner[] = [
    { sequence: 1, id: 1, flags: 2, ttl: 1, tos: 1 },
    { payload: Uint8Array.of(1) },
    { tags: QINQ },
  ]
  for (const inner of [...same, { ipOptions: [1, 1, 1, 1] }]) assert.is(hash(inner, 3), expected)
})

test('is another for another address or port', () => {
  for (const inner of [{}, { version: 6 }, { protocol: UDP }] as Inner[]) {
    for (const other of [{ source: 7 }, { destination: 7 }, { sourcePort: 7 }, { destinationPort: 7 }]) {
      assert.is.not(hash({ ...inner, ...other }), hash(inner))
    }
  }
})

/** How many fall into the fullest of 64 places by the upper six bits. */
function fullest(hashes: number[]): number {
  const places = Array(64).fill(0)
  for (const value of hashes) places[value >>> 26]++
  return Math.max(...places)
}

test('spreads 640 flows over 64 places in their upper bits', () => {
  const many = Array.from({ length: 640 }, (_, i) => i)
  assert.ok(fullest(many.map((i) => hash({ sourcePort: 32768 + i }))) <= 30, 'ports')
  assert.ok(fullest(many.map((i) => hash({ source: i % 256, destination: i >> 8 }))) <= 30, 'addresses')
  assert.ok(fullest(many.map((i) => hash({ version: 6, source: i % 256, sourcePort: i }))) <= 30, 'both')
})

test('tells pairs of hardware addresses apart', () => {
  const frame = innerFrame({})
  const other = innerFrame({ sourceMac: [2, 0, 0, 0, 0, 9] })
  assert.is.not(pairHash(frame, 0), pairHash(other, 0))
  assert.is(pairHash(Uint8Array.from([1, ...frame]), 1), pairHash(frame, 0))
})

test.run()
