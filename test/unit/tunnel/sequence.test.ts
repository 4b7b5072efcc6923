// Which sequence numbers are delivered: each rule alone, then all of them against the naive twin. TSGRE_SEED repeats a run.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { RESTART_RUN, SequenceReceiver, SILENCE_MS } from '#tsgre/tunnel/sequence.js'
import { NaiveSequence } from '../../rig/naive/naive-sequence.js'
import { type Random, random } from '../../rig/random.js'

const MAX = 0xffff_ffff

/** A receiver that has just delivered `last`. */
function after(last: number, now = 0): SequenceReceiver {
  const receiver = new SequenceReceiver()
  assert.ok(receiver.accept(last, now))
  return receiver
}

function accepted(receiver: SequenceReceiver, numbers: readonly number[], now = 0): number[] {
  return numbers.filter((number) => receiver.accept(number >>> 0, now))
}

test('delivers numbers in order from 0', () => {
  assert.equal(accepted(new SequenceReceiver(), [0, 1, 2, 3]), [0, 1, 2, 3])
})

test('believes the first packet ever, whatever its number', () => {
  for (const first of [0, 1, 5_000_000, 0x7fff_ffff, 0x8000_0000, MAX])
    assert.ok(new SequenceReceiver().accept(first, 0))
})

test('drops a duplicate, of the newest and of older ones', () => {
  const receiver = after(9)
  assert.equal(accepted(receiver, [9, 9, 10, 9, 10]), [10])
})

test('drops late packets and passes over gaps', () => {
  assert.equal(accepted(after(100), [105, 103, 101, 106, 200, 150, 201]), [105, 106, 200, 201])
})

test('wraps from 2^32 - 1 to 0 and knows late ones across the wrap', () => {
  const receiver = after(MAX - 1)
  assert.equal(accepted(receiver, [MAX, 0, MAX, 1, MAX - 1, 2]), [MAX, 0, 1, 2])
})

test('takes half the circle ahead, less one, for newer, and from half the circle on for older', () => {
  assert.ok(after(10).accept(10 + 0x7fff_ffff, 0))
  assert.not(after(10).accept(10 + 0x8000_0000, 0))
  assert.not(after(10).accept(10 + 0x8000_0001, 0))
  assert.ok(after(0xc000_0000).accept(0x3fff_ffff, 0))
  assert.not(after(0xc000_0000).accept(0x4000_0000, 0))
})

test('believes a peer that restarts at 0 after a run of 16 consecutive numbers', () => {
  assert.is(RESTART_RUN, 16)
  const numbers = Array.from({ length: 20 }, (_, i) => i)
  assert.equal(accepted(after(5000), numbers), [15, 16, 17, 18, 19])
})

test('knows a restart from a number that wraps within the run', () => {
  const numbers = Array.from({ length: 20 }, (_, i) => (MAX - 7 + i) >>> 0)
  assert.equal(accepted(after(5000), numbers), numbers.slice(15))
})

test('begins the run again after a hole, a repeat or a delivery', () => {
  const fifteen = Array.from({ length: 15 }, (_, i) => i)
  const receiver = after(5000)
  assert.equal(accepted(receiver, [...fifteen, 16]), [], 'a hole')
  assert.equal(accepted(receiver, [...fifteen, 14]), [], 'a repeat')
  assert.equal(accepted(receiver, [...fifteen, 5001, 15]), [5001], 'a delivery')
})

test('believes any number after a second without a delivery', () => {
  assert.is(SILENCE_MS, 1000)
  assert.not(after(5000, 200).accept(0, 1199.9))
  assert.ok(after(5000, 200).accept(0, 1200))
  assert.ok(after(5000, 200).accept(5000, 1200))
})

test('counts the silence from the last delivery, not from the last packet', () => {
  const receiver = after(5000, 0)
  assert.not(receiver.accept(100, 900))
  assert.ok(receiver.accept(100, 1000))
})

test('is not restarted by lone late packets', () => {
  const receiver = after(5000)
  for (let i = 0; i < 100; i++) {
    assert.not(receiver.accept(3 * i, 0))
    assert.ok(receiver.accept(5001 + i, 0))
  }
})

/** A sender with gaps, repeats, late packets and restarts, around the interesting places of the circle. */
function nextNumber(source: Random, at: number): number {
  if (source.oneIn(200)) return [0, 0x7fff_fff0, 0x8000_0000, MAX - 3, source.word()][source.below(5)]
  if (source.oneIn(10)) return (at + source.below(40)) >>> 0
  if (source.oneIn(10)) return (at - source.below(40)) >>> 0
  return (at + 1) >>> 0
}

test('agrees with its naive twin on 300 000 random numbers', () => {
  const seed = Number(process.env.TSGRE_SEED ?? 20)
  const source = random(seed)
  const receiver = new SequenceReceiver()
  const twin = new NaiveSequence()
  let number = MAX - 100
  let now = 0
  const seen = { accepted: 0, refused: 0 }
  for (let i = 0; i < 300_000; i++) {
    number = nextNumber(source, number)
    now += source.oneIn(300) ? 990 + source.below(20) : source.below(2)
    const verdict = receiver.accept(number, now)
    assert.is(verdict, twin.accept(number, now), `seed ${seed}, packet ${i}, number ${number} at ${now} ms`)
    seen[verdict ? 'accepted' : 'refused']++
  }
  assert.ok(seen.accepted > 10_000 && seen.refused > 10_000, JSON.stringify(seen))
})

test.run()
