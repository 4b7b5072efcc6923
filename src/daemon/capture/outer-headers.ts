// The outer headers of packets that the kernel has not written yet, or has already taken off: IP, and UDP where there is one. Made
// up from what is known of the tunnel, so that who reads the capture sees whole packets. Not what was on the wire bit by bit:
// identification, UDP source port of flows, and a received packet's TTL are not known.

import { sum } from '../../wire/checksum.js'
import { emitIpv4, IPV4_BYTES, ipv4Header } from '../../wire/ipv4.js'
import { emitIpv6, IPV6_BYTES, ipv6Header } from '../../wire/ipv6.js'
import { read32, write16 } from '../../wire/network-order.js'
import type { Octets } from '../../wire/octets.js'

const IPPROTO_UDP = 17
const IPPROTO_GRE = 47
const UDP_BYTES = 8
const MOST_IP_BYTES = 65535

/** Where a tunnel stands on the underlay. */
export interface Underlay {
  /** 4 or 16 octets. */
  readonly local: Uint8Array
  /** Of GRE-in-UDP. */
  readonly udpPort: number | undefined
  /** What sockets send with when a frame asks for nothing else. */
  readonly ttl: number
  /** Peer of an index; `local` where it is another than the tunnel's. */
  peer(index: number): { readonly remote: string; readonly bytes: Uint8Array; readonly local?: Uint8Array } | undefined
}

/** Of a packet from GRE on. */
export interface BarePacket {
  readonly out: boolean
  readonly peer: number
  readonly tos: number
  readonly ttl: number
  readonly mayFragment: boolean
  /** Octets from GRE on: on the wire, and at hand. */
  readonly original: number
  readonly captured: number
}

export class OuterHeaders {
  readonly #underlay: Underlay
  /** Octets in front of GRE. */
  readonly length: number
  readonly #unknown: Uint8Array

  constructor(underlay: Underlay) {
    const { local, udpPort } = underlay
    this.#underlay = underlay
    this.length = (local.length === 4 ? IPV4_BYTES : IPV6_BYTES) + (udpPort === undefined ? 0 : UDP_BYTES)
    this.#unknown = new Uint8Array(local.length)
  }

  /** Writes the headers of a packet whose GRE lies at `at`, a multiple of four, in front of it; of UDP without a checksum. */
  write(memory: Octets, at: number, packet: BarePacket): void {
    const { udpPort } = this.#underlay
    const [source, destination] = this.#ends(packet)
    if (udpPort === undefined) {
      this.#writeIp(memory, at, packet, source, destination, packet.original)
      return
    }
    const start = at - UDP_BYTES
    this.#writeIp(memory, start, packet, source, destination, UDP_BYTES + packet.original)
    write16(memory.bytes, start, udpPort)
    write16(memory.bytes, start + 2, udpPort)
    write16(memory.bytes, start + 4, Math.min(UDP_BYTES + packet.original, MOST_IP_BYTES))
    write16(memory.bytes, start + 6, 0)
  }

  /** Fills in UDP's checksum behind `write`: it goes over every octet, and a packet that a filter rejects is not worth that. */
  sum(memory: Octets, at: number, packet: BarePacket): void {
    // Of what was cut short nobody can tell the sum; 0 is none.
    if (this.#underlay.udpPort === undefined || packet.captured !== packet.original) return
    const [source, destination] = this.#ends(packet)
    writeUdpChecksum(memory, at - UDP_BYTES, at + packet.original, source, destination)
  }

  #ends({ peer: index, out }: BarePacket): [source: Uint8Array, destination: Uint8Array] {
    const peer = this.#underlay.peer(index)
    const local = peer?.local ?? this.#underlay.local
    const remote = peer?.bytes ?? this.#unknown
    return out ? [local, remote] : [remote, local]
  }

  #writeIp(
    memory: Octets,
    end: number,
    { tos, ttl, mayFragment }: BarePacket,
    source: Uint8Array,
    destination: Uint8Array,
    payload: number,
  ): void {
    const protocol = this.#underlay.udpPort === undefined ? IPPROTO_GRE : IPPROTO_UDP
    const lives = ttl || this.#underlay.ttl
    if (source.length === 4) {
      const addresses = { source: read32(source, 0), destination: read32(destination, 0) }
      const header = { ...ipv4Header(), ...addresses, tos, ttl: lives, protocol, dontFragment: !mayFragment }
      emitIpv4(memory, end, header, Math.min(payload, MOST_IP_BYTES - IPV4_BYTES))
      return
    }
    const header = { ...ipv6Header(), trafficClass: tos, hopLimit: lives, nextHeader: protocol }
    emitIpv6(memory, end, header, source, destination, Math.min(payload, MOST_IP_BYTES))
  }
}

function writeUdpChecksum(
  memory: Octets,
  start: number,
  end: number,
  source: Uint8Array,
  destination: Uint8Array,
): void {
  let pseudo = IPPROTO_UDP + (end - start)
  for (const address of [source, destination]) {
    for (let i = 0; i < address.length; i += 2) pseudo += (address[i] << 8) | address[i + 1]
  }
  const folded = (pseudo & 0xffff) + (pseudo >>> 16)
  write16(memory.bytes, start + 6, ~sum(memory, start, end, (folded & 0xffff) + (folded >>> 16)) & 0xffff || 0xffff)
}
