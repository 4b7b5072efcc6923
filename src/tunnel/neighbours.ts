// What is known of the peers besides what is sent to them: who is there, which sizes arrive, which MAC addresses are behind each,
// and whether the way to one is a loop. Says when something of it changes. Not a socket: the pump sends what stands in `said`.

import { MOST_PEERS } from '../drops.js'
import { ETH_HLEN } from '../wire/ethernet.js'
import { Conversation } from './conversation.js'
import { Fdb } from './fdb.js'
import { DOWN } from './keepalive.js'
import { LoopGuard } from './loop-guard.js'
import type { Peers } from './peers.js'
import { ProbeBatch } from './probe-batch.js'
import type { PumpSettings } from './settings.js'
import type { Counters } from './stats.js'

export class Neighbours {
  readonly said = new ProbeBatch()
  readonly fdb: Fdb
  readonly guard: LoopGuard | undefined
  readonly conversations: (Conversation | undefined)[] = new Array(MOST_PEERS).fill(undefined)
  /** When `tick` has something to do, in milliseconds. */
  next = 0
  /** Whether something of a peer is another than before; whoever looks at it sets it back. */
  changed = false
  readonly #settings: PumpSettings
  readonly #peers: Peers
  readonly #counters: Counters
  /** The longest frame that anybody is to send, in octets. */
  readonly #cap: number
  #at = 0
  #stirred = true

  constructor(settings: PumpSettings, peers: Peers, counters: Counters) {
    this.#settings = settings
    this.#peers = peers
    this.#counters = counters
    this.#cap = settings.tunnelMtu === 0 ? Number.POSITIVE_INFINITY : settings.tunnelMtu + ETH_HLEN
    this.fdb = new Fdb(counters.fdb)
    this.guard = settings.loopGuard ? new LoopGuard() : undefined
    for (let i = 0; i < peers.count; i++) this.set(peers.all[i], true)
  }

  /** Number `peer` is another one now, or nobody. */
  set(peer: number, there: boolean): void {
    this.#counters.peers.reset(peer, this.#counters.drops)
    this.conversations[peer] = there ? new Conversation(this.#settings, this.said, peer) : undefined
    this.fdb.flush(peer)
    this.guard?.forget(peer)
    // Where all ways are shut, a new one is too.
    if (this.guard) this.#showGuard(peer, this.guard)
    this.#limit(peer, this.#cap)
    this.changed = true
    this.#stirred = true
  }

  /** Takes a frame of a peer's of which isProbe. */
  hear(bytes: Uint8Array, start: number, end: number, peer: number, now: number): void {
    this.conversations[peer]?.hear(bytes, start, end, now)
    this.#stirred = true
  }

  /** Something is known anew: `tick` has to look at all. */
  stir(): void {
    this.#stirred = true
  }

  /** Frames are sent: what fits the ways they go has to be known. */
  busy(): void {
    if (!this.#settings.probe) return
    const { all, count, served } = this.#peers
    for (let i = 0; i < count; i++) {
      const peer = all[i]
      if (served[peer] === 0) continue
      served[peer] = 0
      const { prober } = this.conversations[peer]!
      if (prober.busy) continue
      prober.busy = true
      this.#stirred = true
    }
  }

  /**
   * Does what is due at `now`. While it returns true there is more to do: `said` is to be sent first.
   */
  tick(now: number): boolean {
    if (this.#at === 0) {
      if (!this.#stirred && now < this.next) return false
      this.#stirred = false
      this.next = Number.POSITIVE_INFINITY
    }
    const { all, count } = this.#peers
    while (this.#at < count) {
      this.#tickPeer(all[this.#at++], now)
      if (this.said.isFilling) return true
    }
    this.#at = 0
    return false
  }

  /** Shuts and opens ways as the guard says, and forgets what is in doubt. A probe of its own stands in its batch then, to be written to the overlay. */
  tickGuard(now: number): void {
    const { guard } = this
    if (guard === undefined || (now < guard.next && !guard.doubt)) return
    guard.tick(now)
    if (guard.doubt) this.fdb.flushAll()
    guard.doubt = false
    if (guard.alarms.length === 0) return
    guard.alarms.length = 0
    const { all, count } = this.#peers
    for (let i = 0; i < count; i++) this.#showGuard(all[i], guard)
    this.#counters.leftLan = guard.blockedAll
    this.changed = true
  }

  #showGuard(peer: number, guard: LoopGuard): void {
    this.#counters.peers.blocked[peer] = guard.blocked[peer]
    this.#peers.setGuarded(peer, guard.blocked[peer] === 1)
  }

  #tickPeer(peer: number, now: number): void {
    if (this.#peers.isPaused(peer)) return // its silence would say nothing
    const conversation = this.conversations[peer]!
    conversation.tick(now, Math.min(this.#peers.ceiling(peer), this.#cap))
    this.#limit(peer, Math.min(this.#cap, conversation.prober.limit))
    this.next = Math.min(this.next, conversation.next)
    const { keepalive } = conversation
    if (keepalive === undefined) return
    const { liveness, rtt, loss } = this.#counters.peers
    rtt[peer] = keepalive.rtt
    loss[peer] = keepalive.loss
    if (keepalive.state === liveness[peer]) return
    liveness[peer] = keepalive.state
    this.changed = true
    if (this.#peers.setDown(peer, keepalive.state === DOWN)) this.fdb.flush(peer)
  }

  #limit(peer: number, longest: number): void {
    const limit = Math.min(longest, MOST_FRAME)
    if (this.#peers.limits[peer] === limit) return
    this.#peers.limits[peer] = limit
    this.changed = true
  }
}

const MOST_FRAME = 0x7fff_ffff
