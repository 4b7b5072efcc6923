// Which received packets are delivered, and in what order: the receiver of RFC 2890 §2.2. Older than the newest delivered is
// dropped. Behind a gap packets are held until it fills, until one has waited too long, or until there are too many. A peer that
// starts again from 0 is believed after RESTART_RUN numbers in a row, or after SILENCE_MS; Linux, which knows neither, drops
// until the peer has caught up. Numbers and slots only: the packets are the caller's to keep.
//
// For every packet with a number: `accept`, and after it `next` until it says NOTHING. That is the order of delivery:
//   DELIVER: the packet in hand first, then those in the slots that `next` names.
//   HOLD + slot: it is in that slot from now on, and goes out when `next` names it, perhaps at once: none goes before.
//   DROPPED: it is gone; `next` may name others, whose time has come.
// When `due` milliseconds are over: `next` until it says NOTHING, too. A slot is free as soon as `next` has named it, and the
// next packet may get it; what was in it must be listed for writing by then, and lie where it is until it is written.
//
// Invariant: modulo 2^32, all that are held are newer than the newest delivered, and stand in order; half the circle is newer.

/** Consecutive numbers after which a peer that seems to be behind is believed to have restarted. */
export const RESTART_RUN = 16
/** Milliseconds without a packet after which any number is believed; none is delayed that long and then wanted. */
export const SILENCE_MS = 1000

export const REORDER_PACKETS = 64
export const REORDER_MS = 10

/** What `accept` says; HOLD and above is HOLD + slot. */
export const DROPPED = -1
export const DELIVER = 0
export const HOLD = 1
/** What `next` says when all others have to wait. */
export const NOTHING = -1

const LAST = 0
const RUN_NEXT = 1
const RUN_LENGTH = 2

const ACTIVE_AT = 0
const DUE_AT = 1
const NEVER = Number.POSITIVE_INFINITY

export class Reorder {
  /** How many slots the caller keeps: one more than may be held, so that who comes last may go out in its turn. */
  readonly slots: number
  readonly #most: number
  readonly #ms: number
  // Signed, and in typed arrays: V8 boxes a number above 2^31 wherever it is handed on or kept in a field.
  readonly #numbers = new Int32Array([-1, 0, 0])
  /** When a packet was last delivered or held; not after the first of those held has to go (it may have gone already). */
  readonly #times = Float64Array.of(Number.NEGATIVE_INFINITY, NEVER)
  /** Of every slot in use: its number, and until when it is held. */
  readonly #held: Int32Array
  readonly #until: Float64Array
  /** The slots in use in the order of their numbers: `#count` of them, in a ring from `#head` on. */
  readonly #order: Uint16Array
  readonly #mask: number
  readonly #free: Uint16Array
  #head = 0
  #count = 0
  /** So many of the first go out whatever is missing between them. */
  #forced = 0

  /** Holds `packets` at most (0: gaps are passed over at once), none longer than `ms`. */
  constructor(packets = REORDER_PACKETS, ms = REORDER_MS) {
    this.#most = packets
    this.#ms = ms
    this.slots = packets === 0 ? 0 : packets + 1
    this.#held = new Int32Array(this.slots)
    this.#until = new Float64Array(this.slots)
    this.#free = Uint16Array.from({ length: this.slots }, (_, i) => i)
    this.#mask = 2 ** Math.ceil(Math.log2(packets + 1)) - 1
    this.#order = new Uint16Array(this.#mask + 1)
  }

  /** How many are held. */
  get count(): number {
    return this.#count
  }

