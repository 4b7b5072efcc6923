// No garbage collection in a million frames of a storm: moves, probes of others from the LAN and from peers, own ones that return.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LoopGuard } from '#tsgre/tunnel/loop-guard.js'
import { emitLoopProbe, loopProbe } from '#tsgre/wire/loop-probe.js'
import { steadyCollections } from '../rig/collections.js'
import { withFlags } from '../rig/reexec.js'

withFlags(import.meta.url, '--max-semi-space-size=1')

const FRAMES = 1_000_000
const BATCH = 64

class Storm {
  readonly guard = new LoopGuard(Int32Array.of(-5, 5))
  readonly #own = new Uint8Array(60)
  readonly #other = new Uint8Array(60)
  #now = 0.25
  carried = 0

  constructor() {
    emitLoopProbe(this.#other, 0, { ...loopProbe(), sender0: -7, nonce0: -1 })
  }

  run(frames: number): void {
    for (let i = 0; i < frames; i += BATCH) {
      this.#batch(this.#now)
      this.#now += 1
      this.guard.alarms.length = 0
    }
  }

  #batch(now: number): void {
    const { guard } = this
    for (let i = 0; i < BATCH; i += 4) {
      guard.moved(i, now)
      guard.moved(127, now)
      guard.heard(this.#own, 0, 60, 1, now)
      guard.heard(this.#other, 0, 60, 2, now)
      if (guard.carries(this.#other, 0, 60, now)) this.carried++
    }
    if (now < guard.next) return
    guard.tick(now)
    if (guard.batch.count === 0) return
    for (let i = 0; i < 60; i++) this.#own[i] = guard.batch.memory.bytes[i]!
    guard.batch.clear()
  }
}

test('guards through a million frames of a storm without a collection', async () => {
  const storm = new Storm()
  assert.is(await steadyCollections(FRAMES, (times) => storm.run(times)), 0)
  assert.is(storm.guard.blocked[1], 1)
  assert.ok(storm.carried > 100)
})

test.run()
