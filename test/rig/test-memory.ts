// Memory full of canaries, of either kind: plain, and such as the pump has, whose words are summed by WebAssembly.
// Invariant: memory of the second kind is one and the same each time, since V8 reserves gigabytes of addresses for each;
// what is in it holds until the next is asked for.

import { type Octets, octets } from '#tsgre/wire/octets.js'
import { summedMemory } from '#tsgre/wire/sum-words.js'

const MOST_BYTES = 4 << 20
let summed: ReturnType<typeof summedMemory>

/** At least `size` octets, all `canary`. */
export function testMemory(size: number, canary: number, simd = false): Octets {
  const whole = (size + 3) & ~3
  if (!simd) return octets(new Uint8Array(whole).fill(canary))
  if (whole > MOST_BYTES) throw new RangeError(`${whole} octets asked of ${MOST_BYTES}`)
  summed ??= summedMemory(MOST_BYTES)
  if (summed === undefined) throw new Error('no SIMD here')
  const bytes = new Uint8Array(summed.buffer, 0, whole).fill(canary)
  return { ...octets(bytes), sumWords: summed.sumWords }
}
