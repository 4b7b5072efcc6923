// A rate limit as routers have it for errors (RFC 1812 §4.3.2.8, RFC 4443 §2.4f): so many at once, and so many a second.
// Invariant: no clock of its own and no allocation; time that runs backwards earns nothing.

export class TokenBucket {
  readonly #most: number
  readonly #perMillisecond: number
  // Doubles in a typed array: V8 would make an object of each that stands in a field.
  readonly #state: Float64Array

  /** `burst` at once, `perSecond` for ever. */
  constructor(burst: number, perSecond: number) {
    this.#most = burst
    this.#perMillisecond = perSecond / 1000
    this.#state = Float64Array.of(burst, 0)
  }

  /** Whether one more may go at `now`, in milliseconds, monotonic; it is taken then. */
  take(now: number): boolean {
    const state = this.#state
    const earned = Math.max(0, now - state[1]) * this.#perMillisecond
    state[0] = Math.min(this.#most, state[0] + earned)
    state[1] = now
    if (state[0] < 1) return false
    state[0]--
    return true
  }
}
