// Lowers the maximum segment size that the two ends of a TCP connection tell each other in their SYNs, so that what they send
// fits the tunnel whole. What `iptables -j TCPMSS` does, and RFC 4459 §3.2 describes. Never raises one, never adds the option.
// Invariant: a right checksum stays right, a wrong one wrong, a partial one partial.

import { updateChecksum } from '../wire/checksum.js'
import { ETH_P_8021AD, ETH_P_8021Q, ETH_P_IP, ETH_P_IPV6 } from '../wire/ethernet.js'
import { IPV6_BYTES } from '../wire/ipv6.js'
import { read16, write16 } from '../wire/network-order.js'
import type { Octets } from '../wire/octets.js'
import { FOUND, findLayers, IPPROTO_TCP, layers, TCP_BYTES } from './layers.js'
import { findTcpOption, MSS } from './tcp-options.js'
import { isPartial, TCP_CHECKSUM } from './transport-checksum.js'

const ETHERNET_BYTES = 14
const FLAGS = 13
const SYN = 0x02

const at = layers()

/** Whether a frame of 14 octets or more may be a SYN: quickly, for every frame; with a VLAN tag any may. */
export function maybeSyn(bytes: Uint8Array, start: number, end: number): boolean {
  const etherType = read16(bytes, start + 12)
  const ip = start + ETHERNET_BYTES
  if (etherType === ETH_P_IP) {
    const tcp = ip + ((bytes[ip] & 0x0f) << 2)
    return bytes[ip + 9] === IPPROTO_TCP && tcp + FLAGS < end && (bytes[tcp + FLAGS] & SYN) !== 0
  }
  if (etherType !== ETH_P_IPV6) return etherType === ETH_P_8021Q || etherType === ETH_P_8021AD
  const next = bytes[ip + 6]
  if (next !== IPPROTO_TCP) return next === 0 || next === 60 // options first: findLayers walks over them
  return ip + IPV6_BYTES + FLAGS < end && (bytes[ip + IPV6_BYTES + FLAGS] & SYN) !== 0
}

/** Clamps the MSS of the frame [start, end), if it is a SYN that has one, to what frames of `longest` octets carry. */
export function clampMss(memory: Octets, start: number, end: number, longest: number): void {
  const { bytes } = memory
  if (findLayers(bytes, start, end, at) !== FOUND || at.protocol !== IPPROTO_TCP) return
  const { transport } = at
  if ((bytes[transport + FLAGS] & SYN) === 0) return
  const option = findTcpOption(bytes, transport + TCP_BYTES, at.payload, MSS)
  const most = longest - (transport - start) - TCP_BYTES
  if (option < 0 || bytes[option + 1] !== 4 || most < 1 || read16(bytes, option + 2) <= most) return
  const partial = isPartial(memory, at)
  replace16(bytes, transport, option + 2, most, partial ? -1 : transport + TCP_CHECKSUM)
}

/** Writes a word at `target`, even or odd, and brings up to date the checksum at `field`, over words from `base`. */
function replace16(bytes: Uint8Array, base: number, target: number, value: number, field: number): void {
  const first = target - ((target - base) & 1)
  const before0 = read16(bytes, first)
  const before1 = read16(bytes, first + 2)
  write16(bytes, target, value)
  if (field < 0) return
  const once = updateChecksum(read16(bytes, field), before0, read16(bytes, first))
  write16(bytes, field, target === first ? once : updateChecksum(once, before1, read16(bytes, first + 2)))
}
