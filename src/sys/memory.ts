// Pinned memory: its address is known to the kernel, so it is never reallocated and never moves. ArrayBuffers keep their
// backing store outside V8's moving heap for as long as something refers to them, which the Slab does.
// Addresses travel as plain numbers: user addresses on x86-64 and arm64 stay below 2^52, so a double holds them exactly.

import koffi from 'koffi'
import { type Octets, octets } from '../wire/octets.js'
import { summedMemory } from '../wire/sum-words.js'

/** A run of pinned memory in the three ways the code looks at it, and its address. */
export interface Slab extends Octets {
  readonly address: number
}

/** From so many bytes on, memory is what packets lie in, and worth the means to sum them fast. */
const SUMMED_BYTES = 65536

/** Allocates `size` bytes of pinned, zeroed memory. */
export function slab(size: number): Slab {
  const summed = size < SUMMED_BYTES ? undefined : summedMemory(size)
  const bytes = new Uint8Array(summed?.buffer ?? new ArrayBuffer(size), 0, size)
  const { words, view } = octets(bytes)
  return { bytes, words, view, sumWords: summed?.sumWords, address: Number(koffi.address(bytes)) }
}

/** Writes a pointer or a size_t, which a double holds exactly, without making a BigInt. */
export function putPointer(view: DataView, offset: number, value: number): void {
  // Not by %: on doubles that is a call of fmod, and a packet writes two to four of these.
  const high = Math.floor(value / 0x1_0000_0000)
  view.setUint32(offset, value - high * 0x1_0000_0000, true)
  view.setUint32(offset + 4, high, true)
}
