// TCP and UDP in a frame, found by slicing header after header off, and their checksums over a pseudo header that is
// really built. The oracle of offload/layers.ts and offload/transport-checksum.ts.
// Invariant: shares no line and no constant with them.

import { naiveSum } from './naive-checksum.js'
import { naiveEthernet } from './naive-ethernet.js'
import { naiveIpv4, naiveIpv6 } from './naive-ip.js'

/** Offsets in the frame. */
export interface NaiveTransport {
  version: number
  ip: number
  protocol: number
  transport: number
  payload: number
  stop: number
}

/** The extension headers of RFC 8200 §4, and others of IANA's list behind which a TCP or UDP packet may stand. */
const EXTENSIONS = [0, 43, 44, 51, 60, 135, 139, 140]

/** Where the headers are; 'other' for what is no part of a TCP or UDP flow, 'unclear' for what may be one. */
export function naiveTransport(frame: Uint8Array): NaiveTransport | 'other' | 'unclear' {
  const ethernet = naiveEthernet(frame)
  const type = ethernet?.etherType.toString(16)
  if (ethernet === undefined || (type !== '800' && type !== '86dd')) return 'other'
  const packet = frame.slice(ethernet.length)
  const found = type === '800' ? inIpv4(packet) : inIpv6(packet)
  if (typeof found === 'string') return found
  const shift = ethernet.length
  const { ip, transport, payload, stop } = found
  return { ...found, ip: ip + shift, transport: transport + shift, payload: payload + shift, stop: stop + shift }
}

function inIpv4(packet: Uint8Array): NaiveTransport | 'other' | 'unclear' {
  const parsed = naiveIpv4(packet)
  if (parsed === undefined) return 'unclear'
  const { protocol, moreFragments, fragmentOffset, totalLength } = parsed.header
  if (protocol !== 6 && protocol !== 17) return 'other'
  if (moreFragments || fragmentOffset > 0) return 'unclear'
  return inTransport(4, protocol, packet.slice(0, totalLength), parsed.length)
}

function inIpv6(packet: Uint8Array): NaiveTransport | 'other' | 'unclear' {
  const parsed = naiveIpv6(packet)
  if (parsed === undefined) return 'unclear'
  const { nextHeader, payloadLength } = parsed.header
  if (EXTENSIONS.includes(nextHeader)) return 'unclear'
  if (nextHeader !== 6 && nextHeader !== 17) return 'other'
  return inTransport(6, nextHeader, packet.slice(0, 40 + payloadLength), parsed.length)
}

function inTransport(version: number, protocol: number, packet: Uint8Array, at: number): NaiveTransport | 'unclear' {
  const upper = packet.slice(at)
  const least = protocol === 6 ? 20 : 8
  if (upper.length < least) return 'unclear'
  const size = protocol === 6 ? Math.floor(upper[12] / 16) * 4 : 8
  if (size < least || size > upper.length) return 'unclear'
  return { version, protocol, ip: 0, transport: at, payload: at + size, stop: packet.length }
}

/** The sum over the pseudo header of a transport packet of `length` octets. */
export function naivePseudoSum(frame: Uint8Array, at: NaiveTransport, length: number): number {
  const addresses = at.version === 4 ? frame.slice(at.ip + 12, at.ip + 20) : frame.slice(at.ip + 8, at.ip + 40)
  const pseudo = Uint8Array.from([...addresses, 0, at.protocol, Math.floor(length / 256), length % 256])
  return naiveSum(pseudo, 0, pseudo.length)
}

/** Whether the transport's checksum is right. */
export function naiveVerify(frame: Uint8Array, at: NaiveTransport): boolean {
  const total = naiveSum(frame, at.transport, at.stop) + naivePseudoSum(frame, at, at.stop - at.transport)
  return total > 0 && total % 65535 === 0
}

/** Whether the IPv4 header's checksum is right. */
export function naiveVerifyIp(frame: Uint8Array, at: NaiveTransport): boolean {
  return at.version === 6 || naiveSum(frame, at.ip, at.transport) === 0xffff
}

/** Whether the field holds the sum of the pseudo header, and that is not the checksum. */
export function naiveIsPartial(frame: Uint8Array, at: NaiveTransport): boolean {
  const field = at.transport + (at.protocol === 6 ? 16 : 6)
  const held = frame[field] * 256 + frame[field + 1]
  return held === naivePseudoSum(frame, at, at.stop - at.transport) && !naiveVerify(frame, at)
}
