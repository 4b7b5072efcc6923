// Looks for the largest size that passes, in rounds: up to eight sizes between the largest that passed and the least that was
// lost, and the latter too, in case its loss was chance: three times at first, so that no chance makes the tunnel narrower.
// What stays silent in a round is asked once more before that counts.
// Invariant: low < true size + 1 <= high as long as whatever passes, passes again; each round leaves a ninth of the way.

const BETWEEN = 8
const FIRST_TIMES = 3
/** The most sizes of a round. */
export const MOST_SIZES = BETWEEN + FIRST_TIMES

export class SizeSearch {
  /** What to ask for now, as many as nextRound says, smallest first. */
  readonly sizes = new Int32Array(MOST_SIZES)
  running = false
  #low = 0
  #high = 0
  #top = 0
  #listed = 0
  #again = false
  #first = false

  /** The largest size known to pass. */
  get found(): number {
    return this.#low
  }

  /** `passes` is known to pass, `lost` was lost. */
  start(passes: number, lost: number): void {
    this.running = true
    this.#low = passes
    this.#high = lost
    this.#top = lost
    this.#listed = 0
    this.#again = false
    this.#first = true
  }

  stop(): void {
    this.running = false
  }

  /** A size passed; one that counted as lost was only late, and then so may larger ones have been. */
  passed(size: number): void {
    if (size > this.#low) this.#low = size
    if (size >= this.#high) this.#high = this.#top
  }

  /** Some time after the last question: how many sizes to ask for now; 0 when the search is over, and no longer running. */
  nextRound(): number {
    if (!this.running) return 0
    const silent = this.#keepSilent()
    if (silent > 0 && !this.#again) {
      this.#again = true
      return silent
    }
    if (silent > 0) this.#high = this.sizes[0]
    this.#again = false
    if (this.#low + 1 >= this.#high && !this.#first) this.running = false
    return this.running ? this.#list() : 0
  }

  /** Of the sizes asked for, keeps those that nobody has vouched for, by itself or by a larger one. */
  #keepSilent(): number {
    let kept = 0
    for (let i = 0; i < this.#listed; i++) {
      const size = this.sizes[i]
      if (size > this.#low) this.sizes[kept++] = size
    }
    this.#listed = kept
    return kept
  }

  #list(): number {
    const inside = this.#high - this.#low - 1
    const between = Math.min(BETWEEN, inside)
    for (let i = 0; i < between; i++) {
      this.sizes[i] = this.#low + Math.ceil(((i + 1) * inside) / (between + 1))
    }
    this.#listed = between + (this.#first ? FIRST_TIMES : 1)
    this.sizes.fill(this.#high, between, this.#listed)
    this.#first = false
    return this.#listed
  }
}
