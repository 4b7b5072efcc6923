// The receiver of RFC 2890 §2.2 the obvious way: plain arithmetic modulo 2^32, and a list that is sorted anew for every packet.
// The oracle of tunnel/reorder.ts. Invariant: shares no line and no constant with it.

const CIRCLE = 4294967296

/** How far `to` lies ahead of `from` on the circle, 0 to 2^32 - 1. */
function ahead(from: number, to: number): number {
  return to >= from ? to - from : to + CIRCLE - from
}

export class NaiveReorder {
  readonly #most: number
  readonly #ms: number
  #newest = CIRCLE - 1
  #heardAt: number | undefined
  #run: number[] = []
  #held: { sequence: number; at: number }[] = []

  constructor(most: number, ms: number) {
    this.#most = most
    this.#ms = ms
  }

  /** The numbers that are delivered now that `sequence` has come, in order. */
  accept(sequence: number, now: number): number[] {
    const distance = ahead(this.#newest, sequence)
    const isNew = distance > 0 && distance <= CIRCLE / 2
    const isHeld = this.#held.some((held) => held.sequence === sequence)
    if (isHeld || (!isNew && !this.#isRestart(sequence, now))) return this.next(now)
    this.#heardAt = now
    this.#run = []
    if (!isNew) {
      const before = this.#held.map((held) => held.sequence)
      this.#held = []
      this.#newest = sequence
      return [...before, sequence]
    }
    this.#held.push({ sequence, at: now })
    return this.next(now)
  }

  /** The numbers whose time has come at `now`. */
  next(now: number): number[] {
    this.#held.sort((a, b) => ahead(this.#newest, a.sequence) - ahead(this.#newest, b.sequence))
    const out: number[] = []
    while (this.#held.length > 0) {
      const follows = ahead(this.#newest, this.#held[0]!.sequence) === 1
      const tooLong = this.#held.some((held) => now >= held.at + this.#ms)
      if (!follows && !tooLong && this.#held.length <= this.#most) break
      this.#newest = this.#held.shift()!.sequence
      out.push(this.#newest)
    }
    return out
  }

  /** When the first of those held has waited long enough. */
  get dueAt(): number {
    return Math.min(...this.#held.map((held) => held.at + this.#ms))
  }

  #isRestart(sequence: number, now: number): boolean {
    if (this.#heardAt === undefined || now >= this.#heardAt + 1000) return true
    const continues = this.#run.length > 0 && ahead(this.#run[this.#run.length - 1]!, sequence) === 1
    this.#run = continues ? [...this.#run, sequence] : [sequence]
    return this.#run.length === 16
  }
}
