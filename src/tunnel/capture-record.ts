// The records of a capture and the shared memory they lie in: a control part, then a ring. capture-ring.ts writes it in the
// pump's thread, capture-reader.ts reads it in the program's.
// Invariant: a record lies in one piece, on a multiple of eight; head and tail are positions modulo 2^32, of a capacity that
// divides it.

import { octets } from '../wire/octets.js'

/** Words of the control part. */
export const HEAD = 0
export const TAIL = 1
export const LOST = 2
export const CLOSED = 3
export const SIDES = 4
export const DROPS_ONLY = 5
export const SNAPLEN = 6
const CONTROL_BYTES = 64
export const RECORD_BYTES = 40
export const TIME = 32 // where in a record
const LEAST_BYTES = 4096

/** Sides of the tunnel, as bits. */
export const INNER = 1
export const OUTER = 2

/** What a record holds: nothing (the rest of the ring), an Ethernet frame, a packet with its outer IP header, or one from GRE on. */
export const REST = 0
export const FRAME = 1
export const PACKET = 2
export const GRE_PACKET = 3

export const TX = 1
export const RX = 2

/** Of a packet: it may be fragmented. Of its drop code: some packets written with it were dropped, perhaps others than this. */
export const MAY_FRAGMENT = 1
export const UNSURE = 2

/** What is to be captured. */
export interface RingWants {
  /** INNER, OUTER or both. */
  readonly sides: number
  readonly dropsOnly: boolean
  /** The most octets kept of a frame or packet. */
  readonly snaplen: number
}

/** Of a record, all but its octets. Numbers that V8 need not box, and the time where it never does. */
export class RecordFields {
  kind = 0
  direction = 0
  /** Drop code, or 0. */
  drop = 0
  flags = 0
  /** Index of the peer; -1 for all, or for none of ours. */
  peer = 0
  tos = 0
  ttl = 0
  /** Of a superframe, the payload of its segments. */
  segment = 0
  /** Milliseconds since the epoch. */
  readonly time = new Float64Array(1)
}

/** A ring's memory: `bytes` for records, a power of two. */
export function captureMemory({ sides, dropsOnly, snaplen }: RingWants, bytes = 1 << 24): SharedArrayBuffer {
  if (bytes < LEAST_BYTES || (bytes & (bytes - 1)) !== 0) throw new RangeError(`a ring of ${bytes} bytes`)
  const memory = new SharedArrayBuffer(CONTROL_BYTES + bytes)
  const control = new Int32Array(memory, 0, CONTROL_BYTES >>> 2)
  control[SIDES] = sides
  control[DROPS_ONLY] = dropsOnly ? 1 : 0
  control[SNAPLEN] = snaplen
  return memory
}

/** Views of a ring's memory. */
export function viewsOf(memory: SharedArrayBuffer) {
  const capacity = memory.byteLength - CONTROL_BYTES
  return {
    capacity,
    control: new Int32Array(memory, 0, CONTROL_BYTES >>> 2),
    data: octets(new Uint8Array(memory, CONTROL_BYTES, capacity)),
    times: new Float64Array(memory, CONTROL_BYTES, capacity >>> 3),
  }
}
