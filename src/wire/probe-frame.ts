// The frame by which two tsgre ask each other whether a size passes: "did this arrive?" and "this many octets did". Its group
// address is one that bridges do not forward (IEEE 802.1Q table 8-1), its EtherType the first of the two local experimental
// ones (IEEE 802). Not a judge: whether an answer belongs to a question is tunnel/prober's to know, by the nonce.
//
//   14 Ethernet header · 4 "tsgr" · 1 version · 1 kind · 2 size · 8 nonce · zeros up to the size

import { read16, read32, write16, write32 } from './network-order.js'

export const ETH_P_PROBE = 0x88b5
/** A frame without padding, and the shortest that goes out: Ethernet's least, less its FCS. */
const HEADER_BYTES = 30
export const LEAST_PROBE_BYTES = 60

export const ASK = 1
export const ANSWER = 2

const GROUP: readonly number[] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x03]
const SOURCE: readonly number[] = [0x02, 0x74, 0x73, 0x67, 0x72, 0x65] // locally administered
const MAGIC = 0x74736772
const VERSION = 1

export interface ProbeFrame {
  /** ASK or ANSWER. */
  kind: number
  /** Octets of the frame that asks. */
  size: number
  /** Two words, signed: whoever answers repeats them. */
  nonce0: number
  nonce1: number
}

/** A fresh record that belongs to the caller. */
export function probeFrame(): ProbeFrame {
  return { kind: 0, size: 0, nonce0: 0, nonce1: 0 }
}

/** Whether the frame [start, end) may be a probe: its EtherType and address say so. */
export function isProbe(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 14 || read16(bytes, start + 12) !== ETH_P_PROBE) return false
  for (let i = 0; i < GROUP.length; i++) if (bytes[start + i] !== GROUP[i]) return false
  return true
}

/** Reads a frame of which isProbe; false for what is none of ours, or does not have the size that it says. */
export function parseProbe(bytes: Uint8Array, start: number, end: number, out: ProbeFrame): boolean {
  if (end - start < HEADER_BYTES || read32(bytes, start + 14) !== MAGIC || bytes[start + 18] !== VERSION) return false
  out.kind = bytes[start + 19]
  out.size = read16(bytes, start + 20)
  out.nonce0 = read32(bytes, start + 22)
  out.nonce1 = read32(bytes, start + 26)
  return out.kind === ANSWER || (out.kind === ASK && out.size === end - start)
}

/** Writes a frame at `start` and returns its octets: an ASK is as long as its size. */
export function emitProbe(bytes: Uint8Array, start: number, probe: ProbeFrame): number {
  const length = probe.kind === ASK ? probe.size : LEAST_PROBE_BYTES
  bytes.fill(0, start, start + length)
  for (let i = 0; i < GROUP.length; i++) {
    bytes[start + i] = GROUP[i]
    bytes[start + 6 + i] = SOURCE[i]
  }
  write16(bytes, start + 12, ETH_P_PROBE)
  write32(bytes, start + 14, MAGIC)
  bytes[start + 18] = VERSION
  bytes[start + 19] = probe.kind
  write16(bytes, start + 20, probe.size)
  write32(bytes, start + 22, probe.nonce0)
  write32(bytes, start + 26, probe.nonce1)
  return length
}
