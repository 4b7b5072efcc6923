// The checksum of TCP and UDP (RFC 9293 §3.1, RFC 768, RFC 8200 §8.1): its pseudo header, its verification, and the
// completion of one that was left to us, of which the field holds the sum over the pseudo header alone.

import { checksum, sum } from '../wire/checksum.js'
import { read16, write16 } from '../wire/network-order.js'
import type { Octets } from '../wire/octets.js'
import { IPPROTO_TCP, type Layers } from './layers.js'

/** Where the field lies in the transport header. */
export const TCP_CHECKSUM = 16
export const UDP_CHECKSUM = 6

/** Sum over the pseudo header of a transport packet of `length` octets, header included; 16 bits, not complemented. */
export function pseudoSum(memory: Octets, at: Layers, length: number): number {
  const addresses = at.version === 4 ? sum(memory, at.ip + 12, at.ip + 20) : sum(memory, at.ip + 8, at.ip + 40)
  const total = addresses + at.protocol + length
  const once = (total & 0xffff) + (total >>> 16)
  return (once & 0xffff) + (once >>> 16)
}

/** Offset of the checksum field in the transport header. */
export function checksumField(at: Layers): number {
  return at.protocol === IPPROTO_TCP ? TCP_CHECKSUM : UDP_CHECKSUM
}

/** Whether the checksum of a packet is right. (The 0 of a UDP packet without one is not.) */
export function verifyTransport(memory: Octets, at: Layers): boolean {
  return sum(memory, at.transport, at.stop, pseudoSum(memory, at, at.stop - at.transport)) === 0xffff
}

/** Whether all checksums of a packet are right, that of an IPv4 header too. */
export function verifyPacket(memory: Octets, at: Layers): boolean {
  return verifyIp(memory, at) && verifyTransport(memory, at)
}

function verifyIp(memory: Octets, at: Layers): boolean {
  return at.version === 6 || sum(memory, at.ip, at.transport) === 0xffff
}

/**
 * Whether the field holds nothing but the pseudo header's sum: the rest was left to hardware that was not there. Not of
 * a packet whose IPv4 header is wrong, since whoever cuts it writes that anew and so makes it right.
 */
export function isPartial(memory: Octets, at: Layers): boolean {
  const partial = pseudoSum(memory, at, at.stop - at.transport)
  const held = read16(memory.bytes, at.transport + checksumField(at))
  return held === partial && !verifyTransport(memory, at) && verifyIp(memory, at)
}

/**
 * Fills in the checksum over [from, end) at `field`, which holds the pseudo header's sum. In UDP 0 says "none", and 0xffff stands
 * for it (RFC 768); elsewhere 0 is what a sender writes, and 0xffff what Wireshark calls wrong (RFC 1624 §3).
 */
export function completeChecksum(memory: Octets, from: number, end: number, field: number): void {
  const zero = field - from === UDP_CHECKSUM ? 0xffff : 0
  write16(memory.bytes, field, checksum(memory, from, end) || zero)
}
