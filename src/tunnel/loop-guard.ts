// Notices that this host's LAN is joined with a peer's LAN by a second way, and shuts one of the two: a frame would go round for
// ever. Where an address moves between the TAP and a peer, or the LAN sends many frames to groups (one that came out of one of its
// devices goes round one way alone, and moves nowhere), it writes a probe into the LAN; a probe that comes back from a peer proves
// the loop, and that peer is blocked. If the peer is tsgre, too, the one of the two with the greater name blocks all its peers:
// its LAN has the other's way. Probes pass blocks; once none has come back for long enough, the block ends.
// Not a filter: the pump asks `blocked`. Invariant: nothing is proven by a frame that this guard has not sent itself.

import { MOST_PEERS } from '../drops.js'
import { Batch } from '../io/batch.js'
import { slab } from '../sys/memory.js'
import { emitLoopProbe, loopProbe, parseLoopProbe, writeCarrier } from '../wire/loop-probe.js'
import { BlockTimes } from './block-times.js'
import { TokenBucket } from './token-bucket.js'

/** What an alarm names when all peers are meant: this whole TAP. */
export const ALL_PEERS = -1

/** So many moves between the TAP and one peer in each of two seconds are a loop that probes do not come through. */
export const MOVES_A_SECOND = 64
const SECOND_MS = 1000
/** So many frames to groups out of the LAN in a second may be a few that go round. */
export const FLOODED_A_SECOND = 50
/** Probes of our own: at most ten a second, and one in five seconds while anything is blocked. */
const LEAST_GAP_MS = 100
export const REPEAT_MS = 5000
/** Probes of others that are carried: at once, and a second. */
const CARRIED = [20, 20] as const
/** Own probes that are remembered, and for how long. */
const NONCES = 64
const NONCE_MS = 10_000
/** Others' probes go on while they keep a way shut: what was learnt is forgotten no more often than this. */
const DOUBT_MS = 1000
const MOST_ALARMS = 256
const SLOT = 128
const NEVER = Number.POSITIVE_INFINITY

const PROBE_AT = 0
const PROBED_AT = 1
const JOINED_AT = 2
const DOUBTED_AT = 3
const FLOODED_AT = 4

export interface LoopAlarm {
  /** Its index, or ALL_PEERS. */
  readonly peer: number
  readonly blocked: boolean
  /** Milliseconds, of the clock the guard is given. */
  readonly at: number
}

export class LoopGuard {
  /** A probe that is to be written to the overlay; whoever writes it clears it. */
  readonly batch = new Batch(0, 1, { memory: slab(SLOT) })
  /** By peer, 1 where no frame goes to it and none of its frames is delivered. */
  readonly blocked = new Uint8Array(MOST_PEERS)
  /** What was blocked and set free since it was last emptied, oldest first; the later ones are lost when nobody empties it. */
  readonly alarms: LoopAlarm[] = []
  /** What was learnt came from frames that went round: here, or where a probe of another comes from. Who forgets it clears this. */
  doubt = false
  readonly #name: Int32Array
  readonly #probe = loopProbe()
  readonly #heard = loopProbe()
  /** By peer, and one for all. */
  readonly #blocks = new BlockTimes(MOST_PEERS + 1)
  readonly #mayCarry = new TokenBucket(...CARRIED)
  readonly #nonce = new Int32Array(2)
  readonly #nonces = new Int32Array(2 * NONCES)
  readonly #sentAt = new Float64Array(NONCES).fill(Number.NEGATIVE_INFINITY)
  readonly #times = Float64Array.of(NEVER, -NEVER, -NEVER, -NEVER, -NEVER)
  #probes = 0
  /** Frames to groups since FLOODED_AT. */
  #flooded = 0
  /** By peer: moves in the second that began at `#secondAt`, and whether there were too many in the one before. */
  readonly #moves = new Int32Array(MOST_PEERS)
  readonly #secondAt = new Float64Array(MOST_PEERS).fill(Number.NEGATIVE_INFINITY)
  readonly #hot = new Uint8Array(MOST_PEERS)

  /** @param name of two random words, which no other tunnel has */
  constructor(name = crypto.getRandomValues(new Int32Array(2))) {
    this.#name = name
  }

  /** Whether all peers are blocked: this host has left its LAN to another. */
  get blockedAll(): boolean {
    return this.#blocks.blocked(MOST_PEERS)
  }

