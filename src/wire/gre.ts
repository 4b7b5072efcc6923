// The GRE header of RFC 2784 and RFC 2890: parse, emit, seal with a checksum, verify.
// Not the tunnel's judgement: which key, which sequence number and how short a frame are for tunnel/decapsulate.ts.
//
//   |C|R|K|S|  Reserved0  | Ver | Protocol Type |
//   | Checksum (if C)           | Reserved1     |   Invariant: the fields are positional,
//   | Key (if K)                                |   4 + 4·C + 4·K + 4·S octets.
//   | Sequence Number (if S)                    |

import { DROP } from '../drops.js'
import { sum } from './checksum.js'
import { read16, read32, write16, write32 } from './network-order.js'
import type { Octets } from './octets.js'

export const GRE_CHECKSUM = 0x8000
export const GRE_ROUTING = 0x4000
export const GRE_KEY = 0x2000
export const GRE_SEQUENCE = 0x1000
export const GRE_VERSION = 0x0007

/** Protocol Type of transparent Ethernet bridging: a frame without preamble and FCS. */
export const ETH_P_TEB = 0x6558

const OPTIONS = GRE_CHECKSUM | GRE_KEY | GRE_SEQUENCE
// Bits 1, 4 and 5: a packet with one of them is not for a receiver without the source routes of RFC 1701 (RFC 2784
// §2.3).
const SOURCE_ROUTE = GRE_ROUTING | 0x0c00

const TRUNCATED = -DROP.truncated
const BAD_VERSION = -DROP['bad-version']
const RESERVED_BITS = -DROP['reserved-bits']
const UNKNOWN_PROTOCOL = -DROP['unknown-protocol']

export interface GreHeader {
  /** The first 16 bits as they came: options, reserved bits, version. */
  flags: number
  /** An EtherType. */
  protocol: number
  /** 0 where absent. Read by nobody here: verifyGre sums the octets. */
  checksum: number
  /** 32 bits, unsigned; 0 where absent, so ask GRE_KEY whether there is one. */
  key: number
  /** 32 bits, unsigned; 0 where absent. */
  sequence: number
}

/** A fresh record that belongs to the caller. */
export function greHeader(): GreHeader {
  return { flags: 0, protocol: 0, checksum: 0, key: 0, sequence: 0 }
}

/** Octets of the header that goes with `flags`: 4 to 16. */
export function greHeaderLength(flags: number): number {
  return 4 + ((flags & GRE_CHECKSUM) >>> 13) + ((flags & GRE_KEY) >>> 11) + ((flags & GRE_SEQUENCE) >>> 10)
}

/**
 * Reads the header at `offset` of a packet that ends at `end` into `out`. Returns its length, or minus a drop code;
 * `out` holds something only in the first case. Bits 6 to 12 are ignored (RFC 2784 §2.3).
 */
export function parseGre(bytes: Uint8Array, offset: number, end: number, out: GreHeader): number {
  if (end - offset < 2) return TRUNCATED
  const flags = read16(bytes, offset)
  if (flags & GRE_VERSION) return BAD_VERSION
  if (flags & SOURCE_ROUTE) return RESERVED_BITS
  const length = greHeaderLength(flags)
  if (end - offset < length) return TRUNCATED
  const protocol = read16(bytes, offset + 2)
  if (protocol !== ETH_P_TEB) return UNKNOWN_PROTOCOL
  out.flags = flags
  out.protocol = protocol
  out.checksum = flags & GRE_CHECKSUM ? read16(bytes, offset + 4) : 0
  out.key = flags & GRE_KEY ? read32(bytes, offset + greHeaderLength(flags & GRE_CHECKSUM)) >>> 0 : 0
  out.sequence = flags & GRE_SEQUENCE ? read32(bytes, offset + length - 4) >>> 0 : 0
  return length
}

/**
 * Writes the header in front of `end`, where the frame starts, and returns where the packet starts. Of `header.flags`
 * only C, K and S go out; the checksum is left 0 for sealGre. RFC 2784 §2, RFC 2890 §2.
 */
export function emitGre(bytes: Uint8Array, end: number, header: GreHeader): number {
  const flags = header.flags & OPTIONS
  let at = end
  if (flags & GRE_SEQUENCE) {
    at -= 4
    write32(bytes, at, header.sequence | 0)
  }
  if (flags & GRE_KEY) {
    at -= 4
    write32(bytes, at, header.key | 0)
  }
  if (flags & GRE_CHECKSUM) {
    at -= 4
    write32(bytes, at, 0)
  }
  at -= 4
  write16(bytes, at, flags)
  write16(bytes, at + 2, header.protocol)
  return at
}

/**
 * Writes the checksum over header and payload [start, end) into a header that has C; Reserved1 becomes 0. Everything
 * else must be written by then. `rest` is the sum of what goes on elsewhere, which takes an even end. RFC 2784 §2.5.
 */
export function sealGre(memory: Octets, start: number, end: number, rest = 0): void {
  write32(memory.bytes, start + 4, 0)
  write16(memory.bytes, start + 4, ~sum(memory, start, end, rest))
}

/**
 * Whether the checksum of a packet that has C is right. Reserved1 is summed like the rest, as Linux does
 * (net/ipv4/gre_demux.c): what a sender wrote there is no reason to refuse.
 */
export function verifyGre(memory: Octets, start: number, end: number): boolean {
  return sum(memory, start, end) === 0xffff
}