  /**
   * What becomes of the packet with number `sequence` (its lower 32 bits, signed or not). `now` in milliseconds, monotonic.
   * Where it does not fit into a slot `fits` is false: if it has to take one, `next` names it before it says NOTHING.
   */
  accept(sequence: number, now: number, fits = true): number {
    const numbers = this.#numbers
    const ahead = (sequence - numbers[LAST] - 1) | 0
    if (ahead < 0) return this.#believes(sequence, now) ? this.#restart(sequence, now) : DROPPED
    if (ahead > 0 && this.#most > 0) return this.#hold(sequence, ahead, now, fits)
    return this.#deliver(sequence, now)
  }

  /** The slot of the packet to be delivered next, or NOTHING. */
  next(now: number): number {
    if (this.#count === 0) return NOTHING
    if (this.#forced === 0 && now >= this.#times[DUE_AT]) this.#giveUp(now)
    const slot = this.#order[this.#head]
    const number = this.#held[slot]
    const follows = number === ((this.#numbers[LAST] + 1) | 0)
    if (this.#forced === 0 && !follows && this.#count <= this.#most) return NOTHING
    this.#head = (this.#head + 1) & this.#mask
    this.#count--
    this.#free[this.slots - 1 - this.#count] = slot
    if (this.#forced > 0) this.#forced--
    if (this.#count === 0) this.#times[DUE_AT] = NEVER
    this.#numbers[LAST] = number
    return slot
  }

  /** Milliseconds until `next` has something to say by itself; infinite while nothing is held. */
  due(now: number): number {
    let first = NEVER
    for (let i = 0; i < this.#count; i++) first = Math.min(first, this.#until[this.#at(i)])
    return Math.max(0, first - now)
  }

  #deliver(sequence: number, now: number): number {
    this.#numbers[LAST] = sequence
    this.#numbers[RUN_LENGTH] = 0
    this.#times[ACTIVE_AT] = now
    return DELIVER
  }

  #believes(sequence: number, now: number): boolean {
    if (now - this.#times[ACTIVE_AT] >= SILENCE_MS) return true
    const numbers = this.#numbers
    const inRun = numbers[RUN_LENGTH] > 0 && (sequence | 0) === numbers[RUN_NEXT]
    numbers[RUN_LENGTH] = inRun ? numbers[RUN_LENGTH] + 1 : 1
    numbers[RUN_NEXT] = sequence + 1
    return numbers[RUN_LENGTH] >= RESTART_RUN
  }

  /** What is held was sent before, and goes out before. */
  #restart(sequence: number, now: number): number {
    if (this.#count === 0) return this.#deliver(sequence, now)
    const slot = this.#take(this.#count, sequence, now, 0)
    this.#forced = this.#count
    return HOLD + slot
  }

  #hold(sequence: number, ahead: number, now: number, fits: boolean): number {
    let place = this.#count
    for (; place > 0; place--) {
      const other = (this.#held[this.#at(place - 1)] - this.#numbers[LAST] - 1) | 0
      if (other === ahead) return DROPPED
      if (other < ahead) break
    }
    return HOLD + this.#take(place, sequence, now, fits ? this.#ms : 0)
  }

  /** A slot for a packet that `place` of those held go before, for `ms` at most. */
  #take(place: number, sequence: number, now: number, ms: number): number {
    const slot = this.#free[this.slots - 1 - this.#count]
    for (let i = this.#count++; i > place; i--) this.#order[this.#index(i)] = this.#at(i - 1)
    this.#order[this.#index(place)] = slot
    this.#held[slot] = sequence
    this.#until[slot] = now + ms
    this.#times[DUE_AT] = Math.min(this.#times[DUE_AT], now + ms)
    this.#times[ACTIVE_AT] = now
    this.#numbers[RUN_LENGTH] = 0
    return slot
  }

  /** Of those that have waited long enough the newest goes out, and all before it. */
  #giveUp(now: number): void {
    let first = NEVER
    for (let i = 0; i < this.#count; i++) {
      const until = this.#until[this.#at(i)]
      if (until <= now) {
        this.#forced = i + 1
        first = NEVER
      } else first = Math.min(first, until)
    }
    this.#times[DUE_AT] = first
  }

  #index(place: number): number {
    return (this.#head + place) & this.#mask
  }

  #at(place: number): number {
    return this.#order[this.#index(place)]
  }
}
