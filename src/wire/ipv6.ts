// The IPv6 header (RFC 8200): parse, with the two extension headers a tunnel meets, and emit, without any.
// Not addresses as values: 128 bits stay where they lie and are known by their offset.
// Invariant: every header walked over lies inside the packet of payloadLength.

import { DROP } from '../drops.js'
import { read16, write16 } from './network-order.js'
import type { Octets } from './octets.js'

/** Octets of a header without extensions. */
export const IPV6_BYTES = 40
/** Next header of the fragment header (RFC 8200 §4.5). */
export const FRAGMENT = 44
const HOP_BY_HOP = 0
const DESTINATION_OPTIONS = 60
// An honest packet has at most three of them (RFC 8200 §4.1); a hostile one could have thousands.
const MAX_EXTENSIONS = 8
const TRUNCATED = -DROP.truncated

export interface Ipv6Header {
  /** Octets behind the first 40, extension headers included. */
  payloadLength: number
  /** DSCP and, in the low two bits, ECN. */
  trafficClass: number
  /** 20 bits. */
  flowLabel: number
  /** Protocol of what follows the headers walked over. */
  nextHeader: number
  hopLimit: number
  /** Where the 16 octets of the source address lie. */
  sourceOffset: number
  /** Where the 16 octets of the destination address lie. */
  destinationOffset: number
}

/** A fresh record that belongs to the caller: hop limit 64. */
export function ipv6Header(): Ipv6Header {
  return {
    payloadLength: 0,
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: 0,
    hopLimit: 64,
    sourceOffset: 0,
    destinationOffset: 0,
  }
}

/**
 * Reads the header at `offset` into `out`; the packet may end before `end`. Returns the octets up to the upper layer,
 * hop-by-hop and destination options included (Linux ip6gretap sends the latter, RFC 2473 §4.1.1), or minus
 * DROP.truncated for whatever is not an IPv6 packet in full; `out` holds something only in the first case.
 * Any other extension header, and a ninth of those two, ends the walk: nextHeader then names it.
 */
export function parseIpv6(bytes: Uint8Array, offset: number, end: number, out: Ipv6Header): number {
  if (end - offset < IPV6_BYTES || bytes[offset] >>> 4 !== 6) return TRUNCATED
  const payloadLength = read16(bytes, offset + 4)
  if (payloadLength > end - offset - IPV6_BYTES) return TRUNCATED
  const last = offset + IPV6_BYTES + payloadLength
  let at = offset + IPV6_BYTES
  let next = bytes[offset + 6]
  for (let i = 0; i < MAX_EXTENSIONS && (next === HOP_BY_HOP || next === DESTINATION_OPTIONS); i++) {
    if (at + 8 > last) return TRUNCATED
    next = bytes[at]
    at += (bytes[at + 1] + 1) << 3
    if (at > last) return TRUNCATED
  }
  out.payloadLength = payloadLength
  out.trafficClass = (read16(bytes, offset) >>> 4) & 0xff
  out.flowLabel = ((bytes[offset + 1] & 0x0f) << 16) | read16(bytes, offset + 2)
  out.nextHeader = next
  out.hopLimit = bytes[offset + 7]
  out.sourceOffset = offset + 8
  out.destinationOffset = offset + 24
  return at - offset
}

/**
 * Writes 40 octets in front of `end`, where a payload of `payloadLength` octets starts, with the addresses from the
 * first 16 octets of `source` and `destination`. Returns where the packet starts.
 */
export function emitIpv6(
  memory: Octets,
  end: number,
  header: Pick<Ipv6Header, 'trafficClass' | 'flowLabel' | 'nextHeader' | 'hopLimit'>,
  source: Uint8Array,
  destination: Uint8Array,
  payloadLength: number,
): number {
  const bytes = memory.bytes
  const at = end - IPV6_BYTES
  write16(bytes, at, 0x6000 | ((header.trafficClass & 0xff) << 4) | ((header.flowLabel >>> 16) & 0x0f))
  write16(bytes, at + 2, header.flowLabel)
  write16(bytes, at + 4, payloadLength)
  bytes[at + 6] = header.nextHeader
  bytes[at + 7] = header.hopLimit
  for (let i = 0; i < 16; i++) {
    bytes[at + 8 + i] = source[i]
    bytes[at + 24 + i] = destination[i]
  }
  return at
}
