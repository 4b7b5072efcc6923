// A batch of frames or packets on its way through the pump. smallest to largest: bytes < slot < batch.
// The memory is pinned and belongs to the batch; what lies in it is borrowed: valid until the next read into the batch.
// Invariant: entries 0…count-1 are live, head…count-1 are still to be written; columns beyond count are stale.

import { type Slab, slab } from '../sys/memory.js'

/** Bytes kept free in front of every frame: GRE (16) and an outer IPv6 header (40) fit, and 64 keeps frames aligned. */
export const HEADROOM = 64

/**
 * Bytes from one slot to the next: headroom, the largest IP packet (65 535), and a rest chosen so that neighbouring slots
 * do not start in the same cache set (a power of two would put all 64 there).
 */
export const SLOT_BYTES = 65536 + 256

/** How many entries one wake-up handles in a direction. */
export const BATCH_ENTRIES = 64

export class Batch {
  readonly capacity: number
  readonly memory: Slab
  /** Where entry i starts in `memory.bytes`, and how many bytes it has. */
  readonly offset: Int32Array
  readonly length: Int32Array
  /** Outer TOS or traffic class of entry i, and outer TTL or hop limit (0: the socket's own). */
  readonly tos: Uint8Array
  readonly ttl: Uint8Array
  /** 1 where the outer packet of entry i may be fragmented (DF clear). */
  readonly fragment: Uint8Array
  /** Which remote entry i came from: its index, or -1 for none of ours. */
  readonly peer: Int8Array
  count = 0
  head = 0
  /** What the port has sent from this batch since `takeSent`, in entries and in bytes. */
  sent = 0
  sentBytes = 0

  constructor(capacity = BATCH_ENTRIES) {
    this.capacity = capacity
    this.memory = slab(capacity * SLOT_BYTES)
    this.offset = new Int32Array(capacity)
    this.length = new Int32Array(capacity)
    this.tos = new Uint8Array(capacity)
    this.ttl = new Uint8Array(capacity)
    this.fragment = new Uint8Array(capacity)
    this.peer = new Int8Array(capacity)
  }

  /** Forgets all entries, so that a port can read into the batch. */
  clear(): void {
    this.count = 0
    this.head = 0
  }

  /** Entry `head` was sent: counts it and goes on to the next. */
  advance(): void {
    this.sent++
    this.sentBytes += this.length[this.head++]
  }

  /** Keeps entry `from` as entry `to`; how a reader closes the gaps that drops leave. */
  keep(from: number, to: number): void {
    this.offset[to] = this.offset[from]
    this.length[to] = this.length[from]
    this.tos[to] = this.tos[from]
    this.ttl[to] = this.ttl[from]
    this.fragment[to] = this.fragment[from]
    this.peer[to] = this.peer[from]
  }
}
