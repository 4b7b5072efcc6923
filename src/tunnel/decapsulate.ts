// Underlay to overlay: every packet of a batch (GRE first, the outer IP header is off) becomes the frame it carries.
// The checks stand in the order a packet meets them, and each packet ends as a frame or under one drop reason. A key that
// is not ours is noticed before length and checksum, since the kernel's filter shortens such packets to their headers.
// What is to be delivered gets the outer header's congestion mark, and a SYN an MSS that fits the way back.

import { DROP, type DropCounters, dropAt } from '../drops.js'
import type { Batch } from '../io/batch.js'
import { clampMss, maybeSyn } from '../offload/clamp-mss.js'
import { decapsulateEcn, marks } from '../wire/ecn.js'
import { GRE_CHECKSUM, GRE_KEY, greHeader, parseGre, verifyGre } from '../wire/gre.js'
import { isLoopProbe } from '../wire/loop-probe.js'
import { read16 } from '../wire/network-order.js'
import type { Octets } from '../wire/octets.js'
import { ETH_P_PROBE, isProbe } from '../wire/probe-frame.js'
import type { CaptureHook } from './capture-hook.js'
import type { HeldPackets } from './held-packets.js'
import type { Neighbours } from './neighbours.js'
import type { Peers } from './peers.js'
import { DROPPED, HOLD, NOTHING } from './reorder.js'
import type { Counters } from './stats.js'
import type { Switch } from './switch.js'

const TRUNCATED = DROP.truncated
const UNKNOWN_PEER = DROP['unknown-peer']
const KEY_MISMATCH = DROP['key-mismatch']
const CHECKSUM = DROP.checksum
const ECN = DROP.ecn
const OUT_OF_SEQUENCE = DROP['out-of-sequence']
const LOOP_GUARD = DROP['loop-guard']
const ETHERNET_BYTES = 14
const OURS = -1

/** What the frames of a batch are handed to on their way. */
export interface Receiving {
  readonly peers: Peers
  readonly choice: Switch
  readonly held: HeldPackets
  /** Hear what tsgre says to tsgre, which is not delivered. */
  readonly neighbours: Neighbours
  readonly counters: Counters
  readonly clampMss: boolean
}

export class Decapsulator {
  /** While somebody captures. */
  capture: CaptureHook | undefined
  readonly #gre = greHeader()
  readonly #to: Receiving
  readonly #drops: DropCounters
  #from: Batch | undefined
  #taken = 0
  /** Whether packets that were held are listed: their slots may be wanted again. */
  #released = false

  constructor(to: Receiving) {
    this.#to = to
    this.#drops = to.counters.drops
  }

  begin(from: Batch): void {
    this.#from = from
    this.#taken = 0
  }

  get more(): boolean {
    return this.#from !== undefined && this.#taken < this.#from.count
  }

  /**
   * Lists the frames of packets in `to`, a batch over the same memory, as many as fit it at once; what is listed is to be
   * delivered before the next call. `now` in milliseconds, monotonic.
   */
  fill(to: Batch, now: number): void {
    const from = this.#from!
    const { peer, offset, length } = from
    to.clear()
    this.#released = false
    while (this.#taken < from.count && to.count < to.capacity && !this.#released) {
      const i = this.#taken++
      const code = peer[i] < 0 ? UNKNOWN_PEER : this.#take(from, i, offset[i], offset[i] + length[i], peer[i], to, now)
      if (code !== 0) this.#drops[dropAt(peer[i], code)]++
      if (this.capture !== undefined) this.capture.received(from, i, code)
    }
  }

  /** Lists those of a peer that have waited long enough for the ones in front of them. */
  fillHeld(to: Batch, peer: number, now: number): void {
    to.clear()
    this.#release(peer, to, now)
  }

