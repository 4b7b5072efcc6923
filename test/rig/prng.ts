// Seeded pseudo-random bytes (xorshift32): the same seed gives the same stream, and no block repeats.

/** Returns a function that fills a block with the next bytes of the stream. The block's length is a multiple of four. */
export function pseudoRandom(seed: number): (block: Uint8Array) => void {
  let state = seed >>> 0 || 1
  return (block) => {
    const words = new Uint32Array(block.buffer, block.byteOffset, block.byteLength >> 2)
    for (let i = 0; i < words.length; i++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      words[i] = state
    }
  }
}
