// What becomes of the congestion mark of an outer header when it comes off (RFC 6040 §4.2, RFC 9601): it is carried into the
// inner one, or the packet is dropped where its sender could not understand it. Copying it out is tunnel/encapsulate's.
// Invariant: only the ECN field changes, and the checksum of an IPv4 header with it.

import { DROP } from '../drops.js'
import { updateChecksum } from './checksum.js'
import { ETH_P_IP, ETH_P_IPV6, ethernetHeader, peekEthernet } from './ethernet.js'
import { IPV4_BYTES } from './ipv4.js'
import { IPV6_BYTES } from './ipv6.js'
import { read16, write16 } from './network-order.js'
import type { Octets } from './octets.js'

export const NOT_ECT = 0
export const ECT_1 = 1
export const ECT_0 = 2
export const CE = 3

const ECN_MASK = 3
const ECN_DROP = -DROP.ecn

const ethernet = ethernetHeader()

/** Whether an outer TOS or traffic class may change the inner one at all. */
export function marks(outer: number): boolean {
  return (outer & 1) === 1 // ECT(1) and CE
}

/**
 * Carries the mark of the outer TOS or traffic class into the frame [start, end), behind VLAN tags too. Returns 0, or
 * minus DROP.ecn for CE around a packet whose ends know nothing of ECN. Frames that are not IP stay as they are.
 */
export function decapsulateEcn(memory: Octets, start: number, end: number, outer: number): number {
  const { bytes } = memory
  const layer2 = peekEthernet(bytes, start, end, ethernet)
  if (layer2 < 0) return 0
  const ip = start + layer2
  const version = bytes[ip] >>> 4
  if (ethernet.etherType === ETH_P_IP && version === 4 && end - ip >= IPV4_BYTES) return ofIpv4(bytes, ip, outer)
  if (ethernet.etherType === ETH_P_IPV6 && version === 6 && end - ip >= IPV6_BYTES) return ofIpv6(bytes, ip, outer)
  return 0
}

function ofIpv4(bytes: Uint8Array, ip: number, outer: number): number {
  const inner = bytes[ip + 1] & ECN_MASK
  const mark = combined(inner, outer & ECN_MASK)
  if (mark === inner || mark < 0) return mark < 0 ? mark : 0
  const before = read16(bytes, ip)
  bytes[ip + 1] = (bytes[ip + 1] & ~ECN_MASK) | mark
  write16(bytes, ip + 10, updateChecksum(read16(bytes, ip + 10), before, read16(bytes, ip)))
  return 0
}

/** The traffic class lies across two octets, its ECN field in the middle of the second. */
function ofIpv6(bytes: Uint8Array, ip: number, outer: number): number {
  const inner = (bytes[ip + 1] >>> 4) & ECN_MASK
  const mark = combined(inner, outer & ECN_MASK)
  if (mark < 0) return mark
  bytes[ip + 1] = (bytes[ip + 1] & ~(ECN_MASK << 4)) | (mark << 4)
  return 0
}

/** RFC 6040 figure 4: the field of the packet that goes on, or minus the drop code. */
function combined(inner: number, outer: number): number {
  if (outer === CE) return inner === NOT_ECT ? ECN_DROP : CE
  return outer === ECT_1 && inner === ECT_0 ? ECT_1 : inner
}
