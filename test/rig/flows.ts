// Frames of TCP and UDP flows with right checksums, built the plain way: what a field is not given is the usual.
// Not a codec: nothing here is read back. A field is overridden after the checksums are in only by the tests themselves.

import type { Tag } from './frames.js'
import { naiveChecksum, naiveSum } from './naive/naive-checksum.js'

export const TCP = 6
export const UDP = 17
export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const PSH = 0x08
export const ACK = 0x10
export const URG = 0x20
export const ECE = 0x40
export const CWR = 0x80

export interface Inner {
  version?: 4 | 6
  /** TCP or UDP. */
  protocol?: number
  destinationMac?: readonly number[]
  sourceMac?: readonly number[]
  tags?: readonly Tag[]
  tos?: number
  ttl?: number
  df?: boolean
  id?: number
  flowLabel?: number
  /** Whole IPv4 options, a multiple of four octets. */
  ipOptions?: readonly number[]
  /** IPv6 extension headers in front of the transport: type, and the octets behind "next header" and "length". */
  extensions?: readonly (readonly [type: number, rest: readonly number[]])[]
  /** The last octet of each address. */
  source?: number
  destination?: number
  sourcePort?: number
  destinationPort?: number
  sequence?: number
  acknowledgment?: number
  flags?: number
  window?: number
  urgent?: number
  /** Whole TCP options, a multiple of four octets. */
  options?: readonly number[]
  payload?: Uint8Array
  /** What the transport's field holds: the checksum, the sum of the pseudo header only, or 0. */
  checksum?: 'right' | 'partial' | 'none'
  /** Octets behind the IP packet. */
  padding?: readonly number[]
}

/** TCP options as Linux sends them: two NOPs and time stamps. */
export const TIMESTAMPS = [1, 1, 8, 10, 0x80, 1, 2, 3, 0xf0, 5, 6, 7]

const two = (value: number) => [(value >>> 8) & 0xff, value & 0xff]
const four = (value: number) => [...two(value >>> 16), ...two(value)]

/** An Ethernet frame with an IP packet with a TCP segment or UDP datagram. */
export function innerFrame(inner: Inner = {}): Uint8Array {
  const { version = 4, tags = [], padding = [] } = inner
  const { destinationMac = [2, 0, 0, 0, 0, 0xa1], sourceMac = [2, 0, 0, 0, 0, 0xb2] } = inner
  const tagged = tags.flatMap(([tpid, vlan]) => [...two(tpid), ...two(vlan)])
  const etherType = version === 4 ? [0x08, 0x00] : [0x86, 0xdd]
  const packet = version === 4 ? ipv4(inner) : ipv6(inner)
  const header = [...destinationMac, ...sourceMac, ...tagged, ...etherType]
  return Uint8Array.from(Buffer.concat([Uint8Array.from(header), packet, Uint8Array.from(padding)]))
}

function ipv4(inner: Inner): Buffer {
  const { tos = 0, ttl = 64, df = true, id = 0, ipOptions = [], protocol = TCP, source = 1, destination = 2 } = inner
  const addresses = [192, 0, 2, source, 192, 0, 2, destination]
  const transport = sealed(inner, addresses)
  const size = 20 + ipOptions.length
  const first = [0x40 | (size / 4), tos, ...two(size + transport.length), ...two(id), df ? 0x40 : 0, 0]
  const header = Uint8Array.from([...first, ttl, protocol, 0, 0, ...addresses, ...ipOptions])
  header.set(two(naiveChecksum(header, 0, size)), 10)
  return Buffer.concat([header, transport])
}

function ipv6(inner: Inner): Buffer {
  const { tos = 0, ttl = 64, flowLabel = 0, extensions = [], protocol = TCP, source = 1, destination = 2 } = inner
  const prefix = [0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0)]
  const addresses = [...prefix, source, ...prefix, destination]
  const transport = sealed(inner, addresses)
  const types = [...extensions.map(([type]) => type), protocol]
  const between = extensions.flatMap(([, rest], i) => [types[i + 1], (rest.length + 2) / 8 - 1, ...rest])
  const first = four(0x6000_0000 + tos * 0x10_0000 + flowLabel)
  const header = [...first, ...two(between.length + transport.length), types[0], ttl, ...addresses, ...between]
  return Buffer.concat([Uint8Array.from(header), transport])
}

/** The transport packet with its checksum. */
function sealed(inner: Inner, addresses: readonly number[]): Uint8Array {
  const { protocol = TCP, checksum = 'right' } = inner
  const packet = protocol === TCP ? tcp(inner) : udp(inner)
  if (checksum === 'none') return packet
  const pseudo = Uint8Array.from([...addresses, 0, protocol, ...two(packet.length)])
  const all = Buffer.concat([pseudo, packet])
  const right = naiveChecksum(all, 0, all.length) || (protocol === UDP ? 0xffff : 0)
  packet.set(two(checksum === 'right' ? right : naiveSum(pseudo, 0, pseudo.length)), protocol === TCP ? 16 : 6)
  return packet
}

function tcp(inner: Inner): Uint8Array {
  const { sourcePort = 40000, destinationPort = 443, sequence = 0, acknowledgment = 0, flags = ACK } = inner
  const { window = 502, urgent = 0, options = [], payload = new Uint8Array() } = inner
  const numbers = [...two(sourcePort), ...two(destinationPort), ...four(sequence), ...four(acknowledgment)]
  const header = [...numbers, ((20 + options.length) / 4) << 4, flags, ...two(window), 0, 0, ...two(urgent), ...options]
  return Uint8Array.from(Buffer.concat([Uint8Array.from(header), payload]))
}

function udp(inner: Inner): Uint8Array {
  const { sourcePort = 40000, destinationPort = 443, payload = new Uint8Array() } = inner
  const header = [...two(sourcePort), ...two(destinationPort), ...two(8 + payload.length), 0, 0]
  return Uint8Array.from(Buffer.concat([Uint8Array.from(header), payload]))
}

/** Fields of frames with payloads of these sizes that follow each other in a flow. */
export function neighbours(inner: Inner, sizes: readonly number[]): Inner[] {
  const { sequence = 0, id = 0, protocol = TCP } = inner
  let ahead = 0
  return sizes.map((size, i) => {
    const payload = Uint8Array.from({ length: size }, (_, at) => (ahead + at) * 7 + protocol)
    const fields = { ...inner, id: (id + i) & 0xffff, sequence: (sequence + ahead) >>> 0, payload }
    ahead += size
    return fields
  })
}
