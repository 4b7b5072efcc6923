// The sizes asked for and not forgotten yet, each with its nonce. Invariant: a nonce counts once, and for its own size only.

const SLOTS = 32

export class Questions {
  /** Two words for every slot, signed. */
  readonly nonces = new Int32Array(2 * SLOTS)
  /** Milliseconds from the last answered question to its answer. */
  roundTrip = 0
  readonly #sizes = new Int32Array(SLOTS)
  readonly #askedAt = new Float64Array(SLOTS)
  readonly #answered = new Uint8Array(SLOTS)
  #count = 0

  /** Remembers a question; returns its slot. The oldest make room. */
  add(size: number, now: number): number {
    const slot = this.#count++ % SLOTS
    this.#sizes[slot] = size
    this.#askedAt[slot] = now
    this.#answered[slot] = 0
    crypto.getRandomValues(this.nonces.subarray(2 * slot, 2 * slot + 2))
    return slot
  }

  /** Whether an answer belongs to a question; it vouches for its size then. */
  answer(nonce0: number, nonce1: number, size: number, now: number): boolean {
    for (let slot = 0; slot < Math.min(this.#count, SLOTS); slot++) {
      if (this.nonces[2 * slot] !== nonce0 || this.nonces[2 * slot + 1] !== nonce1) continue
      if (this.#answered[slot] === 1 || this.#sizes[slot] !== size) return false
      this.#answered[slot] = 1
      this.roundTrip = now - this.#askedAt[slot]
      return true
    }
    return false
  }

  /** Whether a question for that size was answered since all were forgotten. */
  wasAnswered(size: number): boolean {
    for (let slot = 0; slot < Math.min(this.#count, SLOTS); slot++) {
      if (this.#sizes[slot] === size && this.#answered[slot] === 1) return true
    }
    return false
  }

  /** No question is open any more. */
  forget(): void {
    this.#count = 0
  }
}
