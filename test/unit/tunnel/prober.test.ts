// Two probers and a path between them, with a clock of the test's own.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ProbeBatch } from '#tsgre/tunnel/probe-batch.js'
import { Prober } from '#tsgre/tunnel/prober.js'
import { ASK, emitProbe, isProbe, LEAST_PROBE_BYTES, parseProbe, probeFrame } from '#tsgre/wire/probe-frame.js'
import { contents } from '../../rig/batches.js'
import { random } from '../../rig/random.js'

const STEP_MS = 5

const outs = new WeakMap<Prober, ProbeBatch>()

function newProber(asks: boolean): Prober {
  const out = new ProbeBatch()
  const prober = new Prober(asks, out)
  outs.set(prober, out)
  return prober
}

/** What a prober says. */
function outOf(prober: Prober): ProbeBatch {
  return outs.get(prober)!
}

/** As a conversation hands on what it takes for a probe. */
function hear(prober: Prober, frame: Uint8Array, length: number, now: number): void {
  const probe = probeFrame()
  if (parseProbe(frame, 0, length, probe)) prober.hear(probe, now)
}

/** Whether a frame arrives. */
type Way = (size: number, now: number) => boolean

class Path {
  readonly a: Prober
  readonly b: Prober
  ceiling: number
  now = 1000
  asked = 0
  /** Whether no frames are sent besides. */
  quiet = false
  way: Way
  readonly #delay: number
  readonly #flying: { at: number; to: Prober; frame: Uint8Array }[] = []

  constructor(way: Way, { ceiling = 1476, delay = 10, bAsks = false, aAsks = true } = {}) {
    this.a = newProber(aAsks)
    this.b = newProber(bAsks)
    this.ceiling = ceiling
    this.way = way
    this.#delay = delay
  }

  /** What `prober` has to say goes on its way. */
  #take(prober: Prober, to: Prober): void {
    const probe = probeFrame()
    for (const frame of contents(outOf(prober).batch)) {
      assert.ok(isProbe(frame, 0, frame.length) && parseProbe(frame, 0, frame.length, probe))
      if (prober === this.a && probe.kind === ASK) this.asked++
      if (this.way(frame.length, this.now)) this.#flying.push({ at: this.now + this.#delay, to, frame })
    }
    outOf(prober).batch.clear()
  }

  run(ms: number): this {
    for (const end = this.now + ms; this.now < end; this.now += STEP_MS) {
      for (const { to, frame } of this.#flying.filter(({ at }) => at === this.now))
        hear(to, frame, frame.length, this.now)
      for (const prober of [this.a, this.b]) {
        if (!this.quiet) prober.busy = true
        prober.tick(this.now, this.ceiling)
      }
      this.#take(this.a, this.b)
      this.#take(this.b, this.a)
    }
    return this
  }

  get limit(): number {
    return Math.min(this.a.limit, this.ceiling)
  }
}

test('finds exactly what passes, in a bounded number of questions', () => {
  const dice = random(1)
  for (let round = 0; round < 200; round++) {
    const ceiling = 100 + dice.below(9000)
    const passes = 61 + dice.below(ceiling)
    const path = new Path((size) => size <= passes, { ceiling }).run(5000)
    assert.is(path.limit, Math.min(passes, ceiling), `${passes} of ${ceiling}`)
    assert.ok(path.asked <= 200, `${path.asked} questions`)
  }
})

test('narrows while it runs, and widens again when the way does', () => {
  const path = new Path(() => true).run(2000)
  assert.is(path.a.limit, Number.POSITIVE_INFINITY)
  path.way = (size) => size <= 1300
  assert.is(path.run(4000).limit, 1300)
  path.way = () => true
  path.run(40_000)
  assert.is(path.a.limit, Number.POSITIVE_INFINITY)
})

test('has a size that passes before TCP tries for the fourth time, and it is near the best', () => {
  const dice = random(3)
  for (let round = 0; round < 100; round++) {
    const path = new Path(() => true, { delay: 5 + 5 * dice.below(4) }).run(1000 + 5 * dice.below(100))
    const passes = 600 + dice.below(800)
    path.way = (size) => size <= passes
    path.run(600)
    assert.ok(path.limit <= passes && path.limit > passes - 160, `${path.limit} of ${passes}`)
    for (let i = 0; i < 100; i++) assert.ok(path.run(20).limit > passes - 160, 'and never less')
  }
})

test('a box that came while nobody sent anything is found as soon as somebody does', () => {
  const path = new Path(() => true).run(2000)
  path.quiet = true
  path.run(1000)
  const { asked } = path
  path.way = (size) => size <= 1300
  assert.is(path.run(5000).asked, asked, 'no questions while it is quiet')
  path.quiet = false
  assert.ok(path.run(400).limit <= 1300)
})

test('an outage does not make it blind: what passes afterwards is found at once', () => {
  for (const outage of [300, 600, 1000, 5000, 50_000]) {
    const path = new Path(() => true).run(2000)
    path.way = () => false
    path.run(outage)
    path.way = (size) => size <= 1300
    path.run(1600)
    assert.ok(path.limit <= 1300, `after ${outage} ms without anything`)
  }
})

test('whom it has not heard for long is asked seldom again, and what was found out is forgotten', () => {
  const path = new Path((size) => size <= 1300).run(4000)
  path.way = () => false
  assert.is(path.run(50_000).limit, 1300)
  assert.is(path.run(20_000).a.limit, Number.POSITIVE_INFINITY)
  const { asked } = path
  path.run(60_000)
  assert.is(path.asked - asked, 6)
})

