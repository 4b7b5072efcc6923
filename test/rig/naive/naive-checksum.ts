// The checksum as RFC 1071 words it: one 16-bit number after the other, the carry brought around at once. The oracle of
// wire/checksum.ts and its 1.00× in bench/micro.

/** One's complement sum of `bytes`, padded to an even length. */
export function naiveSum(bytes: Uint8Array, start: number, end: number): number {
  let total = 0
  for (let at = start; at < end; at += 2) {
    const low = at + 1 < end ? bytes[at + 1] : 0
    total += bytes[at] * 256 + low
    if (total > 0xffff) total -= 0xffff
  }
  return total
}

/** The complement of it. */
export function naiveChecksum(bytes: Uint8Array, start: number, end: number): number {
  return 0xffff - naiveSum(bytes, start, end)
}
