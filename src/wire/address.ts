// IPv4 addresses between text and number. Not a judge of what an address is good for, and no IPv6: that is the kernel's
// or node:net's. For options and logs, never for packets: these allocate.

/** Dotted quad of a 32-bit unsigned number. */
export function ipv4Text(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 0xff}.${(value >>> 8) & 0xff}.${value & 0xff}`
}

/**
 * The 32-bit unsigned number of a dotted quad, or -1 where `text` is none. Leading zeros are refused: some programs
 * read `010` as eight.
 */
export function ipv4Number(text: string): number {
  const parts = text.split('.')
  if (parts.length !== 4) return -1
  let value = 0
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return -1
    value = value * 256 + Number(part)
  }
  return value
}