  /** Returns 0, or the drop code. */
  #take(from: Batch, i: number, start: number, end: number, peer: number, to: Batch, now: number): number {
    const { peers, counters, held } = this.#to
    const { memory } = from
    const header = this.#examine(memory, start, end, peer, now)
    if (header < 0) return -header
    counters.peers.heardAt[peer] = now
    const receiver = (this.#gre.flags & peers.sequenced[peer]) === 0 ? undefined : held.receivers[peer]
    const frame = start + header
    if (receiver === undefined) {
      const code = this.#open(memory, frame, end, peer, from.tos[i], now)
      if (code === 0) this.#list(to, frame, end - frame, peer)
      return code < 0 ? 0 : code
    }
    const place = receiver.accept(this.#gre.sequence | 0, now, held.fits(end - frame))
    if (place === DROPPED) {
      this.#release(peer, to, now)
      return OUT_OF_SEQUENCE
    }
    const code = this.#open(memory, frame, end, peer, from.tos[i], now)
    if (place >= HOLD) held.put(peer, place - HOLD, frame, code === 0 ? end - frame : 0)
    else if (code === 0) this.#list(to, frame, end - frame, peer)
    this.#release(peer, to, now)
    return code < 0 ? 0 : code
  }

  /** Lists those of a peer whose turn it is now. */
  #release(peer: number, to: Batch, now: number): void {
    const receiver = this.#to.held.receivers[peer]
    if (receiver === undefined) return
    const { held } = this.#to
    for (let slot = receiver.next(now); slot !== NOTHING; slot = receiver.next(now)) {
      this.#released = true
      const length = held.lengthOf(peer, slot)
      if (length > 0) this.#list(to, held.offsetOf(peer, slot), length, peer)
    }
  }

  /** The length of the GRE header in front of a frame, or minus a drop code. */
  #examine(memory: Octets, start: number, end: number, peer: number, now: number): number {
    const { peers, counters } = this.#to
    const gre = this.#gre
    const header = parseGre(memory.bytes, start, end, gre)
    if (header < 0) return header
    const wrong = (gre.flags & peers.lookAt[peer]) ^ peers.expected[peer]
    if ((wrong & GRE_KEY) !== 0 || (gre.key | 0) !== peers.keyIn[peer]) {
      counters.peers.noteWrongKey(peer, (gre.flags & GRE_KEY) !== 0, gre.key | 0, now)
      return -KEY_MISMATCH
    }
    if (end - start - header < ETHERNET_BYTES) return -TRUNCATED
    if (wrong !== 0) {
      counters.peers.unruledAt[peer] = now
      return -CHECKSUM
    }
    if (gre.flags & GRE_CHECKSUM && !verifyGre(memory, start, end)) return -CHECKSUM
    return header
  }

  /** Makes the frame [frame, end) ready for the TAP. Returns 0, the drop code, or less than 0 where it was for us. */
  #open(memory: Octets, frame: number, end: number, peer: number, tos: number, now: number): number {
    const { peers, choice, clampMss: clamp } = this.#to
    const { bytes } = memory
    if (read16(bytes, frame + 12) === ETH_P_PROBE && this.#hear(bytes, frame, end, peer, now)) return OURS
    if (peers.guarded[peer] === 1) return LOOP_GUARD
    choice.learn(bytes, frame + 6, peer)
    if (clamp && maybeSyn(bytes, frame, end)) clampMss(memory, frame, end, peers.longest(peer))
    return marks(tos) && decapsulateEcn(memory, frame, end, tos) < 0 ? ECN : 0
  }

  /** Whether a frame is one of those that tsgre says to tsgre. */
  #hear(bytes: Uint8Array, frame: number, end: number, peer: number, now: number): boolean {
    const { neighbours } = this.#to
    if (isProbe(bytes, frame, end)) neighbours.hear(bytes, frame, end, peer, now)
    else if (neighbours.guard && isLoopProbe(bytes, frame, end)) neighbours.guard.heard(bytes, frame, end, peer, now)
    else return false
    return true
  }

  #list(to: Batch, offset: number, length: number, peer: number): void {
    const i = to.count++
    to.offset[i] = offset
    to.length[i] = length
    to.peer[i] = peer
  }
}
