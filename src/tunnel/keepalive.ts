// Whether one peer is there: it is asked in short probe frames, again and again, and answers. Who never answered may be no tsgre, and
// is asked seldom; nothing is concluded from its silence. Who answered and does so no more is down, until it answers again.
// Not a sender, and no clock: questions go to whoever keeps the batch. Invariant: an answer counts once, for a question of ours
// alone, by its nonce.

import { LEAST_PROBE_BYTES } from '../wire/probe-frame.js'

/** As numbers, to stand in shared memory; in words they are Liveness of peer-stats.ts. */
export const UNKNOWN = 0
export const UP = 1
export const DOWN = 2

/** Where questions go: false when there is no room now. */
export interface Asking {
  ask(peer: number, size: number, nonce0: number, nonce1: number): boolean
}

/** Questions that are remembered: so many say what share is lost, and so late may an answer come. */
const QUESTIONS = 32
const HELLO_MS = 10_000
/** A peer that asks us is there: it is asked sooner. Nor does the first question wait for longer. */
const SOONER_MS = 1000
/** When it is tried again where there was no room. */
const RETRY_MS = 50
/** By so much an interval is shorter at most, so that many peers are not asked all at once. */
const JITTER = 0.1
/** Share of a new round trip in the smoothed one, as TCP has it (RFC 6298). */
const SMOOTHING = 1 / 8

const NEXT = 0
const ASKED_AT = 1
const RTT = 2
const LAST_RTT = 3

export class Keepalive {
  /** UNKNOWN, UP or DOWN. */
  state = UNKNOWN
  readonly #peer: number
  readonly #interval: number
  readonly #count: number
  readonly #out: Asking
  /** Two words of nonce for each question, and one by which the interval is shorter. */
  readonly #random = new Int32Array(3)
  readonly #nonces = new Int32Array(2 * QUESTIONS)
  readonly #askedAt = new Float64Array(QUESTIONS)
  readonly #answered = new Uint8Array(QUESTIONS)
  readonly #times = Float64Array.of(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, Number.NaN)
  #asked = 0
  #missed = 0
  /** The first question that counts as lost or not. */
  #countedFrom = 0
  /** So many questions are answered or counted as missed. */
  #missedUpTo = 0

  /** Asks every `interval` seconds; `count` questions in a row without an answer, and the peer is down. */
  constructor(peer: number, interval: number, count: number, out: Asking) {
    this.#peer = peer
    this.#interval = 1000 * interval
    this.#count = count
    this.#out = out
  }

  /** When `tick` has something to do, in milliseconds; at once at first. */
  get next(): number {
    return this.#times[NEXT]
  }

  /** Round trip in milliseconds, smoothed and the last one; NaN where none was measured. */
  get rtt(): number {
    return this.#times[RTT]
  }

  get lastRtt(): number {
    return this.#times[LAST_RTT]
  }

  /** Share of the last questions that were not answered, 0 to 1, without the one that is under way; NaN where none was. */
  get loss(): number {
    const past = this.#asked - (this.#isUnderWay ? 1 : 0)
    const first = Math.max(this.#countedFrom, this.#asked - QUESTIONS)
    if (this.state === UNKNOWN || past <= first) return Number.NaN
    let lost = 0
    for (let i = first; i < past; i++) lost += 1 - this.#answered[i % QUESTIONS]
    return lost / (past - first)
  }

  /** Asks, when it is time, in `now` milliseconds, monotonic; the answer that has not come by then is missed. */
  tick(now: number): void {
    const times = this.#times
    if (now < times[NEXT]) return
    crypto.getRandomValues(this.#random)
    if (times[NEXT] === Number.NEGATIVE_INFINITY) {
      times[NEXT] = now + this.#share() * Math.min(SOONER_MS, this.#interval)
      return
    }
    if (this.#isUnderWay) this.#miss()
    const sent = this.#out.ask(this.#peer, LEAST_PROBE_BYTES, this.#random[0], this.#random[1])
    const wait = this.state === UNKNOWN ? Math.max(HELLO_MS, this.#interval) : this.#interval
    times[NEXT] = now + (sent ? wait * (1 - JITTER * this.#share()) : RETRY_MS)
    if (sent) this.#note(now)
  }

  /** Takes the nonce of an answer; false where no question of this peer's waits for it. */
  hear(nonce0: number, nonce1: number, now: number): boolean {
    for (let i = 0; i < Math.min(this.#asked, QUESTIONS); i++) {
      if (this.#nonces[2 * i] !== nonce0 || this.#nonces[2 * i + 1] !== nonce1) continue
      if (this.#answered[i] === 1) return false
      this.#answered[i] = 1
      this.#measure(now - this.#askedAt[i])
      this.answered(now)
      return true
    }
    return false
  }

  /** The peer answered somebody's question, of this tunnel: it is up. */
  answered(now: number): void {
    // What was asked while nobody was there says nothing of the way.
    if (this.state !== UP) this.#countedFrom = Math.max(0, this.#asked - 1)
    // it is asked every interval from now on, not every ten seconds
    if (this.state === UNKNOWN) this.#times[NEXT] = Math.min(this.#times[NEXT], now + this.#interval)
    this.state = UP
    this.#missed = 0
  }

  /** The peer asked: it is there, and what it says to a question may be known soon. */
  noticed(): void {
    if (this.state !== UP) this.#times[NEXT] = Math.min(this.#times[NEXT], this.#times[ASKED_AT] + SOONER_MS)
  }

  /** Whether the last question may still be answered in time. */
  get #isUnderWay(): boolean {
    return this.#asked > 0 && this.#missedUpTo < this.#asked && this.#answered[(this.#asked - 1) % QUESTIONS] === 0
  }

  #miss(): void {
    this.#missedUpTo = this.#asked
    if (this.state === UP && ++this.#missed >= this.#count) this.state = DOWN
  }

  #note(now: number): void {
    const slot = this.#asked++ % QUESTIONS
    this.#nonces[2 * slot] = this.#random[0]
    this.#nonces[2 * slot + 1] = this.#random[1]
    this.#askedAt[slot] = now
    this.#answered[slot] = 0
    this.#times[ASKED_AT] = now
  }

  #measure(rtt: number): void {
    const times = this.#times
    times[LAST_RTT] = rtt
    times[RTT] = Number.isNaN(times[RTT]) ? rtt : times[RTT] + SMOOTHING * (rtt - times[RTT])
  }

  /** 0 to 1, by chance. */
  #share(): number {
    return (this.#random[2] >>> 0) / 2 ** 32
  }
}
