// The receiver of sequence numbers the obvious way: plain arithmetic modulo 2^32 and a list of the run. The oracle of
// tunnel/reorder.ts without a buffer.
// Invariant: shares no line and no constant with it.

const CIRCLE = 4294967296

/** How far `to` lies ahead of `from` on the circle, 0 to 2^32 - 1. */
function ahead(from: number, to: number): number {
  return to >= from ? to - from : to + CIRCLE - from
}

export class NaiveSequence {
  #newest: number | undefined
  #deliveredAt = 0
  #run: number[] = []

  accept(sequence: number, now: number): boolean {
    if (!this.#mayPass(sequence, now)) return false
    this.#newest = sequence
    this.#deliveredAt = now
    this.#run = []
    return true
  }

  #mayPass(sequence: number, now: number): boolean {
    if (this.#newest === undefined) return true
    const distance = ahead(this.#newest, sequence)
    if (distance > 0 && distance <= CIRCLE / 2) return true
    if (now >= this.#deliveredAt + 1000) return true
    const continues = this.#run.length > 0 && ahead(this.#run[this.#run.length - 1], sequence) === 1
    this.#run = continues ? [...this.#run, sequence] : [sequence]
    return this.#run.length === 16
  }
}
