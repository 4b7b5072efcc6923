// Where the headers of a TCP or UDP frame lie, for the two that take frames apart and put them together. Only looks.
// Invariant: after FOUND, start < ip < transport < payload <= stop <= end, and all of the headers may be read.

import { ETH_P_IP, ETH_P_IPV6, ethernetHeader, peekEthernet } from '../wire/ethernet.js'
import { IPV4_BYTES } from '../wire/ipv4.js'
import { IPV6_BYTES, ipv6Header, parseIpv6 } from '../wire/ipv6.js'
import { read16 } from '../wire/network-order.js'

export const IPPROTO_TCP = 6
export const IPPROTO_UDP = 17

/** Offsets in memory of the frame looked at last. */
export interface Layers {
  /** 4 or 6. */
  version: number
  ip: number
  /** IPPROTO_TCP or IPPROTO_UDP. */
  protocol: number
  transport: number
  payload: number
  /** Where the IP packet ends; what the frame has behind it is padding. */
  stop: number
}

/** A fresh record that belongs to the caller. */
export function layers(): Layers {
  return { version: 0, ip: 0, protocol: 0, transport: 0, payload: 0, stop: 0 }
}

/** A whole TCP or UDP packet with headers in full. */
export const FOUND = 1
/** No part of any TCP or UDP flow: another EtherType, another protocol. */
export const OTHER = 0
/** Maybe a part of a flow, but not one that can be told: a fragment, an extension header, headers that do not hold together. */
export const UNCLEAR = -1

/** Octets of a TCP header without options. */
export const TCP_BYTES = 20
const UDP_BYTES = 8
const MORE_FRAGMENTS_AND_OFFSET = 0x3fff
/** What parseIpv6 may stop at, and what may stand in front of TCP: too many options, routing, fragment, AH, and so on. */
const EXTENSIONS: readonly number[] = [0, 43, 44, 51, 60, 135, 139, 140]

const ethernet = ethernetHeader()
const six = ipv6Header()

/** Looks at the frame [start, end). Fills `out` and returns FOUND, or says why not. */
export function findLayers(bytes: Uint8Array, start: number, end: number, out: Layers): number {
  const layer2 = peekEthernet(bytes, start, end, ethernet)
  if (layer2 < 0) return OTHER
  const ip = start + layer2
  if (ethernet.etherType === ETH_P_IP) return ipv4Layers(bytes, ip, end, out)
  return ethernet.etherType === ETH_P_IPV6 ? ipv6Layers(bytes, ip, end, out) : OTHER
}

function ipv4Layers(bytes: Uint8Array, ip: number, end: number, out: Layers): number {
  if (end - ip < IPV4_BYTES) return UNCLEAR
  const header = (bytes[ip] & 0x0f) << 2
  const stop = ip + read16(bytes, ip + 2)
  if (bytes[ip] >>> 4 !== 4 || header < IPV4_BYTES || ip + header > stop || stop > end) return UNCLEAR
  const protocol = bytes[ip + 9]
  if (protocol !== IPPROTO_TCP && protocol !== IPPROTO_UDP) return OTHER
  if (read16(bytes, ip + 6) & MORE_FRAGMENTS_AND_OFFSET) return UNCLEAR
  out.version = 4
  return transportLayers(bytes, ip, protocol, ip + header, stop, out)
}

function ipv6Layers(bytes: Uint8Array, ip: number, end: number, out: Layers): number {
  const header = parseIpv6(bytes, ip, end, six)
  if (header < 0) return UNCLEAR
  const protocol = six.nextHeader
  if (protocol !== IPPROTO_TCP && protocol !== IPPROTO_UDP) return EXTENSIONS.includes(protocol) ? UNCLEAR : OTHER
  out.version = 6
  return transportLayers(bytes, ip, protocol, ip + header, ip + IPV6_BYTES + six.payloadLength, out)
}

function transportLayers(
  bytes: Uint8Array,
  ip: number,
  protocol: number,
  transport: number,
  stop: number,
  out: Layers,
): number {
  const least = protocol === IPPROTO_TCP ? TCP_BYTES : UDP_BYTES
  if (transport + least > stop) return UNCLEAR
  const header = protocol === IPPROTO_TCP ? (bytes[transport + 12] >>> 4) << 2 : UDP_BYTES
  if (header < least || transport + header > stop) return UNCLEAR
  out.ip = ip
  out.protocol = protocol
  out.transport = transport
  out.payload = transport + header
  out.stop = stop
  return FOUND
}
