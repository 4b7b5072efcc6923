// What the coalescer reads and writes: frames where they lie, and beside each what is left to the kernel. A batch of io/ is
// one. Invariant: entries 0…count-1 are live; columns beyond are stale, and so is gsoSize where gsoType is 0.

import type { Octets } from '../wire/octets.js'

/** A list of frames in one memory, in columns. */
export interface FrameList {
  readonly memory: Octets
  readonly offset: Int32Array
  readonly length: Int32Array
  /** Who sent it, for whoever counts. */
  readonly peer: Int16Array
  /** Octets of headers a frame leaves out because it goes on with the superframe before it; 0 where it stands for itself. */
  readonly joined: Uint16Array
  readonly gsoType: Uint8Array
  /** Octets of payload in a segment. */
  readonly gsoSize: Uint16Array
  /** Where the checksum that is to be filled in begins, and where its field lies behind that; 0 and 0 where it is complete. */
  readonly csumStart: Uint16Array
  readonly csumOffset: Uint16Array
  count: number
}
