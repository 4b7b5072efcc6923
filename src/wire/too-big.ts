// The answer to a packet that does not fit: ICMP "fragmentation needed" (RFC 792, RFC 1191) or ICMPv6 "packet too big"
// (RFC 4443 §3.2), as a whole frame back to the sender. It comes from the address the packet went to, MAC and IP, as the
// kernel's tunnels do it: a bridge learns nothing new, and conntrack knows it as part of the flow.
// Invariant: what must not be answered is not (RFC 1122 §3.2.2, RFC 4443 §2.4): errors, groups, all but first fragments.

import { checksum, sum } from './checksum.js'
import { ETH_P_IP, ETH_P_IPV6, ethernetHeader, peekEthernet } from './ethernet.js'
import { emitIpv4, IPV4_BYTES, ipv4Header, parseIpv4 } from './ipv4.js'
import { emitIpv6, FRAGMENT, IPV6_BYTES } from './ipv6.js'
import { read16, write16, write32 } from './network-order.js'
import type { Octets } from './octets.js'

/** The least MTU of IPv6 (RFC 8200 §5). */
export const LEAST_IPV6_MTU = 1280
/** Octets of the longest answer, two VLAN tags included. */
export const MOST_ANSWER_BYTES = LEAST_IPV6_MTU + 22

const IPPROTO_ICMP = 1
const IPPROTO_ICMPV6 = 58
const ICMP_BYTES = 8
/** RFC 1812 §4.3.2.3: as much of the packet as 576 octets hold. */
const MOST_IPV4_ANSWER = 576
const DEST_UNREACH = 3
const FRAG_NEEDED = 4
const PACKET_TOO_BIG = 2
/** RFC 1812 §4.3.2.5: precedence of errors. */
const INTERNETWORK_CONTROL = 0xc0
/** Echo, router discovery, time stamp, information, address mask: the ICMP messages that ask or reply. */
const QUERIES: readonly number[] = [0, 8, 9, 10, 13, 14, 15, 16, 17, 18]
const FIRST_ICMPV6_INFORMATION = 128
const ICMPV6_REDIRECT = 137
const AUTHENTICATION = 51
/** Hop-by-hop, routing, fragment, authentication, destination options: what may stand before the upper layer. */
const EXTENSIONS: readonly number[] = [0, 43, FRAGMENT, AUTHENTICATION, 60]
const MAX_EXTENSIONS = 8

const ethernet = ethernetHeader()
const four = ipv4Header()
const answer = ipv4Header()
const six = { trafficClass: 0, flowLabel: 0, nextHeader: IPPROTO_ICMPV6, hopLimit: 64 }
const source6 = new Uint8Array(16)
const destination6 = new Uint8Array(16)

/**
 * Writes at `to` in `out` the answer to the frame [start, end) of `frame`, continued by [from, stop) of `rest`, that
 * the way on takes packets of `mtu` octets only (told to IPv6 as 1280 at least). Returns the octets of the answer, or 0
 * where there must be none. The frame's IPv4 header checksum is for the caller to verify.
 */
export function answerTooBig(
  out: Octets,
  to: number,
  frame: Octets,
  start: number,
  end: number,
  rest: Octets,
  from: number,
  stop: number,
  mtu: number,
): number {
  const { bytes } = frame
  const layer2 = peekEthernet(bytes, start, end, ethernet)
  if (layer2 < 0 || (bytes[start] & 1) === 1 || (bytes[start + 6] & 1) === 1) return 0
  const { etherType } = ethernet
  const ip = start + layer2
  const isIpv4 = etherType === ETH_P_IP && mayAnswerIpv4(bytes, ip, end, end - ip + stop - from)
  if (!isIpv4 && !(etherType === ETH_P_IPV6 && mayAnswerIpv6(bytes, ip, end, end - ip + stop - from))) return 0
  for (let i = 0; i < 6; i++) {
    out.bytes[to + i] = bytes[start + 6 + i]
    out.bytes[to + 6 + i] = bytes[start + i]
  }
  for (let i = 12; i < layer2; i++) out.bytes[to + i] = bytes[start + i]
  const icmp = to + layer2 + (isIpv4 ? IPV4_BYTES : IPV6_BYTES)
  const most = isIpv4 ? MOST_IPV4_ANSWER - IPV4_BYTES : LEAST_IPV6_MTU - IPV6_BYTES
  const quoted = quote(out.bytes, icmp + ICMP_BYTES, most - ICMP_BYTES, bytes, ip, end, rest.bytes, from, stop)
  const length = ICMP_BYTES + quoted
  if (isIpv4) sealIpv4(out, icmp, length, mtu)
  else sealIpv6(out, icmp, length, Math.max(mtu, LEAST_IPV6_MTU), bytes, ip)
  return icmp + length - to
}

