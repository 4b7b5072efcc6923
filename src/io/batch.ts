// A batch of frames or packets on its way through the pump. smallest to largest: bytes < slot < batch.
// The memory is pinned and belongs to the batch; what lies in it is borrowed: valid until the next read into the batch.
// Two batches may stand over one memory: what was read in one is listed in the other as it is to be written.
// Invariant: entries 0…count-1 are live, head…count-1 are still to be written; columns beyond count are stale.

import { MOST_PEERS } from '../drops.js'
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

/** Room for the headers of one entry in `Batch.headers`. */
export const HEADER_BYTES = 256

export class Batch {
  readonly capacity: number
  readonly memory: Slab
  /** How many slots of SLOT_BYTES a port may read into. */
  readonly slots: number
  /** Headers that do not lie in front of their payload: HEADER_BYTES for every entry, or nothing. */
  readonly headers: Slab
  /** Where entry i starts in `memory.bytes`, and how many bytes it has there. */
  readonly offset: Int32Array
  readonly length: Int32Array
  /** What goes in front of that: where it starts in `headers.bytes`, and how many bytes it has (0 for nothing). */
  readonly headerOffset: Int32Array
  readonly headerLength: Uint16Array
  /** Outer TOS or traffic class of entry i, and outer TTL or hop limit (0: the socket's own). */
  readonly tos: Uint8Array
  readonly ttl: Uint8Array
  /** 1 where the outer packet of entry i may be fragmented (DF clear). */
  readonly fragment: Uint8Array
  /** Which of several ways packet i takes, so that those of one inner flow take the same. */
  readonly flow: Uint8Array
  /** Which peer entry i came from, or goes to: its number, or -1 for none of ours. */
  readonly peer: Int16Array
  /** Of frames only, as in FrameList of offload/frame-list.ts: what is left to the other side. */
  readonly joined: Uint16Array
  readonly gsoType: Uint8Array
  readonly gsoSize: Uint16Array
  readonly csumStart: Uint16Array
  readonly csumOffset: Uint16Array
  count = 0
  head = 0
  /** What the port has sent from this batch, in entries and in bytes, until somebody takes it. */
  sent = 0
  sentBytes = 0
  /** Where asked, the same by peer: entries at 2 · peer, bytes behind them. Of each packet `overhead` bytes do not count. */
  tally: Float64Array | undefined
  readonly overhead = new Uint8Array(MOST_PEERS)

  /** `slots` to read into, of a memory that may be another batch's, and room for `capacity` entries. */
  constructor(
    slots = BATCH_ENTRIES,
    capacity = slots,
    { memory = slab(slots * SLOT_BYTES), headers = NO_HEADERS } = {},
  ) {
    this.capacity = capacity
    this.memory = memory
    this.slots = slots
    this.headers = headers
    this.offset = new Int32Array(capacity)
    this.length = new Int32Array(capacity)
    this.headerOffset = new Int32Array(capacity)
    this.headerLength = new Uint16Array(capacity)
    this.tos = new Uint8Array(capacity)
    this.ttl = new Uint8Array(capacity)
    this.fragment = new Uint8Array(capacity)
    this.flow = new Uint8Array(capacity)
    this.peer = new Int16Array(capacity)
    this.joined = new Uint16Array(capacity)
    this.gsoType = new Uint8Array(capacity)
    this.gsoSize = new Uint16Array(capacity)
    this.csumStart = new Uint16Array(capacity)
    this.csumOffset = new Uint16Array(capacity)
  }

  /** A batch for writing what lies in the memory of `other`, with room for the headers of every entry where asked. */
  static over(other: Batch, capacity: number, withHeaders = false): Batch {
    const headers = withHeaders ? slab(capacity * HEADER_BYTES) : NO_HEADERS
    return new Batch(0, capacity, { memory: other.memory, headers })
  }

  /** Forgets all entries, so that a port can read into the batch. */
  clear(): void {
    this.count = 0
    this.head = 0
  }

  /** Says of entry i that it is an ordinary frame with all its checksums. */
  setWhole(i: number): void {
    this.joined[i] = 0
    this.gsoType[i] = 0
    this.csumStart[i] = 0
    this.csumOffset[i] = 0
  }

  /** Entry `head` was sent: counts it and goes on to the next. */
  advance(): void {
    const i = this.head++
    this.countSent(this.peer[i], this.headerLength[i] + this.length[i])
  }

  /** Counts an entry of so many bytes that was sent to `peer`. */
  countSent(peer: number, bytes: number): void {
    this.sent++
    if (this.tally === undefined) {
      this.sentBytes += bytes
      return
    }
    const counted = bytes - this.overhead[peer]
    this.sentBytes += counted
    this.tally[2 * peer]++
    this.tally[2 * peer + 1] += counted
  }

  /** Lets packets still to be written be fragmented that have more octets than `rooms` of their peer; whether the next one is such. */
  letFragment(rooms: Int32Array): boolean {
    const first = this.fragment[this.head]
    for (let i = this.head; i < this.count; i++) {
      if (this.headerLength[i] + this.length[i] > rooms[this.peer[i]]) this.fragment[i] = 1
    }
    return this.fragment[this.head] !== first
  }

  /** Forgets the packets still to be written that go to `peer`; how many there were. */
  leaveOut(peer: number): number {
    let to = this.head
    for (let i = this.head; i < this.count; i++) if (this.peer[i] !== peer) this.keep(i, to++)
    const gone = this.count - to
    this.count = to
    return gone
  }

  /** Keeps entry `from` as entry `to`; how a reader closes the gaps that drops leave. */
  keep(from: number, to: number): void {
    this.offset[to] = this.offset[from]
    this.length[to] = this.length[from]
    this.headerOffset[to] = this.headerOffset[from]
    this.headerLength[to] = this.headerLength[from]
    this.flow[to] = this.flow[from]
    this.tos[to] = this.tos[from]
    this.ttl[to] = this.ttl[from]
    this.fragment[to] = this.fragment[from]
    this.peer[to] = this.peer[from]
  }
}

const NO_HEADERS = slab(8)
