// Which received sequence numbers are delivered: RFC 2890 §2.2 without the reorder buffer. Older than the newest delivered
// is dropped, a gap is passed over. A peer that starts again from 0 is believed after RESTART_RUN numbers in a row, or
// after SILENCE_MS without a delivery; Linux, which knows neither, drops until the peer has caught up.
// Invariant: `last` is the newest number delivered; comparison is modulo 2^32, half the circle ahead is newer.

/** Consecutive numbers after which a peer that seems to be behind is believed to have restarted. */
export const RESTART_RUN = 16
/** Milliseconds without a delivery after which any number is believed; no packet is delayed that long and then wanted. */
export const SILENCE_MS = 1000

const LAST = 0
const RUN_NEXT = 1
const RUN_LENGTH = 2

export class SequenceReceiver {
  // Signed, and in typed arrays: V8 boxes a number above 2^31 wherever it is handed on or kept in a field.
  readonly #numbers = new Int32Array([-1, 0, 0])
  readonly #deliveredAt = new Float64Array([Number.NEGATIVE_INFINITY])

  /** Whether the packet with number `sequence` (its lower 32 bits, signed or not) is to be delivered. `now` in milliseconds, monotonic. */
  accept(sequence: number, now: number): boolean {
    const numbers = this.#numbers
    const ahead = (sequence - numbers[LAST]) | 0
    if (ahead <= 0 && !this.#believes(sequence, now)) return false
    numbers[LAST] = sequence
    numbers[RUN_LENGTH] = 0
    this.#deliveredAt[0] = now
    return true
  }

  #believes(sequence: number, now: number): boolean {
    if (now - this.#deliveredAt[0] >= SILENCE_MS) return true
    const numbers = this.#numbers
    const inRun = numbers[RUN_LENGTH] > 0 && (sequence | 0) === numbers[RUN_NEXT]
    numbers[RUN_LENGTH] = inRun ? numbers[RUN_LENGTH] + 1 : 1
    numbers[RUN_NEXT] = sequence + 1
    return numbers[RUN_LENGTH] >= RESTART_RUN
  }
}
