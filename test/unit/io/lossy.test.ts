// A bad underlay, made to order.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dropCounters } from '#tsgre/drops.js'
import { BATCH_ENTRIES, Batch } from '#tsgre/io/batch.js'
import { type LossyOptions, lossy } from '#tsgre/io/lossy.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import { receive, send } from '../../rig/batches.js'
import { plainFrame } from '../../rig/frames.js'
import { random } from '../../rig/random.js'

const FRAMES = Array.from({ length: 40 }, (_, i) => plainFrame(60 + i))
const sizes = (frames: readonly Uint8Array[]) => frames.map((frame) => frame.length)

/** The sizes that come out of 40 frames of 60 to 99 bytes. */
function through(options: LossyOptions, frames = FRAMES): number[] {
  const [a, b] = memoryPorts()
  const spoilt = lossy(b, options)
  send(a, frames)
  return sizes(receive(spoilt))
}

/** Numbers from 0 up to 1, the same for each seed. */
function seeded(seed: number): () => number {
  const source = random(seed)
  return () => source.word() / 2 ** 32
}

test('changes nothing when it is asked for nothing', () => {
  assert.equal(through({}), sizes(FRAMES))
})

test('loses about its share and keeps the order of the rest', () => {
  const left = through({ lose: 0.5, random: seeded(1) })
  assert.ok(left.length > 10 && left.length < 30, `${left.length} of 40`)
  assert.equal(
    left,
    [...left].sort((a, b) => a - b),
  )
  assert.is(new Set(left).size, left.length)
})

test('swaps neighbours and loses none', () => {
  const left = through({ swap: 0.3, random: seeded(2) })
  assert.is.not(left.join(), sizes(FRAMES).join())
  assert.equal(
    [...left].sort((a, b) => a - b),
    sizes(FRAMES),
  )
})

test('repeats entries at the end of their batch, byte for byte', () => {
  const [a, b] = memoryPorts()
  const spoilt = lossy(b, { repeat: 1 })
  send(a, FRAMES.slice(0, 10))
  const frames = FRAMES.slice(0, 10)
  assert.equal(receive(spoilt), [...frames, ...frames])
})

test('never fills a batch beyond its capacity', () => {
  const [a, b] = memoryPorts()
  const batch = new Batch()
  send(a, [...FRAMES, ...FRAMES])
  assert.is(lossy(b, { repeat: 1 }).read(batch, dropCounters()), BATCH_ENTRIES)
  assert.is(batch.count, BATCH_ENTRIES)
})

test('is the same for the same random numbers', () => {
  const options = () => ({ lose: 0.1, repeat: 0.1, swap: 0.1, random: seeded(3) })
  assert.equal(through(options()), through(options()))
  assert.is.not(through({ ...options(), random: seeded(4) }).join(), through(options()).join())
})

test('leaves writes alone', () => {
  const [a, b] = memoryPorts()
  send(lossy(a, { lose: 1, swap: 1, repeat: 1 }), FRAMES)
  assert.equal(receive(b), FRAMES)
})

test('passes on descriptor, MTU, watching and closing', () => {
  const [a, b] = memoryPorts(900)
  const spoilt = lossy(b, {})
  assert.equal([spoilt.fd, spoilt.mtu], [-1, 900])
  let woken = 0
  spoilt.watch?.(() => woken++)
  send(a, FRAMES.slice(0, 1))
  assert.is(woken, 1)
  spoilt.close()
  send(a, FRAMES.slice(0, 1))
  assert.is(woken, 1)
  assert.is('watch' in lossy({ ...spoilt, fd: 3, watch: undefined as never }, {}), false)
})

test('wakes again after a batch of which nothing was left, so that the rest is read', () => {
  const [a, b] = memoryPorts()
  let lose = 1
  const spoilt = lossy(b, { lose: 0.5, random: () => (lose === 1 ? 0 : 1) })
  let woken = 0
  spoilt.watch?.(() => woken++)
  send(
    a,
    Array.from({ length: 70 }, (_, i) => plainFrame(60 + i)),
  )
  woken = 0
  assert.is(spoilt.read(new Batch(), dropCounters()), 0)
  assert.is(woken, 1)
  lose = 0
  assert.equal(sizes(receive(spoilt)), [124, 125, 126, 127, 128, 129])
})

test.run()
