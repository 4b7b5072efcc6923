// The numbers that others build on, and the two moves of an entry.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BATCH_ENTRIES, Batch, HEADROOM, SLOT_BYTES } from '#tsgre/io/batch.js'
import { fill } from '../../rig/batches.js'
import { plainFrame } from '../../rig/frames.js'

test('has headroom for the longest GRE header behind an IPv6 header, and slots for the largest packet', () => {
  assert.ok(HEADROOM >= 40 + 16)
  assert.ok(SLOT_BYTES >= HEADROOM + 65535)
  assert.is(HEADROOM % 64, 0)
  assert.is(SLOT_BYTES % 64, 0)
})

test('spreads its slots over the cache sets: no power of two between them', () => {
  assert.is.not(SLOT_BYTES & (SLOT_BYTES - 1), 0)
})

test('has one run of memory for all its slots', () => {
  const batch = new Batch(3)
  assert.is(batch.capacity, 3)
  assert.is(batch.memory.bytes.length, 3 * SLOT_BYTES)
  assert.is(new Batch().capacity, BATCH_ENTRIES)
})

test('advances over an entry and counts it and its bytes', () => {
  const batch = fill(new Batch(4), [plainFrame(60), plainFrame(100)])
  batch.advance()
  assert.equal([batch.head, batch.sent, batch.sentBytes], [1, 1, 60])
  batch.advance()
  assert.equal([batch.head, batch.sent, batch.sentBytes], [2, 2, 160])
})

test('clears its entries, not what was sent', () => {
  const batch = fill(new Batch(4), [plainFrame(60)])
  batch.advance()
  batch.clear()
  assert.equal([batch.head, batch.count, batch.sent, batch.sentBytes], [0, 0, 1, 60])
})

test('keeps an entry as another with all its columns', () => {
  const batch = new Batch(4)
  const columns = [batch.offset, batch.length, batch.tos, batch.ttl, batch.fragment, batch.peer]
  columns.forEach((column, index) => {
    column[3] = index + 1
  })
  batch.keep(3, 1)
  assert.equal(
    columns.map((column) => column[1]),
    [1, 2, 3, 4, 5, 6],
  )
})

test.run()
