// What the program sees of a forwarding database that the pump fills meanwhile: a list without locks. Not a snapshot of one
// moment: what moves while it is read may be missing, or stand where it was.
// Invariant: no address is shown that was not learnt, however the pump writes: the word that names a record's holder is read
// before and after the rest.

import { FdbMemory, HIGH, LOW, PORT, RECORD, SEEN } from './fdb-memory.js'

export interface LearntAddress {
  /** `02:00:00:00:00:01` */
  readonly mac: string
  /** LOCAL (-1), or the peer's index. */
  readonly port: number
  /** Whole seconds since a frame came from it; one more at most, since not every frame renews an entry. */
  readonly age: number
}

export class FdbReader {
  readonly #table: FdbMemory

  /** @param memory of an Fdb, which may work in another thread */
  constructor(memory: SharedArrayBuffer) {
    this.#table = new FdbMemory(memory)
  }

  /** How many addresses stand behind a port, with those that were silent for too long and not looked at since. */
  count(port: number): number {
    return this.#table.counts[port + 1]
  }

  /** How many addresses are known, the same way. */
  get size(): number {
    return this.#table.counts.reduce((sum, count) => sum + count, 0)
  }

  /** All that is known at `now`, which is of the clock that the Fdb is given. */
  entries(now: number): LearntAddress[] {
    const { words, seen, ageing } = this.#table
    const found: LearntAddress[] = []
    for (let record = 0; record < words.length; record += RECORD) {
      const high = Atomics.load(words, record + HIGH)
      const low = Atomics.load(words, record + LOW)
      const port = Atomics.load(words, record + PORT)
      const silent = Math.max(0, now - seen[(record >> 1) + SEEN])
      if (high === 0 || silent >= ageing || Atomics.load(words, record + HIGH) !== high) continue
      found.push({ mac: macText(high & 0xffff, low), port, age: Math.floor(silent / 1000) })
    }
    return found
  }
}

function macText(high: number, low: number): string {
  const digits = high.toString(16).padStart(4, '0') + (low >>> 0).toString(16).padStart(8, '0')
  return digits.replace(/(..)(?!$)/g, '$1:')
}
