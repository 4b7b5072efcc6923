// Memory whose 32-bit words WebAssembly can sum with SIMD: three to four times as fast as the loop in checksum.ts, and a
// checksum is what a packet costs most here. Its program is sum-words.wat; there is no build step, these are its bytes.

const PROGRAM =
  'AGFzbQEAAAABBwFgAn9/AX8CEAEEc2xhYgZtZW1vcnkCAAADAgEABwwBCHN1bVdvcmRzAAAKlgIBkwICBHsBfwJAA0AgAEEgaiABSw0BIAD9AA' +
  'IAIQQgAP0AAhAhBSACIAT9DP//AAD//wAA//8AAP//AAD9Tv2uASECIAMgBEEQ/a0B/a4BIQMgAiAF/Qz//wAA//8AAP//AAD//wAA/U79rgEh' +
  'AiADIAVBEP2tAf2uASEDIABBIGohAAwACwsgAv0M//8AAP//AAD//wAA//8AAP1OIAJBEP2tAf2uASECIAP9DP//AAD//wAA//8AAP//AAD9Ti' +
  'ADQRD9rQH9rgEhAyACIAP9rgEhAiAC/RsAIAL9GwFqIAL9GwIgAv0bA2pqIQYCQANAIAAgAU8NASAGIAAvAQAgAC8BAmpqIQYgAEEEaiEADAAL' +
  'CyAGCw=='

// What is used of it; TypeScript has its types among those of browsers only.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> }
}

/** Bytes of a page of WebAssembly's memory. */
const PAGE = 65536

/** Sums the words of octets [from, to), both multiples of four, as 16-bit halves. Exact up to 1 MiB, below 2^31. */
export type SumWords = (from: number, to: number) => number

/** The program itself, for the test that compares it with its text. */
export function programBytes(): Uint8Array {
  return Uint8Array.from(Buffer.from(PROGRAM, 'base64'))
}

let program: object | undefined

/**
 * `size` zeroed bytes that never move, and the function that sums them; undefined where WebAssembly, its SIMD, or address
 * space for it are not to be had. (V8 reserves gigabytes of addresses for each, and uses none of them.)
 */
export function summedMemory(size: number): { buffer: ArrayBuffer; sumWords: SumWords } | undefined {
  try {
    program ??= new WebAssembly.Module(programBytes())
    const pages = Math.ceil(size / PAGE)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const { exports } = new WebAssembly.Instance(program, { slab: { memory } })
    return { buffer: memory.buffer, sumWords: exports.sumWords as SumWords }
  } catch {
    return undefined
  }
}
