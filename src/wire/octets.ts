// Memory that is read both as octets and as 32-bit words. Not a buffer of its own: the caller brings the memory and
// keeps it.
// Invariant: word n lies over octets 4n to 4n+3, so an offset means the same in both.
// Words are in host order. x86-64 and arm64 are little-endian, and checksum.ts is written for that.

import type { SumWords } from './sum-words.js'

if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
  throw new Error('tsgre runs on little-endian machines only (x86-64, arm64)')
}

/** The same memory seen as bytes and as 32-bit words in host order. */
export interface Octets {
  readonly bytes: Uint8Array
  /** Covers the whole words only: up to three bytes at the end have none. */
  readonly words: Uint32Array
  readonly view: DataView
  /** Sums words faster than JavaScript does, where the memory allows it. */
  readonly sumWords?: SumWords | undefined
}

/** Views `bytes` both ways. Throws RangeError unless they start on a multiple of four in their buffer. */
export function octets(bytes: Uint8Array): Octets {
  if (bytes.byteOffset % 4 !== 0) throw new RangeError(`octets: byte offset ${bytes.byteOffset} is not a multiple of 4`)
  const { buffer, byteOffset, length } = bytes
  return {
    bytes,
    words: new Uint32Array(buffer, byteOffset, length >>> 2),
    view: new DataView(buffer, byteOffset, length),
  }
}
