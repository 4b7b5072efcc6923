// The Internet checksum (RFC 1071): the 16-bit one's complement sum over any range of memory, and its incremental
// update. Not tied to a protocol: what is summed, and where the result goes, is the caller's.
// Invariant: results mean what a sum over big-endian 16-bit words means, whatever the alignment.

import type { Octets } from './octets.js'

/**
 * One's complement sum of octets [start, end), 16 bits, not complemented. An odd length is padded with a zero octet.
 * `initial` is the sum of what goes before, which must have been of even length. Exact up to 1 MiB. RFC 1071 §1, §2.
 */
export function sum(memory: Octets, start: number, end: number, initial = 0): number {
  const bytes = memory.bytes
  const head = Math.min((start + 3) & ~3, end)
  const tail = Math.max(end & ~3, head)
  const words = memory.sumWords ? memory.sumWords(head, tail) : sumWords(memory.words, head >>> 2, tail >>> 2)
  const total = sumBytes(bytes, start, head) + words + sumBytes(bytes, tail, end)
  const folded = fold(total)
  // From an odd start, every octet has the weight here that the other one of its pair has in memory: already swapped.
  const network = start & 1 ? folded : ((folded & 0xff) << 8) | (folded >>> 8)
  return fold(network + initial)
}

/** What a checksum field over [start, end) holds: the complement of `sum`, 16 bits. The field itself must hold 0. */
export function checksum(memory: Octets, start: number, end: number): number {
  return ~sum(memory, start, end) & 0xffff
}

/** The checksum `old` after one 16-bit word it covers went from `from` to `to`. RFC 1624 §3, equation 3. */
export function updateChecksum(old: number, from: number, to: number): number {
  return ~fold((~old & 0xffff) + (~from & 0xffff) + to) & 0xffff
}

// A word of 32 bits is congruent to the sum of its halves modulo 65535, so whole words may be added and folded at the
// end. Four sums, since each addition waits for the one before it; as doubles they stay exact where 32 bits would
// overflow. What is returned has 23 bits at most: a double would be allocated wherever V8 did not inline the call.
function sumWords(words: Uint32Array, first: number, last: number): number {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let i = first
  for (const fours = last - 3; i < fours; i += 4) {
    a += words[i]
    b += words[i + 1]
    c += words[i + 2]
    d += words[i + 3]
  }
  for (; i < last; i++) a += words[i]
  const total = a + b + c + d
  const low = total | 0
  const high = ((total - (low >>> 0)) / 0x1_0000_0000) | 0
  return (low & 0xffff) + (low >>> 16) + high
}

// Little-endian: the octet at an odd address is the upper half of its 16-bit word.
function sumBytes(bytes: Uint8Array, from: number, to: number): number {
  let total = 0
  for (let at = from; at < to; at++) total += at & 1 ? bytes[at] << 8 : bytes[at]
  return total
}

// Of up to 31 bits. Zero only for zero: a sum of anything else folds to 1..65535.
function fold(total: number): number {
  const once = (total & 0xffff) + (total >>> 16)
  return (once & 0xffff) + (once >>> 16)
}