function mayAnswerIpv4(bytes: Uint8Array, ip: number, end: number, most: number): boolean {
  // The headers are in the first piece, the packet may go on in the second.
  const header = (bytes[ip] & 0x0f) << 2
  if (end - ip < IPV4_BYTES || ip + header >= end || read16(bytes, ip + 2) > most) return false
  if (parseIpv4(bytes, ip, ip + most, four) < 0 || four.fragmentOffset > 0) return false
  if (!isHost(bytes[ip + 12]) || !isHost(bytes[ip + 16])) return false
  return four.protocol !== IPPROTO_ICMP || QUERIES.includes(bytes[ip + header])
}

/** By the first octet: this network, loopback, groups and broadcast are nobody's. */
function isHost(first: number): boolean {
  return first !== 0 && first !== 127 && first < 224
}

function mayAnswerIpv6(bytes: Uint8Array, ip: number, end: number, most: number): boolean {
  if (end - ip < IPV6_BYTES || bytes[ip] >>> 4 !== 6 || IPV6_BYTES + read16(bytes, ip + 4) > most) return false
  if (!isHost6(bytes, ip + 8) || !isHost6(bytes, ip + 24)) return false
  let next = bytes[ip + 6]
  let at = ip + IPV6_BYTES
  for (let i = 0; i < MAX_EXTENSIONS && EXTENSIONS.includes(next); i++) {
    if (at + 8 > end) return false
    if (next === FRAGMENT && (read16(bytes, at + 2) & 0xfff8) !== 0) return false
    const length = next === FRAGMENT ? 8 : next === AUTHENTICATION ? (bytes[at + 1] + 2) << 2 : (bytes[at + 1] + 1) << 3
    next = bytes[at]
    at += length
  }
  if (at >= end || EXTENSIONS.includes(next)) return false
  return next !== IPPROTO_ICMPV6 || (bytes[at] >= FIRST_ICMPV6_INFORMATION && bytes[at] !== ICMPV6_REDIRECT)
}

/** Neither a group nor the unspecified or the loopback address. */
function isHost6(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] === 0xff) return false
  for (let i = 0; i < 15; i++) if (bytes[at + i] !== 0) return true
  return bytes[at + 15] > 1
}

/** Copies up to `most` octets of the packet behind the ICMP header; returns how many. */
function quote(
  to: Uint8Array,
  at: number,
  most: number,
  head: Uint8Array,
  ip: number,
  end: number,
  rest: Uint8Array,
  from: number,
  stop: number,
): number {
  const first = Math.min(end - ip, most)
  for (let i = 0; i < first; i++) to[at + i] = head[ip + i]
  const second = Math.min(stop - from, most - first)
  for (let i = 0; i < second; i++) to[at + first + i] = rest[from + i]
  return first + second
}

function sealIpv4(out: Octets, icmp: number, length: number, mtu: number): void {
  const { bytes } = out
  write16(bytes, icmp, (DEST_UNREACH << 8) | FRAG_NEEDED)
  write32(bytes, icmp + 2, 0) // the checksum, and what RFC 1191 leaves unused
  write16(bytes, icmp + 6, mtu)
  write16(bytes, icmp + 2, checksum(out, icmp, icmp + length))
  answer.tos = INTERNETWORK_CONTROL
  answer.protocol = IPPROTO_ICMP
  answer.source = four.destination
  answer.destination = four.source
  emitIpv4(out, icmp, answer, length)
}

function sealIpv6(out: Octets, icmp: number, length: number, mtu: number, frame: Uint8Array, ip: number): void {
  const { bytes } = out
  for (let i = 0; i < 16; i++) {
    destination6[i] = frame[ip + 8 + i]
    source6[i] = frame[ip + 24 + i]
  }
  const at = emitIpv6(out, icmp, six, source6, destination6, length)
  write32(bytes, icmp, PACKET_TOO_BIG << 24)
  write32(bytes, icmp + 4, mtu)
  const total = sum(out, at + 8, icmp) + IPPROTO_ICMPV6 + length
  write16(bytes, icmp + 2, ~sum(out, icmp, icmp + length, (total & 0xffff) + (total >>> 16)))
}
