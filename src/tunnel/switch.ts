// Which peers a frame from the TAP goes to: the one its destination was learnt from, or every one (flooding). What comes from a
// peer goes to the TAP alone, so nothing here is asked about it but who sent it (split horizon).
// With one peer there is nothing to choose, and the destination is not looked up.

import { DROP, MOST_PEERS } from '../drops.js'
import { isLoopProbe } from '../wire/loop-probe.js'
import { type Fdb, MOVED } from './fdb.js'
import { LOCAL } from './fdb-memory.js'
import { floodLimit } from './flood-limit.js'
import type { LoopGuard } from './loop-guard.js'
import type { Peers } from './peers.js'
import type { PumpSettings } from './settings.js'
import type { TokenBucket } from './token-bucket.js'

const SAME_SIDE = DROP['same-side']
const FLOOD_LIMIT = DROP['flood-limit']
const PEER_DOWN = DROP['peer-down']
const LOOP_GUARD = DROP['loop-guard']

export class Switch {
  /** Where the frame at hand goes: `count` peers, of which so many have had it. */
  readonly to = new Int16Array(MOST_PEERS)
  count = 0
  #served = 0
  /** Milliseconds, monotonic; whoever works with the overlay sets it. */
  readonly now = new Float64Array(1)
  readonly fdb: Fdb
  readonly #peers: Peers
  readonly #guard: LoopGuard | undefined
  readonly #floodLimit: TokenBucket | undefined

  constructor(peers: Peers, fdb: Fdb, guard: LoopGuard | undefined, { floodLimit: limit }: PumpSettings) {
    this.#peers = peers
    this.fdb = fdb
    this.#guard = guard
    this.#floodLimit = limit > 0 ? floodLimit(limit) : undefined
  }

  /** Whether some peer is still to have the frame at hand. */
  get left(): boolean {
    return this.#served < this.count
  }

  /** The next one that is to have it. */
  next(): number {
    return this.to[this.#served++]
  }

  /** Nobody is to have it. */
  none(): void {
    this.count = 0
    this.#served = 0
  }

  /** Not this one. */
  leaveOut(peer: number): void {
    const at = this.to.indexOf(peer, this.#served)
    if (at < 0 || at >= this.count) return
    this.to.copyWithin(at, at + 1, this.count)
    this.count--
  }

  /** A frame whose source stands at `at` came from `port`: a peer, or LOCAL. */
  learn(bytes: Uint8Array, at: number, port: number): void {
    const now = this.now[0]
    if (this.fdb.learn(bytes, at, port, now) !== MOVED) return
    if (port === LOCAL) this.#guard?.moved(this.fdb.movedFrom, now)
    else if (this.fdb.movedFrom === LOCAL) this.#guard?.moved(port, now)
  }

  /** Learns where the frame from the TAP that starts at `start` came from, and chooses where it goes. Returns 0, or the drop code. */
  route(bytes: Uint8Array, start: number, end: number): number {
    const peers = this.#peers
    const now = this.now[0]
    this.learn(bytes, start + 6, LOCAL)
    if ((bytes[start] & 1) === 1 && this.#guard !== undefined) {
      if (isLoopProbe(bytes, start, end)) return this.#carry(bytes, start, end, this.#guard)
      this.#guard.flooded(now)
    }
    if (peers.count === 1 && this.#floodLimit === undefined) return this.#one(peers.all[0])
    const port = this.fdb.lookup(bytes, start, now)
    if (port >= 0) return this.#one(port)
    if (port === LOCAL && peers.count > 1) return SAME_SIDE
    if (this.#floodLimit !== undefined && !this.#floodLimit.take(now)) return FLOOD_LIMIT
    return this.#flood()
  }

  #one(peer: number): number {
    this.to[0] = peer
    this.count = 1
    return this.#peers.shut[peer]
  }

  #flood(): number {
    const { open, openCount, all, count, shut } = this.#peers
    for (let i = 0; i < openCount; i++) this.to[i] = open[i]
    this.count = openCount
    if (openCount > 0) return 0
    for (let i = 0; i < count; i++) if (shut[all[i]] !== PEER_DOWN) return shut[all[i]]
    return PEER_DOWN
  }

  /** By its probes a guard sees whether the loop is still there: they go everywhere. */
  #carry(bytes: Uint8Array, start: number, end: number, guard: LoopGuard): number {
    if (!guard.carries(bytes, start, end, this.now[0])) return LOOP_GUARD
    const { all, count } = this.#peers
    this.count = 0
    for (let i = 0; i < count; i++) if (!this.#peers.isPaused(all[i])) this.to[this.count++] = all[i]
    return this.count === 0 ? PEER_DOWN : 0
  }
}