test('one octet less than fits is not for ever', () => {
  const path = new Path((size) => size <= 1475).run(4000)
  assert.is(path.limit, 1475)
  path.way = () => true
  assert.is(path.run(40_000).a.limit, Number.POSITIVE_INFINITY)
})

test('chance hardly ever makes it narrower, not even for a moment', () => {
  const dice = random(4)
  const path = new Path(() => !dice.oneIn(100)).run(1000)
  let narrow = 0
  for (let i = 0; i < 72_000; i++) if (path.run(STEP_MS).limit < path.ceiling) narrow++
  assert.ok(narrow < 72, `${narrow} of 72 000 looks, an hour in all`)
})

test('a flood of questions leaves room for its own', () => {
  const prober = newProber(true)
  const frame = new Uint8Array(64)
  for (let i = 0; i < 200; i++) {
    hear(prober, frame, emitProbe(frame, 0, { kind: ASK, size: 60, nonce0: i, nonce1: 2 }), 0)
  }
  const answers = outOf(prober).batch.count
  prober.tick(0, 1476)
  assert.is(outOf(prober).batch.count, answers + 1)
})

test('asks nothing where not even a question fits', () => {
  const path = new Path(() => true).run(2000)
  path.ceiling = 40
  const { asked } = path
  path.run(20_000)
  assert.is(path.asked, asked)
  path.ceiling = -20
  path.run(2000)
  assert.is(path.asked, asked)
})

test('what the underlay says anew is believed at first', () => {
  const path = new Path((size) => size <= 1300).run(4000)
  path.ceiling = 1400
  path.run(STEP_MS)
  assert.is(path.limit, 1400)
  assert.is(path.run(4000).limit, 1300)
})

test('learns nothing of sizes when nothing passes at all', () => {
  const path = new Path(() => true).run(2000)
  path.way = () => false
  assert.is(path.run(30_000).a.limit, Number.POSITIVE_INFINITY)
})

test('asks whom never answered once in ten seconds, in a short frame', () => {
  const sizes: number[] = []
  new Path((size) => sizes.push(size) === 0).run(60_000)
  assert.equal(sizes, Array(6).fill(LEAST_PROBE_BYTES))
})

test('a peer that asks is asked soon, and answered even where nothing is asked', () => {
  const path = new Path((_size, now) => now > 3000, { bAsks: true })
  path.run(2500)
  const other = new Path((size) => size <= 1200, { aAsks: false, bAsks: true }).run(5000)
  assert.is(other.b.limit, 1200)
  assert.is(other.a.limit, Number.POSITIVE_INFINITY)
})

test('five losses in a hundred do not leave it narrow', () => {
  const dice = random(2)
  const path = new Path(() => !dice.oneIn(20)).run(20_000)
  let narrow = 0
  for (let i = 0; i < 200; i++) if (path.run(500).a.limit < path.ceiling) narrow++
  assert.ok(narrow < 20, `${narrow} of 200 looks`)
})

test('a slow way is as good as a fast one', () => {
  for (const delay of [5, 50, 300])
    assert.is(new Path((size) => size <= 1234, { delay }).run(40_000).limit, 1234, `${delay} ms`)
})

test('believes no answer that it did not ask for, none twice, and none for another size', () => {
  const prober = newProber(true)
  prober.tick(0, 1476)
  const [hello] = contents(outOf(prober).batch)
  outOf(prober).batch.clear()
  const probe = probeFrame()
  assert.ok(parseProbe(hello!, 0, hello!.length, probe))
  const frame = new Uint8Array(64)
  const say = (fields: object, now = 1) => {
    const length = emitProbe(frame, 0, { ...probe, kind: 2, ...fields })
    hear(prober, frame, length, now)
    prober.tick(now, 1476)
    const asked = outOf(prober).batch.count
    outOf(prober).batch.clear()
    return asked
  }
  assert.is(say({ nonce0: probe.nonce0 ^ 1 }), 0)
  assert.is(say({ nonce1: probe.nonce1 ^ 1 }), 0)
  assert.is(say({ size: 1476 }), 0)
  assert.is(say({}), 2, 'the true one: sizes are asked for')
})

test('does not answer without end', () => {
  const prober = newProber(false)
  const frame = new Uint8Array(64)
  const length = emitProbe(frame, 0, { kind: ASK, size: 60, nonce0: 1, nonce1: 2 })
  let answers = 0
  for (let i = 0; i < 10_000; i++) {
    hear(prober, frame, length, 0)
    answers += outOf(prober).batch.count
    outOf(prober).batch.clear()
  }
  assert.is(answers, 100)
})

test('a frame that is no probe, or lies about its size, is not heard', () => {
  const probe = probeFrame()
  const frame = new Uint8Array(100)
  const length = emitProbe(frame, 0, { kind: ASK, size: 80, nonce0: -1, nonce1: 7 })
  assert.ok(parseProbe(frame, 0, length, probe))
  assert.equal(probe, { kind: ASK, size: 80, nonce0: -1, nonce1: 7 })
  assert.not(parseProbe(frame, 0, length - 1, probe))
  for (const at of [14, 18, 19]) {
    const other = frame.slice()
    other[at]! ^= 0x40
    assert.not(parseProbe(other, 0, length, probe), `octet ${at}`)
  }
  for (const at of [0, 5, 12, 13]) {
    const other = frame.slice()
    other[at]! ^= 1
    assert.not(isProbe(other, 0, length), `octet ${at}`)
  }
})

test.run()
