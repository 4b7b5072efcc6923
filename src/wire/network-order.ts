// Numbers in network order at any offset of bytes. Not bounds checks: whoever reads has compared with the end before.
// Invariant: 32 bits cross these calls as signed numbers. V8 keeps those in a register, but allocates for one above
// 2^31 wherever it did not inline the call; callers write `>>> 0` and `| 0`.

/** 16 bits, unsigned. */
export function read16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1]
}

/** 32 bits, signed. */
export function read32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
}

/** The low 16 bits of `value`. */
export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

/** 32 bits, signed. */
export function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
