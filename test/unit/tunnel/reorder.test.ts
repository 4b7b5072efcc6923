// Which sequence numbers are delivered, and in what order: each rule alone, then all of them against the naive twin, then what
// must hold whatever a network does. TSGRE_SEED repeats a run.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DELIVER, DROPPED, HOLD, NOTHING, REORDER_MS, RESTART_RUN, Reorder, SILENCE_MS } from '#tsgre/tunnel/reorder.js'
import { NaiveReorder } from '../../rig/naive/naive-reorder.js'
import { type Random, random } from '../../rig/random.js'

const MAX = 0xffff_ffff
const HALF = 0x8000_0000

/** What the caller does: keeps packets in slots, and delivers. */
class Receiver {
  readonly reorder: Reorder
  readonly #slots: (number | undefined)[]

  constructor(packets?: number, ms?: number) {
    this.reorder = new Reorder(packets, ms)
    this.#slots = Array(this.reorder.slots).fill(undefined)
  }

  /** Numbers delivered because `sequence` came. */
  take(sequence: number, now = 0, fits = true): number[] {
    const verdict = this.reorder.accept(sequence, now, fits)
    if (verdict >= HOLD) {
      assert.ok(verdict - HOLD < this.reorder.slots, `slot ${verdict - HOLD}`)
      assert.is(this.#slots[verdict - HOLD], undefined, 'a slot in use was given away')
      this.#slots[verdict - HOLD] = sequence >>> 0
    }
    return [...(verdict === DELIVER ? [sequence >>> 0] : []), ...this.wait(now)]
  }

  /** Numbers delivered because it is `now`. */
  wait(now: number): number[] {
    const out: number[] = []
    for (let slot = this.reorder.next(now); slot !== NOTHING; slot = this.reorder.next(now)) {
      assert.type(this.#slots[slot], 'number', 'an empty slot was named')
      out.push(this.#slots[slot]!)
      this.#slots[slot] = undefined
    }
    return out
  }

  takeAll(numbers: readonly number[], now = 0): number[] {
    return numbers.flatMap((number) => this.take(number, now))
  }
}

/** A receiver that delivered `last` at 0 ms. */
function after(last: number, packets?: number, ms?: number): Receiver {
  const receiver = new Receiver(packets, ms)
  receiver.take((last - 1) >>> 0, -1000)
  receiver.wait(0)
  assert.equal(receiver.take(last), [last])
  return receiver
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => (from + i) >>> 0)
}

test('delivers numbers in order from 0', () => {
  assert.equal(new Receiver().takeAll([0, 1, 2, 3]), [0, 1, 2, 3])
})

test('puts swapped packets into order, each as soon as its turn comes', () => {
  const receiver = after(9)
  assert.equal(receiver.take(11), [])
  assert.equal(receiver.take(13), [])
  assert.equal(receiver.take(10), [10, 11])
  assert.equal(receiver.take(12), [12, 13])
  assert.is(receiver.reorder.count, 0)
})

test('puts the first packets ever into order, too', () => {
  assert.equal(new Receiver().takeAll([2, 1, 3, 0]), [0, 1, 2, 3])
})

test('believes the first packet ever, whatever its number', () => {
  for (const first of [0, 1, 5_000_000, HALF - 1, HALF, MAX]) {
    const receiver = new Receiver()
    assert.equal([...receiver.take(first, 0), ...receiver.wait(REORDER_MS)], [first])
  }
})

test('drops duplicates of what was delivered and of what is held', () => {
  const receiver = after(9)
  assert.equal(receiver.takeAll([9, 11, 11, 9, 13, 11, 13, 10, 10, 11, 12]), [10, 11, 12, 13])
})

test('gives a gap up when the first behind it has waited for the time given, not sooner', () => {
  const receiver = after(0, 8, 10)
  assert.equal(receiver.take(2, 5), [])
  assert.is(receiver.reorder.due(5), 10)
  assert.equal(receiver.take(4, 9), [])
  assert.equal(receiver.wait(14.99), [])
  assert.is(receiver.reorder.due(14), 1)
  assert.equal(receiver.wait(15), [2])
  assert.is(receiver.reorder.due(15), 4)
  assert.equal(receiver.wait(19), [4])
  assert.is(receiver.reorder.due(19), Number.POSITIVE_INFINITY)
  assert.equal(receiver.take(3, 19), [])
  assert.equal(receiver.take(5, 19), [5])
})

test('what has waited long enough takes along all that stands before it', () => {
  const receiver = after(0, 8, 10)
  receiver.take(6, 0)
  receiver.take(3, 8)
  receiver.take(9, 8)
  assert.equal(receiver.wait(10), [3, 6])
  assert.equal(receiver.wait(18), [9])
})

test('gives the gap before the first held up when there are too many', () => {
  const receiver = after(0, 3)
  assert.equal(receiver.takeAll([5, 3, 9]), [])
  assert.equal(receiver.take(7), [3])
  assert.equal(receiver.take(8), [5])
  assert.equal(receiver.take(4), [], 'the gap was given up')
  assert.equal(receiver.take(6), [6, 7, 8, 9])
})

test('a packet that comes before all others when there are too many goes out itself', () => {
  const receiver = after(0, 3)
  assert.equal(receiver.takeAll([5, 7, 9]), [])
  assert.equal(receiver.take(3), [3])
  assert.equal(receiver.take(4), [4, 5])
})

test('a packet that fits in no slot is delivered at once, behind all that is older', () => {
  const receiver = after(0)
  assert.equal(receiver.takeAll([3, 5, 8]), [])
  assert.equal(receiver.take(7, 0, false), [3, 5, 7, 8])
  assert.equal(receiver.take(9, 0, false), [9])
})

test('passes over gaps at once where nothing is to be held', () => {
  const receiver = after(100, 0)
  assert.equal(receiver.takeAll([105, 103, 101, 106, 200, 150, 201]), [105, 106, 200, 201])
  assert.is(receiver.reorder.slots, 0)
})

test('holds nothing for longer than no time', () => {
  assert.equal(after(100, 64, 0).takeAll([105, 103, 106, 200, 201]), [105, 106, 200, 201])
})

test('wraps from 2^32 - 1 to 0 and from 2^31 - 1 to 2^31 with packets out of order', () => {
  for (const wrap of [0, HALF]) {
    const receiver = after((wrap - 4) >>> 0)
    const numbers = [wrap - 2, wrap, wrap - 3, wrap + 2, wrap - 1, wrap + 1, wrap - 1].map((number) => number >>> 0)
    assert.equal(receiver.takeAll(numbers), range(wrap - 3, wrap + 2))
  }
})

test('half the circle ahead is newer, one more is older: RFC 2890 names 2^31 - 1 preceding values', () => {
  for (const last of [5, HALF + 5]) {
    assert.is(after(last, 0).reorder.accept(last + HALF, 0), DELIVER)
    assert.is(after(last, 0).reorder.accept(last + HALF + 1, 0), DROPPED)
    assert.ok(after(last).reorder.accept(last + HALF, 0) >= HOLD)
    assert.is(after(last).reorder.accept(last + HALF + 1, 0), DROPPED)
  }
})

test(`believes a restarted peer after ${RESTART_RUN} numbers in a row, and not one sooner`, () => {
  for (const start of [0, 17]) {
    const out = after(5000).takeAll(range(start, start + RESTART_RUN))
    assert.equal(out, [start + RESTART_RUN - 1, start + RESTART_RUN])
  }
  const broken = range(0, RESTART_RUN - 2)
  assert.equal(after(5000).takeAll([...broken, 100, ...broken]), [])
})

test('a restart lets what is held go out first', () => {
  const receiver = after(5000)
  assert.equal(receiver.takeAll([5003, 5002, 5009]), [])
  assert.equal(receiver.takeAll(range(0, RESTART_RUN - 1)), [5002, 5003, 5009, RESTART_RUN - 1])
  assert.equal(receiver.take(RESTART_RUN), [RESTART_RUN])
})

test('a restart with all slots in use loses nothing', () => {
  const receiver = after(5000, 2, 500)
  receiver.takeAll([5004, 5002])
  assert.equal(receiver.takeAll(range(0, RESTART_RUN - 1)), [5002, 5004, RESTART_RUN - 1])
})

test(`believes any number after ${SILENCE_MS} ms of silence, and a packet that is held breaks it`, () => {
  const receiver = after(5000)
  assert.equal(receiver.take(100, SILENCE_MS - 1), [])
  assert.equal(receiver.take(100, SILENCE_MS), [100])
  const waiting = after(5000, 8, 1000)
  waiting.take(5002, SILENCE_MS - 1)
  assert.equal(waiting.take(100, SILENCE_MS + 1), [])
})

test('is not restarted by lone late packets', () => {
  const receiver = after(5000)
  for (let i = 0; i < 100; i++) {
    assert.equal(receiver.take(3 * i), [])
    assert.equal(receiver.take(5001 + i), [5001 + i])
  }
})

/** A sender with gaps, repeats, late packets and restarts, around the interesting places of the circle. */
function nextNumber(source: Random, at: number): number {
  if (source.oneIn(200)) return [0, HALF - 16, HALF, MAX - 3, source.word(), at + HALF][source.below(6)]! >>> 0
  if (source.oneIn(6)) return (at + source.below(40)) >>> 0
  if (source.oneIn(6)) return (at - source.below(40)) >>> 0
  return (at + 1) >>> 0
}

test('agrees with its naive twin on 250 000 random numbers', () => {
  const seed = Number(process.env.TSGRE_SEED ?? 40)
  const source = random(seed)
  for (const [packets, ms] of [
    [0, 10],
    [1, 10],
    [5, 3],
    [64, 10],
    [256, 1000],
  ] as const) {
    const receiver = new Receiver(packets, ms)
    const twin = new NaiveReorder(packets, ms)
    let number = MAX - 100
    let now = 0
    let delivered = 0
    for (let i = 0; i < 50_000; i++) {
      number = nextNumber(source, number)
      now += source.oneIn(300) ? 990 + source.below(20) : source.below(2)
      const about = `seed ${seed}, ${packets} for ${ms} ms, packet ${i}, number ${number} at ${now} ms`
      if (source.oneIn(3)) assert.equal(receiver.wait(now), twin.next(now), about)
      const out = receiver.take(number, now)
      assert.equal(out, twin.accept(number, now), about)
      assert.is(receiver.reorder.due(now), twin.dueAt - now, about)
      delivered += out.length
    }
    assert.ok(delivered > 8000, `${delivered} delivered`)
  }
})

interface Flying {
  at: number
  sequence: number
}

/** Packets `first`… on their way: some lost, some twice, some late by up to `jitter` ms. */
function fly(source: Random, first: number, count: number, jitter: number): Flying[] {
  const flying: Flying[] = []
  for (let i = 0; i < count; i++) {
    if (source.oneIn(50)) continue
    const late = source.oneIn(5) ? source.below(jitter + 1) : 0
    flying.push({ at: i + late, sequence: (first + i) >>> 0 })
    if (source.oneIn(50)) flying.push({ at: i + source.below(60), sequence: (first + i) >>> 0 })
  }
  return flying.sort((a, b) => a.at - b.at)
}

test('delivers each packet once at most, in order, none later than allowed, and all that were late by less', () => {
  const seed = Number(process.env.TSGRE_SEED ?? 41)
  const source = random(seed)
  for (let round = 0; round < 60; round++) {
    const first = [0, MAX - 500, HALF - 500, source.word()][round % 4]!
    const [packets, ms] = [1 + source.below(256), 1 + source.below(40)]
    const jitter = source.below(30)
    const receiver = after((first - 1) >>> 0, packets, ms)
    const arrived = new Map<number, number>()
    const out: number[] = []
    const note = (numbers: number[], now: number) => {
      for (const number of numbers) assert.ok(now - arrived.get(number)! <= ms, `held ${number} for too long`)
      out.push(...numbers.map((number) => (number - first) >>> 0))
    }
    const flying = fly(source, first, 2000, jitter)
    for (const { at, sequence } of flying) {
      for (let due = receiver.reorder.due(0); due <= at; due = receiver.reorder.due(0)) note(receiver.wait(due), due)
      if (!arrived.has(sequence)) arrived.set(sequence, at)
      note(receiver.take(sequence, at), at)
    }
    for (let due = receiver.reorder.due(0); due < 1e9; due = receiver.reorder.due(0)) note(receiver.wait(due), due)
    const about = `seed ${seed}, round ${round}: ${packets} for ${ms} ms, ${jitter} ms late`
    for (let i = 1; i < out.length; i++) assert.ok(out[i - 1]! < out[i]!, `${about}: ${out[i]} after ${out[i - 1]}`)
    if (jitter < ms && jitter + 2 < packets) assert.is(out.length, arrived.size, about)
  }
})

test.run()
