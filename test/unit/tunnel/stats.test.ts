// The counters that two threads share.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP, DROP_REASONS } from '#tsgre/drops.js'
import { Counters, dropsThatHappened } from '#tsgre/tunnel/stats.js'

function fresh(): Counters {
  const counters = new Counters()
  counters.reset()
  return counters
}

test('starts with zeros under every name', () => {
  const { drops, ...rest } = fresh().snapshot()
  assert.equal(Object.keys(drops), [...DROP_REASONS])
  assert.ok(Object.values(drops).every((count) => count === 0))
  assert.equal(rest, { txFrames: 0, txBytes: 0, rxFrames: 0, rxBytes: 0, lastWrongKey: undefined, segmentRefused: 0 })
})

test('keeps the two directions apart', () => {
  const counters = fresh()
  counters.addTx(2, 120)
  counters.addRx(3, 4000)
  counters.addTx(1, 60)
  const { txFrames, txBytes, rxFrames, rxBytes } = counters.snapshot()
  assert.equal([txFrames, txBytes, rxFrames, rxBytes], [3, 180, 3, 4000])
})

test('counts exactly beyond 2^32 and 2^52', () => {
  const counters = fresh()
  counters.addRx(2 ** 32, 2 ** 52)
  counters.addRx(1, 1)
  assert.is(counters.snapshot().rxFrames, 2 ** 32 + 1)
  assert.is(counters.snapshot().rxBytes, 2 ** 52 + 1)
})

test('counts each drop under its own name', () => {
  const counters = fresh()
  DROP_REASONS.forEach((reason, index) => {
    counters.drops[DROP[reason]] += index + 1
  })
  const { drops } = counters.snapshot()
  assert.equal(
    Object.values(drops),
    DROP_REASONS.map((_, index) => index + 1),
  )
})

test('tells key 0, key 4294967295 and no key at all apart', () => {
  const counters = fresh()
  const shown = (present: boolean, key: number) => {
    counters.peers.noteWrongKey(0, present, key | 0, 1)
    return counters.snapshot().lastWrongKey
  }
  assert.is(shown(true, 0), 0)
  assert.is(shown(true, 0xffff_ffff), 0xffff_ffff)
  assert.is(shown(false, 0), 'none')
})

test('is seen by whoever wraps the same memory', () => {
  const counters = fresh()
  const other = new Counters(counters.memory)
  counters.addTx(5, 500)
  counters.drops[DROP.loop]++
  counters.peers.noteWrongKey(0, true, 43, 1)
  assert.equal(other.snapshot(), counters.snapshot())
  assert.is(other.snapshot().drops.loop, 1)
})

test('gives snapshots that stand still', () => {
  const counters = fresh()
  const before = counters.snapshot()
  counters.addTx(1, 60)
  counters.drops[DROP.checksum]++
  assert.is(before.txFrames, 0)
  assert.is(before.drops.checksum, 0)
})

test('lists only the drops that happened, most first', () => {
  const counters = fresh()
  counters.drops[DROP.truncated] = 2
  counters.drops[DROP.loop] = 7
  assert.equal(dropsThatHappened(counters.snapshot()), [
    ['loop', 7],
    ['truncated', 2],
  ])
})

test.run()
