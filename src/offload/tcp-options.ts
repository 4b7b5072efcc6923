// The options of a TCP header (RFC 9293 §3.2), walked over and never changed.

const END = 0
const NOP = 1

/** Maximum segment size (RFC 9293 §3.7.1), the MD5 signature (RFC 2385), the authentication option (RFC 5925). */
export const MSS = 2
export const MD5 = 19
export const AO = 29

/** Where the option `kind` starts in the options [from, to), or -1. A malformed option ends the walk. */
export function findTcpOption(bytes: Uint8Array, from: number, to: number, kind: number): number {
  let at = from
  while (at < to && bytes[at] !== END) {
    if (bytes[at] === NOP) {
      at++
      continue
    }
    const length = at + 1 < to ? bytes[at + 1] : 0
    if (length < 2 || at + length > to) return -1
    if (bytes[at] === kind) return at
    at += length
  }
  return -1
}
