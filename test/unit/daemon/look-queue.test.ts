// Which looks wait, and how many of a kind.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LookQueue } from '#tsgre/daemon/look-queue.js'

/** A kind of look that ends when it is told to, and says when it begins. */
function kind(told: string[], name: string) {
  const ends: (() => void)[] = []
  const look = () => {
    told.push(name)
    return new Promise<void>((resolve) => ends.push(resolve))
  }
  const end = async () => {
    ends.shift()!()
    await new Promise(setImmediate)
  }
  return { look, end }
}

test('a kind that waits already does not wait twice, and waits behind the one of it that is under way', async () => {
  const queue = new LookQueue()
  const told: string[] = []
  const [all, quiet] = [kind(told, 'all'), kind(told, 'quiet')]
  queue.add(all.look)
  await new Promise(setImmediate)
  for (let i = 0; i < 100; i++) for (const { look } of [quiet, all]) queue.add(look)
  assert.equal(told, ['all'], 'one at a time')
  await all.end()
  await quiet.end()
  await all.end()
  assert.equal(told, ['all', 'quiet', 'all'])
  queue.add(all.look)
  await new Promise(setImmediate)
  assert.is(told.length, 4, 'what has ended may come again')
})

test('stop waits for the one that is under way, and none begins behind it', async () => {
  const queue = new LookQueue()
  const told: string[] = []
  const [all, quiet] = [kind(told, 'all'), kind(told, 'quiet')]
  queue.add(all.look)
  queue.add(quiet.look)
  await new Promise(setImmediate)
  const stopped = queue.stop().then(() => told.push('stopped'))
  await new Promise(setImmediate)
  assert.equal(told, ['all'])
  await all.end()
  await stopped
  queue.add(all.look)
  await new Promise(setImmediate)
  assert.equal(told, ['all', 'stopped'])
})

test.run()
