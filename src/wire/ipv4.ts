// The IPv4 header (RFC 791): parse and emit. Not a judge: a wrong header checksum is for the kernel to refuse, which
// does so before a raw socket sees the packet. Options are stepped over, and none are sent.
// Invariant: the header returned lies inside [offset, end), and so does the packet of totalLength.

import { DROP } from '../drops.js'
import { checksum } from './checksum.js'
import { read16, read32, write16, write32 } from './network-order.js'
import type { Octets } from './octets.js'

/** Octets of a header without options. */
export const IPV4_BYTES = 20
const DONT_FRAGMENT = 0x4000
const MORE_FRAGMENTS = 0x2000
const FRAGMENT_OFFSET = 0x1fff
const TRUNCATED = -DROP.truncated

export interface Ipv4Header {
  /** Octets, header included. */
  totalLength: number
  /** DSCP and, in the low two bits, ECN. */
  tos: number
  id: number
  dontFragment: boolean
  moreFragments: boolean
  /** Octets, a multiple of 8. */
  fragmentOffset: number
  ttl: number
  protocol: number
  /** 32 bits, unsigned. */
  source: number
  /** 32 bits, unsigned. */
  destination: number
}

/** A fresh record that belongs to the caller: a whole packet, DF set, TTL 64. */
export function ipv4Header(): Ipv4Header {
  return {
    totalLength: 0,
    tos: 0,
    id: 0,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 64,
    protocol: 0,
    source: 0,
    destination: 0,
  }
}

/**
 * Reads the header at `offset` into `out`; the packet may end before `end`. Returns the header's octets, options
 * included, or minus DROP.truncated for whatever is not an IPv4 packet in full; `out` holds something only in the first
 * case.
 */
export function parseIpv4(bytes: Uint8Array, offset: number, end: number, out: Ipv4Header): number {
  if (end - offset < IPV4_BYTES || bytes[offset] >>> 4 !== 4) return TRUNCATED
  const length = (bytes[offset] & 0x0f) << 2
  const totalLength = read16(bytes, offset + 2)
  if (length < IPV4_BYTES || totalLength < length || totalLength > end - offset) return TRUNCATED
  const fragment = read16(bytes, offset + 6)
  out.totalLength = totalLength
  out.tos = bytes[offset + 1]
  out.id = read16(bytes, offset + 4)
  out.dontFragment = (fragment & DONT_FRAGMENT) !== 0
  out.moreFragments = (fragment & MORE_FRAGMENTS) !== 0
  out.fragmentOffset = (fragment & FRAGMENT_OFFSET) << 3
  out.ttl = bytes[offset + 8]
  out.protocol = bytes[offset + 9]
  out.source = read32(bytes, offset + 12) >>> 0
  out.destination = read32(bytes, offset + 16) >>> 0
  return length
}

/**
 * Writes 20 octets, checksum included, in front of `end`, where a payload of `payloadLength` octets starts. Returns
 * where the packet starts. `header.totalLength` is not read.
 */
export function emitIpv4(memory: Octets, end: number, header: Ipv4Header, payloadLength: number): number {
  const bytes = memory.bytes
  const at = end - IPV4_BYTES
  const flags = (header.dontFragment ? DONT_FRAGMENT : 0) | (header.moreFragments ? MORE_FRAGMENTS : 0)
  bytes[at] = 0x45 // version 4, five words
  bytes[at + 1] = header.tos
  write16(bytes, at + 2, IPV4_BYTES + payloadLength)
  write16(bytes, at + 4, header.id)
  write16(bytes, at + 6, flags | ((header.fragmentOffset >>> 3) & FRAGMENT_OFFSET))
  bytes[at + 8] = header.ttl
  bytes[at + 9] = header.protocol
  write16(bytes, at + 10, 0)
  write32(bytes, at + 12, header.source | 0)
  write32(bytes, at + 16, header.destination | 0)
  write16(bytes, at + 10, checksum(memory, at, end))
  return at
}