  /** When `tick` has something to do, in milliseconds. */
  get next(): number {
    return Math.min(this.#times[PROBE_AT], this.#blocks.firstEnd)
  }

  /** An address was behind the TAP and is now behind `peer`, or the other way round. */
  moved(peer: number, now: number): void {
    if (this.blocked[peer] === 1) return
    this.#suspect(now)
    const since = now - this.#secondAt[peer]
    if (since >= SECOND_MS) {
      this.#hot[peer] = since < 2 * SECOND_MS && this.#moves[peer] > MOVES_A_SECOND ? 1 : 0
      this.#secondAt[peer] = now
      this.#moves[peer] = 0
    }
    if (++this.#moves[peer] > MOVES_A_SECOND && this.#hot[peer] === 1) this.#block(peer, now)
  }

  /** The LAN has sent a frame to a group. One probe a second at most comes of it. */
  flooded(now: number): void {
    if (now - this.#times[FLOODED_AT] >= SECOND_MS) {
      this.#times[FLOODED_AT] = now
      this.#flooded = 0
    }
    if (++this.#flooded === FLOODED_A_SECOND) this.#suspect(now)
  }

  /** Takes a frame from `peer` of which isLoopProbe; it goes no further. */
  heard(bytes: Uint8Array, start: number, end: number, peer: number, now: number): void {
    const heard = this.#heard
    if (!parseLoopProbe(bytes, start, end, heard)) return
    if (!this.#isOwn()) this.#doubtAll(now)
    else if (this.#isFresh(now)) this.#proven(peer, now)
  }

  #proven(peer: number, now: number): void {
    const heard = this.#heard
    this.#block(peer, now)
    if (heard.carrier0 === 0 && heard.carrier1 === 0) return
    if (this.#isGreater(heard.carrier0, heard.carrier1)) this.#block(MOST_PEERS, now)
  }

  /**
   * Takes a frame from the TAP of which isLoopProbe. True where it is to be sent to all peers, those blocked too: it bears this
   * tunnel's name then.
   */
  carries(bytes: Uint8Array, start: number, end: number, now: number): boolean {
    if (!parseLoopProbe(bytes, start, end, this.#heard) || this.#isOwn()) return false
    this.#doubtAll(now)
    // Another tunnel ends in this LAN: if it is a peer's, then here is the loop. Once in a while, or two would ask by turns for ever.
    if (now - this.#times[JOINED_AT] >= REPEAT_MS) {
      this.#times[JOINED_AT] = now
      this.#suspect(now)
    }
    if (!this.#mayCarry.take(now)) return false
    writeCarrier(bytes, start, this.#name[0], this.#name[1])
    return true
  }

  /** Ends blocks, and writes the probe that is due into `batch`. */
  tick(now: number): void {
    for (let ended = this.#blocks.end(now); ended >= 0; ended = this.#blocks.end(now)) this.#tell(ended, now)
    if (now >= this.#times[PROBE_AT]) this.#ask(now)
  }

  /** A peer is there no more; its index may be another's. */
  forget(peer: number): void {
    this.#blocks.forget(peer)
    this.#hot[peer] = 0
    this.#secondAt[peer] = Number.NEGATIVE_INFINITY
    this.#show()
  }

  #doubtAll(now: number): void {
    if (now - this.#times[DOUBTED_AT] < DOUBT_MS) return
    this.#times[DOUBTED_AT] = now
    this.doubt = true
  }

  #suspect(now: number): void {
    const times = this.#times
    times[PROBE_AT] = Math.min(times[PROBE_AT], Math.max(now, times[PROBED_AT] + LEAST_GAP_MS))
  }

  #ask(now: number): void {
    const { batch } = this
    const at = (this.#probes++ % NONCES) * 2
    crypto.getRandomValues(this.#nonce)
    this.#nonces.set(this.#nonce, at)
    this.#sentAt[at / 2] = now
    const probe = this.#probe
    probe.sender0 = this.#name[0]
    probe.sender1 = this.#name[1]
    probe.nonce0 = this.#nonce[0]
    probe.nonce1 = this.#nonce[1]
    batch.clear()
    batch.offset[0] = 0
    batch.length[0] = emitLoopProbe(batch.memory.bytes, 0, probe)
    batch.setWhole(batch.count++)
    this.#times[PROBED_AT] = now
    this.#times[PROBE_AT] = this.#blocks.any ? now + REPEAT_MS : NEVER
  }

  #isOwn(): boolean {
    return this.#heard.sender0 === this.#name[0] && this.#heard.sender1 === this.#name[1]
  }

  #isFresh(now: number): boolean {
    const { nonce0, nonce1 } = this.#heard
    for (let i = 0; i < NONCES; i++) {
      if (this.#nonces[2 * i] === nonce0 && this.#nonces[2 * i + 1] === nonce1) return now - this.#sentAt[i] < NONCE_MS
    }
    return false
  }

  #isGreater(other0: number, other1: number): boolean {
    const high = this.#name[0]
    return high === other0 ? this.#name[1] >>> 0 > other1 >>> 0 : high >>> 0 > other0 >>> 0
  }

  /** Blocks what is not blocked, and makes the block last that is. */
  #block(which: number, now: number): void {
    if (!this.#blocks.block(which, now)) return
    this.#times[PROBE_AT] = Math.min(this.#times[PROBE_AT], now + REPEAT_MS)
    this.#tell(which, now)
  }

  #tell(which: number, at: number): void {
    this.#show()
    this.doubt = true
    const peer = which === MOST_PEERS ? ALL_PEERS : which
    if (this.alarms.length < MOST_ALARMS) this.alarms.push({ peer, blocked: this.#blocks.blocked(which), at })
  }

  #show(): void {
    const all = this.blockedAll
    for (let peer = 0; peer < MOST_PEERS; peer++) this.blocked[peer] = all || this.#blocks.blocked(peer) ? 1 : 0
  }
}
