// What the tunnel says to senders in the overlay whose packets do not fit: a batch of its own, that the pump writes back into
// the overlay. Rate-limited in all and by sender, so that no flood drowns what others need to learn.

import { DROP } from '../drops.js'
import { Batch } from '../io/batch.js'
import { slab } from '../sys/memory.js'
import type { Octets } from '../wire/octets.js'
import { answerTooBig, MOST_ANSWER_BYTES } from '../wire/too-big.js'
import { TokenBucket } from './token-bucket.js'

const TOO_BIG = DROP['too-big']
const ANSWERED = DROP.answered
const CAPACITY = 32
const SLOT = (MOST_ANSWER_BYTES + 63) & ~63
/** net.ipv4.icmp_msgs_per_sec and icmp_msgs_burst as they were until Linux 6.11, and a share of that for each sender. */
const IN_ALL = [50, 1000] as const
const EACH = [10, 100] as const
const SENDERS = 64

export class Answers {
  /** To be written to the overlay, then cleared. */
  readonly batch = new Batch(0, CAPACITY, { memory: slab(CAPACITY * SLOT) })
  readonly #all = new TokenBucket(...IN_ALL)
  readonly #each = Array.from({ length: SENDERS }, () => new TokenBucket(...EACH))
  /** Milliseconds, monotonic; whoever works with the overlay sets it. */
  readonly now = new Float64Array(1)

  /**
   * Answers the frame [start, end) of `frame`, continued by [from, stop) of `rest`, that packets of `mtu` octets pass.
   * Returns the drop code that the frame ends under: it was answered, or must or could not be.
   */
  tooBig(frame: Octets, start: number, end: number, rest: Octets, from: number, stop: number, mtu: number): number {
    const { batch } = this
    if (batch.count === batch.capacity) return TOO_BIG
    const at = batch.count * SLOT
    const length = answerTooBig(batch.memory, at, frame, start, end, rest, from, stop, mtu)
    if (length === 0 || !this.#mayAnswer(batch.memory.bytes, at)) return TOO_BIG
    batch.offset[batch.count] = at
    batch.length[batch.count] = length
    batch.setWhole(batch.count++)
    return ANSWERED
  }

  /** Senders are told apart by the MAC address that the answer goes to; some share a bucket. */
  #mayAnswer(bytes: Uint8Array, at: number): boolean {
    const now = this.now[0]
    let hash = 0
    for (let i = 0; i < 6; i++) hash = (hash * 31 + bytes[at + i]) & 0xffff
    return this.#each[hash % SENDERS].take(now) && this.#all.take(now)
  }
}
