// Where the IP packet in a frame ends. Behind it there may be padding, a check sequence, a time stamp of a switch.

import { ETH_P_IP, ETH_P_IPV6, ethernetHeader, peekEthernet } from './ethernet.js'
import { ipv4Header, parseIpv4 } from './ipv4.js'
import { IPV6_BYTES } from './ipv6.js'
import { read16 } from './network-order.js'

const ethernet = ethernetHeader()
const four = ipv4Header()

/** Of the frame [start, end): the offset behind its IP packet, or `end` where it has none, or none whose length can be true. */
export function packetEnd(bytes: Uint8Array, start: number, end: number): number {
  const layer2 = peekEthernet(bytes, start, end, ethernet)
  if (layer2 < 0) return end
  const ip = start + layer2
  if (ethernet.etherType === ETH_P_IP) return parseIpv4(bytes, ip, end, four) < 0 ? end : ip + four.totalLength
  if (ethernet.etherType !== ETH_P_IPV6 || end - ip < IPV6_BYTES || bytes[ip] >>> 4 !== 6) return end
  const payload = read16(bytes, ip + 4) // 0 may stand for more than 16 bits hold (RFC 2675)
  return payload === 0 || IPV6_BYTES + payload > end - ip ? end : ip + IPV6_BYTES + payload
}
