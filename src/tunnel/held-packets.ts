// Packets that came before others they follow, and wait for those (RFC 2890 §2.2): what tunnel/reorder.ts says of their numbers, and
// where they lie meanwhile: behind the slots of the batch they were received into, so that they are listed like all others.
// Any peer's numbers may come to count while the tunnel runs, so there is room for all; the kernel gives memory when it is used first.
// Invariant: a packet lies where it is until the next one of its peer is held.

import { MOST_PEERS } from '../drops.js'
import { BATCH_ENTRIES, HEADROOM, SLOT_BYTES } from '../io/batch.js'
import { type Slab, slab } from '../sys/memory.js'
import type { Peers } from './peers.js'
import { Reorder } from './reorder.js'
import type { PumpSettings } from './settings.js'

/** What is longer is not held: it passes over the gap in front of it. Over a jumbo underlay most fit. */
const MOST_BYTES = 9216
const HELD_BYTES = (MOST_BYTES + 2 * HEADROOM) & ~63

export class HeldPackets {
  /** The slots that packets are received into, and the held ones behind them. */
  readonly memory: Slab
  /** By peer; undefined where numbers do not count. */
  readonly receivers: (Reorder | undefined)[] = new Array(MOST_PEERS).fill(undefined)
  readonly #packets: number
  readonly #ms: number
  readonly #offset: Int32Array
  readonly #length: Int32Array

  constructor({ reorder }: PumpSettings) {
    this.#packets = reorder.packets
    this.#ms = reorder.ms
    const slots = this.#packets === 0 ? 0 : MOST_PEERS * (this.#packets + 1)
    this.memory = slab(BATCH_ENTRIES * SLOT_BYTES + slots * HELD_BYTES)
    this.#offset = new Int32Array(slots)
    this.#length = new Int32Array(slots)
  }

  /** Begins anew with peer `peer`, whose numbers count, or do not. */
  set(peer: number, sequenced: boolean): void {
    this.receivers[peer] = sequenced ? new Reorder(this.#packets, this.#ms) : undefined
  }

  /** Milliseconds until some packet has waited long enough; infinite while none does. */
  due({ all, count }: Peers, now: number): number {
    let due = Number.POSITIVE_INFINITY
    if (this.#packets === 0) return due
    for (let i = 0; i < count; i++) due = Math.min(due, this.dueOf(all[i], now))
    return due
  }

  /** The same of one peer. */
  dueOf(peer: number, now: number): number {
    const receiver = this.receivers[peer]
    return receiver === undefined || receiver.count === 0 ? Number.POSITIVE_INFINITY : receiver.due(now)
  }

  /** Whether a frame of so many octets fits a slot. */
  fits(length: number): boolean {
    return length <= HELD_BYTES - HEADROOM
  }

  /** Puts the frame at `at` into a slot; one that does not fit stays where it is, since it goes out at once. */
  put(peer: number, slot: number, at: number, length: number): void {
    const entry = peer * (this.#packets + 1) + slot
    const to = BATCH_ENTRIES * SLOT_BYTES + entry * HELD_BYTES + HEADROOM
    const held = this.fits(length)
    if (held) this.memory.bytes.copyWithin(to, at, at + length)
    this.#offset[entry] = held ? to : at
    this.#length[entry] = length
  }

  offsetOf(peer: number, slot: number): number {
    return this.#offset[peer * (this.#packets + 1) + slot]
  }

  /** 0 for one that was dropped after all. */
  lengthOf(peer: number, slot: number): number {
    return this.#length[peer * (this.#packets + 1) + slot]
  }
}
