// Random input that is the same in every run. Not for secrets: mulberry32, 32 bits of state.
// Invariant: a seed names a sequence, so a failing test prints its seed and can be run again.

export interface Random {
  /** 0 to 2^32 - 1. */
  word(): number
  /** 0 to `limit` - 1. */
  below(limit: number): number
  /** True once in `n` times. */
  oneIn(n: number): boolean
  bytes(length: number): Uint8Array
}

/** A sequence of its own for every seed. */
export function random(seed: number): Random {
  let state = seed >>> 0
  const word = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number) => word() % limit
  return { word, below, oneIn: (n) => below(n) === 0, bytes: (length) => Uint8Array.from({ length }, () => below(256)) }
}
