// Finds out, with a peer that is tsgre too, how large a frame may be to arrive (RFC 4821's manner: what nobody answers for does
// not pass), where a box on the way eats large packets without a word. Answers the peer's questions, whether it asks or not.
// Who never answered is asked once in ten seconds, in a short frame. A size counts as lost only while short frames pass.
// Invariant: an answer is believed for a question of ours alone, by its nonce. Not a socket: the pump sends what stands in the batch.

import { ASK, LEAST_PROBE_BYTES, type ProbeFrame } from '../wire/probe-frame.js'
import { ProbeBatch } from './probe-batch.js'
import { Questions } from './questions.js'
import { SizeSearch } from './size-search.js'
import { TokenBucket } from './token-bucket.js'

/** Answers at once and in a second: a peer that searches asks some twenty questions. */
const ANSWERS = [100, 200] as const
const HELLO_MS = 10_000
/** A peer that asks is there, and one that has answered may come back: it is asked sooner, for so long, and then given up. */
const SOONER_MS = 1000
const MISSED_MS = 60_000
/** How long the size in use is believed, while frames are sent and while none are. TCP waits 0.2 s, 0.4 s, 0.8 s, 1.6 s. */
const BUSY_MS = 250
const IDLE_MS = 10_000
/** When it is seen whether more passes by now: soon after a search, which chance may have misled, and then more seldom. */
const FIRST_RAISE_MS = 3000
const LAST_RAISE_MS = 30_000
/** What is not answered by then is lost; a peer that answers nothing is asked so often before it is taken for gone. */
const FIRST_TIMEOUT_MS = 250
const LEAST_TIMEOUT_MS = 150
const MOST_TIMEOUT_MS = 1000
const TRIES = 3
const NEVER = Number.POSITIVE_INFINITY

export class Prober {
  /** Whether frames were sent of late; the pump sets it. */
  busy = false
  /** The longest frame that passes, in octets; infinite where nothing speaks against what the underlay says. */
  limit = NEVER
  /** When `tick` has something to do, in milliseconds. */
  next: number
  readonly #asks: boolean
  readonly #out: ProbeBatch
  readonly #peer: number
  readonly #mayAnswer = new TokenBucket(...ANSWERS)
  readonly #questions = new Questions()
  readonly #search = new SizeSearch()
  #timeout = FIRST_TIMEOUT_MS
  #ceiling = 0
  #alive = false
  #saidHello = Number.NEGATIVE_INFINITY
  /** When what the peer once answered is of no use any more. */
  #givenUpAt = NEVER
  /** When the size in use was last seen to pass, while nothing is under way. */
  #restsSince = NEVER
  #raiseAt = 0
  #raiseMs = FIRST_RAISE_MS
  #tries = 0

  /** @param asks whether to ask at all; a peer that asks is answered either way */
  constructor(asks: boolean, out = new ProbeBatch(), peer = 0) {
    this.#asks = asks
    this.#out = out
    this.#peer = peer
    this.next = asks ? 0 : NEVER
  }

