// Two ports joined in memory: order, room, waking.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP, dropCounters } from '#tsgre/drops.js'
import { BATCH_ENTRIES, Batch } from '#tsgre/io/batch.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import { contents, fill, receive, send } from '../../rig/batches.js'
import { plainFrame } from '../../rig/frames.js'

const RING = 4 * BATCH_ENTRIES

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => plainFrame(60, from + i))

test('carries what one end writes to the other, both ways, in order, byte for byte', () => {
  const [a, b] = memoryPorts()
  const there = [14, 60, 1500, 1628].map((size) => plainFrame(size))
  const back = [1628, 15].map((size) => plainFrame(size))
  assert.is(send(a, there), 4)
  assert.is(send(b, back), 2)
  assert.equal(receive(b), there)
  assert.equal(receive(a), back)
  assert.equal(receive(a), [])
})

test('hands out owned bytes: what is written later does not change what was read', () => {
  const [a, b] = memoryPorts()
  const batch = new Batch()
  send(a, numbered(1))
  b.read(batch, dropCounters())
  send(a, numbered(3, 7))
  assert.equal(contents(batch), numbered(1))
})

test('reads a batch at most at a time', () => {
  const [a, b] = memoryPorts()
  const frames = numbered(BATCH_ENTRIES + 3)
  send(a, frames)
  assert.equal(receive(b, 1), frames.slice(0, BATCH_ENTRIES))
  assert.equal(receive(b, 1), frames.slice(BATCH_ENTRIES))
})

test('keeps who an entry came from', () => {
  const [a, b] = memoryPorts()
  const batch = new Batch()
  send(a, numbered(1), -1)
  send(a, numbered(1), 3)
  b.read(batch, dropCounters())
  assert.equal([...batch.peer.subarray(0, 2)], [-1, 3])
})

test('leaves head short of count when it is full, and loses nothing', () => {
  const [a, b] = memoryPorts()
  const frames = numbered(RING + BATCH_ENTRIES)
  assert.is(send(a, frames), RING)
  const batch = fill(new Batch(), frames.slice(RING))
  const drops = dropCounters()
  a.write(batch, drops)
  assert.equal([batch.head, batch.count, batch.sent], [0, BATCH_ENTRIES, 0])
  assert.equal(receive(b, 1), frames.slice(0, BATCH_ENTRIES))
  a.write(batch, drops)
  assert.equal([batch.head, batch.sent, batch.sentBytes], [BATCH_ENTRIES, BATCH_ENTRIES, 60 * BATCH_ENTRIES])
  assert.equal(receive(b), frames.slice(BATCH_ENTRIES))
  assert.ok(drops.every((count) => count === 0))
})

test('takes part of a batch when there is room for part of it', () => {
  const [a, b] = memoryPorts()
  const frames = numbered(RING - 10)
  send(a, frames)
  const more = numbered(BATCH_ENTRIES, 1000)
  const batch = fill(new Batch(), more)
  a.write(batch, dropCounters())
  assert.equal([batch.head, batch.sent], [10, 10])
  assert.equal(receive(b), [...frames, ...more.slice(0, 10)])
  a.write(batch, dropCounters())
  assert.equal(receive(b), more.slice(10))
})

test('stays in order around its ring many times', () => {
  const [a, b] = memoryPorts()
  for (let round = 0; round < 40; round++) {
    const frames = numbered(17 + round, 100 * round)
    send(a, frames)
    assert.equal(receive(b), frames)
  }
})

test('drops what is larger than its slots as too-big, and carries the rest', () => {
  const [a, b] = memoryPorts(1000)
  const batch = fill(new Batch(), [plainFrame(1129), plainFrame(1128), plainFrame(2000), plainFrame(60)])
  const drops = dropCounters()
  a.write(batch, drops)
  assert.is(drops[DROP['too-big']], 2)
  assert.equal([batch.head, batch.sent, batch.sentBytes], [4, 2, 1188])
  assert.equal(receive(b), [plainFrame(1128), plainFrame(60)])
})

test('carries the largest packets when its MTU says so', () => {
  const [a, b] = memoryPorts(65535)
  send(a, [plainFrame(65535)])
  assert.equal(receive(b), [plainFrame(65535)])
})

test('wakes the reader when there is something, and the writer when there is room again', () => {
  const [a, b] = memoryPorts()
  const woken: string[] = []
  a.watch?.(() => woken.push('a'))
  b.watch?.(() => woken.push('b'))
  send(a, numbered(1))
  assert.equal(woken.splice(0), ['b'])
  receive(b)
  assert.equal(woken.splice(0), ['a'])
  receive(b)
  assert.equal(woken, [], 'nothing was read')
  b.close()
  send(a, numbered(1))
  assert.equal(woken, [], 'it is closed')
})

test('has no descriptor, and the MTU it was given', () => {
  for (const port of memoryPorts(9000)) assert.equal([port.fd, port.mtu], [-1, 9000])
  for (const port of memoryPorts()) assert.equal([port.fd, port.mtu], [-1, 1500])
})

test.run()
