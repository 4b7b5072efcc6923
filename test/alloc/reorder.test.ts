// No garbage collection in a million packets through the receiver of sequence numbers: in order, out of order, lost, too many,
// around 2^31 and 2^32.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HOLD, NOTHING, Reorder } from '#tsgre/tunnel/reorder.js'
import { steadyCollections } from '../rig/collections.js'
import { withFlags } from '../rig/reexec.js'

withFlags(import.meta.url, '--max-semi-space-size=1')

const PACKETS = 1_000_000
const BATCH = 64
/** How often, of what comes, a packet is delivered, held, or neither. */
const seen = new Float64Array(3)

class Flow {
  readonly #reorder: Reorder
  readonly #number: Int32Array
  #now = 0.25

  constructor(first: number, reorder = new Reorder()) {
    this.#reorder = reorder
    this.#number = Int32Array.of(first)
  }

  /** Blocks of eight packets, turned by what `turn` says: 0 leaves them in order. */
  collections(turn: number, lost: number): Promise<number> {
    return steadyCollections(PACKETS, (times) => {
      for (let i = 0; i < times; i += BATCH) {
        this.#batch(turn, lost, this.#now)
        this.#now += 4
      }
    })
  }

  #batch(turn: number, lost: number, now: number): void {
    for (let i = 0; i < BATCH; i++) {
      if (i < lost) continue
      this.#take((this.#number[0] + (i ^ turn)) | 0, now)
    }
    this.#number[0] += BATCH
    if (this.#reorder.due(now) > 1e6) seen[2]++
  }

  #take(number: number, now: number): void {
    const verdict = this.#reorder.accept(number, now)
    if (verdict >= HOLD) seen[1]++
    else if (verdict === 0) seen[0]++
    while (this.#reorder.next(now) !== NOTHING) seen[0]++
  }
}

const CIRCLES = [0, 0x7ff8_0000, 0xfff8_0000]

test('delivers a million packets in order without a collection', async () => {
  for (const first of CIRCLES) assert.is(await new Flow(first).collections(0, 0), 0)
})

test('puts a million packets into order without a collection', async () => {
  for (const first of CIRCLES) assert.is(await new Flow(first).collections(63, 0), 0)
  for (const first of CIRCLES) assert.is(await new Flow(first).collections(5, 0), 0)
})

test('gives gaps up, by time and by number, without a collection', async () => {
  for (const first of CIRCLES) assert.is(await new Flow(first).collections(0, 1), 0)
  for (const first of CIRCLES) assert.is(await new Flow(first, new Reorder(8, 10)).collections(63, 9), 0)
  assert.ok(seen[0]! > 5 * PACKETS && seen[1]! > PACKETS)
})

test.run()