  /** Takes a probe of the peer's; whether it was a question, or answers one of ours. */
  hear(heard: ProbeFrame, now: number): boolean {
    if (heard.kind === ASK) {
      if (this.#mayAnswer.take(now)) this.#out.answer(this.#peer, heard)
      if (this.#asks && !this.#alive) this.next = Math.min(this.next, this.#saidHello + SOONER_MS)
      return true
    }
    if (!this.#questions.answer(heard.nonce0, heard.nonce1, heard.size, now)) return false
    this.#learn(heard.size, now)
    return true
  }

  #learn(size: number, now: number): void {
    this.#timeout = Math.min(Math.max(4 * this.#questions.roundTrip + 50, LEAST_TIMEOUT_MS), MOST_TIMEOUT_MS)
    if (!this.#alive) this.next = now // now it is worth asking for sizes
    this.#alive = true
    this.#givenUpAt = NEVER
    const searching = this.#search.running
    if (searching) this.#search.passed(size)
    const passes = searching ? this.#search.found : Math.max(size, Math.min(this.limit, this.#ceiling))
    this.limit = passes >= this.#ceiling ? NEVER : passes // the best that is known serves, also while it is searched
    if (!searching && size === passes) this.next = now // seen to pass: no need to wait
  }

  /** Asks what is to be asked at `now`; `ceiling` is the longest frame of which the underlay says that it fits. */
  tick(now: number, ceiling: number): void {
    if (!this.#asks) return
    if (ceiling < LEAST_PROBE_BYTES) {
      this.next = now + BUSY_MS // nothing fits at all
      return
    }
    if (ceiling !== this.#ceiling) this.#startAnew(now, ceiling)
    if (this.busy) this.next = Math.min(this.next, this.#restsSince + BUSY_MS)
    if (now < this.next) return
    if (!this.#alive) this.#hello(now)
    else if (this.#search.running) this.#goOnSearching(now)
    else this.#verify(now)
  }

  /** The underlay says something else than before: what was found out counts no more. */
  #startAnew(now: number, ceiling: number): void {
    this.#ceiling = ceiling
    this.limit = NEVER
    this.#search.stop()
    this.#tries = 0
    if (this.#alive) this.next = now
  }

  #hello(now: number): void {
    this.#saidHello = now
    this.#ask(LEAST_PROBE_BYTES, now)
    this.next = now + (this.#givenUpAt === NEVER ? HELLO_MS : SOONER_MS)
    if (now < this.#givenUpAt) return
    this.#givenUpAt = NEVER
    this.limit = NEVER
  }

  /**
   * Asks for the size in use, and beside it for a short one. What is lost alone is looked into at once: the search asks for
   * it again. Where nothing passes at all, nothing is learnt, and after a few tries the peer is missed.
   */
  #verify(now: number): void {
    const size = Math.min(this.limit, this.#ceiling)
    this.#restsSince = NEVER
    if (this.#tries > 0 && this.#questions.wasAnswered(size)) this.#rest(now)
    else if (this.#tries > 0 && this.#questions.wasAnswered(LEAST_PROBE_BYTES)) this.#startSearching(now, size)
    else if (this.#tries === TRIES) this.#lose(now)
    else this.#try(now, size)
  }

  #try(now: number, size: number): void {
    if (this.#tries++ === 0) this.#questions.forget()
    this.#ask(size, now)
    this.#ask(LEAST_PROBE_BYTES, now)
    this.next = now + this.#timeout
  }

  #rest(now: number): void {
    this.#tries = 0
    if (this.limit < this.#ceiling && now >= this.#raiseAt) {
      this.#searchFrom(now, this.limit, this.#ceiling)
      return
    }
    this.#restsSince = now
    this.next = now + IDLE_MS
    this.busy = false
  }

  #lose(now: number): void {
    this.#tries = 0
    this.#alive = false
    this.#givenUpAt = now + MISSED_MS
    this.#hello(now)
  }

  #startSearching(now: number, lost: number): void {
    this.#tries = 0
    this.#raiseMs = FIRST_RAISE_MS
    this.#searchFrom(now, LEAST_PROBE_BYTES, lost)
  }

  #searchFrom(now: number, passes: number, lost: number): void {
    this.#questions.forget()
    this.#search.start(passes, lost)
    this.#goOnSearching(now)
  }

  #goOnSearching(now: number): void {
    const count = this.#search.nextRound()
    // The largest first: the first that is answered is the best of them, and no sender is told of less.
    for (let i = count - 1; i >= 0; i--) this.#ask(this.#search.sizes[i], now)
    this.next = now + this.#timeout
    if (count > 0) return
    this.#raiseAt = now + this.#raiseMs
    this.#raiseMs = Math.min(2 * this.#raiseMs, LAST_RAISE_MS)
  }

  #ask(size: number, now: number): void {
    const { nonces } = this.#questions
    const slot = this.#questions.add(size, now)
    this.#out.ask(this.#peer, size, nonces[2 * slot], nonces[2 * slot + 1])
  }
}
