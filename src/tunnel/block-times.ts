// How long the loop guard blocks something: LEAST_MS from the last sign of a loop, and longer the longer it lasts, or the sooner
// the next follows, up to MOST_MS; after QUIET_MS without a block as short as at first. No clock of its own.
// Invariant: a block ends in `end` alone, or with what it was for.

export const LEAST_MS = 30_000
export const MOST_MS = 300_000
export const QUIET_MS = 600_000

const NEVER = Number.POSITIVE_INFINITY

export class BlockTimes {
  /** When a block ends; infinite where there is none. */
  readonly #until: Float64Array
  readonly #length: Float64Array
  /** Since when it has been as long as it is. */
  readonly #since: Float64Array
  readonly #freedAt: Float64Array
  #count = 0

  constructor(count: number) {
    this.#until = new Float64Array(count).fill(NEVER)
    this.#length = new Float64Array(count)
    this.#since = new Float64Array(count)
    this.#freedAt = new Float64Array(count).fill(Number.NEGATIVE_INFINITY)
  }

  blocked(which: number): boolean {
    return this.#until[which] !== NEVER
  }

  get any(): boolean {
    return this.#count > 0
  }

  /** When the first of all blocks ends, in milliseconds. */
  get firstEnd(): number {
    let first = NEVER
    if (this.#count === 0) return first
    for (let i = 0; i < this.#until.length; i++) first = Math.min(first, this.#until[i])
    return first
  }

  /** Blocks it anew, or for longer; true where it was not blocked. */
  block(which: number, now: number): boolean {
    const fresh = !this.blocked(which)
    if (fresh) {
      this.#count++
      const again = now - this.#freedAt[which] < QUIET_MS
      this.#length[which] = again ? Math.min(2 * this.#length[which], MOST_MS) : LEAST_MS
      this.#since[which] = now
    } else if (now - this.#since[which] >= this.#length[which]) {
      this.#length[which] = Math.min(2 * this.#length[which], MOST_MS)
      this.#since[which] = now
    }
    this.#until[which] = now + this.#length[which]
    return fresh
  }

  /** Ends one block whose time is over and returns what it was for, or -1 where there is none. */
  end(now: number): number {
    if (this.#count === 0) return -1
    for (let i = 0; i < this.#until.length; i++) {
      if (this.#until[i] > now) continue
      this.#count--
      this.#until[i] = NEVER
      this.#freedAt[i] = now
      return i
    }
    return -1
  }

  /** As if there had never been a block. */
  forget(which: number): void {
    if (this.blocked(which)) this.#count--
    this.#until[which] = NEVER
    this.#freedAt[which] = Number.NEGATIVE_INFINITY
  }
}
