// A GRE packet as a test wants to see it: outer IP, GRE, frame, inner IP, each field by name. Read with the project's own
// codecs, which other tests hold against naive twins; tcpdump is the second opinion. Throws for what is no such packet.

import {
  ETH_P_IP,
  ETH_P_IPV6,
  ethernetHeader,
  GRE_CHECKSUM,
  GRE_KEY,
  GRE_SEQUENCE,
  greHeader,
  ipv4Header,
  ipv4Text,
  ipv6Header,
  octets,
  parseGre,
  parseIpv4,
  parseIpv6,
  peekEthernet,
  verifyGre,
} from '#tsgre/wire/index.js'

/** Hop limit and traffic class of IPv6 stand under IPv4's names. */
export interface SeenIp {
  version: 4 | 6
  tos: number
  /** 0 with IPv6. */
  id: number
  df: boolean
  ttl: number
  protocol: number
  source: string
  destination: string
  /** Octets behind the header. */
  payload: number
}

export interface SeenGre {
  flags: number
  protocol: number
  key: number | undefined
  sequence: number | undefined
  checksum: 'good' | 'bad' | undefined
  /** The whole header as hexadecimal digits. */
  header: string
}

export interface SeenFrame {
  destination: string
  source: string
  vlan: number
  etherType: number
  ip: SeenIp | undefined
  /** What lies behind the headers named here. */
  rest: Buffer
  length: number
}

export interface SeenPacket {
  outer: SeenIp
  gre: SeenGre
  frame: SeenFrame
}

function must(length: number, what: string): number {
  if (length < 0) throw new Error(`not ${what}`)
  return length
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** The header at `at`, and where its payload starts and ends. */
function seeIp(bytes: Uint8Array, at: number): { ip: SeenIp; from: number; to: number } {
  if (bytes[at] >>> 4 === 6) return seeIpv6(bytes, at)
  const header = ipv4Header()
  const from = at + must(parseIpv4(bytes, at, bytes.length, header), 'an IPv4 packet')
  if (header.moreFragments || header.fragmentOffset > 0) throw new Error('a fragment')
  const to = at + header.totalLength
  const { tos, id, dontFragment, ttl, protocol } = header
  const [source, destination] = [ipv4Text(header.source), ipv4Text(header.destination)]
  return {
    ip: { version: 4, tos, id, df: dontFragment, ttl, protocol, source, destination, payload: to - from },
    from,
    to,
  }
}

function seeIpv6(bytes: Uint8Array, at: number): { ip: SeenIp; from: number; to: number } {
  const header = ipv6Header()
  const from = at + must(parseIpv6(bytes, at, bytes.length, header), 'an IPv6 packet')
  const to = at + 40 + header.payloadLength
  const { trafficClass: tos, hopLimit: ttl, nextHeader: protocol, sourceOffset, destinationOffset } = header
  const source = hex(bytes.subarray(sourceOffset, sourceOffset + 16))
  const destination = hex(bytes.subarray(destinationOffset, destinationOffset + 16))
  return { ip: { version: 6, tos, id: 0, df: true, ttl, protocol, source, destination, payload: to - from }, from, to }
}

function seeFrame(frame: Uint8Array): SeenFrame {
  const header = ethernetHeader()
  const at = must(peekEthernet(frame, 0, frame.length, header), 'a frame')
  const { vlan, etherType } = header
  const inner = etherType === ETH_P_IP || etherType === ETH_P_IPV6 ? seeIp(frame, at) : undefined
  return {
    destination: hex(frame.subarray(0, 6)),
    source: hex(frame.subarray(6, 12)),
    vlan,
    etherType,
    ip: inner?.ip,
    rest: Buffer.from(frame.subarray(inner?.from ?? at, inner?.to)),
    length: frame.length,
  }
}

/** Takes an outer IP packet apart. */
export function seePacket(packet: Uint8Array): SeenPacket {
  const { bytes } = octets(Uint8Array.from(packet))
  const { ip: outer, from, to } = seeIp(bytes, 0)
  const header = greHeader()
  const length = must(parseGre(bytes, from, to, header), 'a GRE packet')
  const { flags } = header
  const good = flags & GRE_CHECKSUM ? verifyGre(octets(bytes), from, to) : undefined
  return {
    outer,
    gre: {
      flags,
      protocol: header.protocol,
      key: flags & GRE_KEY ? header.key : undefined,
      sequence: flags & GRE_SEQUENCE ? header.sequence : undefined,
      checksum: good === undefined ? undefined : good ? 'good' : 'bad',
      header: hex(bytes.subarray(from, from + length)),
    },
    frame: seeFrame(bytes.subarray(from + length, to)),
  }
}
