// A captured frame or packet as a line for a person: when, which way, how long, from whom to whom, what became of it. Not a
// dissector; tshark is one. What is cut short shows as far as it goes.

import { AF_INET, AF_INET6 } from '../sys/constants.js'
import { addressToText } from '../sys/libc.js'
import { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, ethernetHeader, peekEthernet } from '../wire/ethernet.js'
import { isLoopProbe } from '../wire/loop-probe.js'
import { read16 } from '../wire/network-order.js'
import { LINKTYPE_ETHERNET, type PcapngPacket } from '../wire/pcapng.js'
import { isProbe } from '../wire/probe-frame.js'

const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  6: 'TCP',
  17: 'UDP',
  47: 'GRE',
  50: 'ESP',
  58: 'ICMPv6',
  89: 'OSPF',
  112: 'VRRP',
  132: 'SCTP',
}
const COMMENT = /^(tx|rx)(?: (?:to|from) (\S+))?(?:; (.*))?$/s

export function packetLine(linkType: number, packet: PcapngPacket, octets: Uint8Array): string {
  const comment = Buffer.from(packet.comment).toString()
  const [, way = '??', peer = '-', rest] = COMMENT.exec(comment) ?? []
  const what = linkType === LINKTYPE_ETHERNET ? ethernetWords(octets) : ipWords(octets, 0)
  const line = [timeOfDay(packet.time), way, peer, `${packet.original} B`, what].filter(Boolean).join(' ')
  return rest ? `${line}, ${rest}` : line
}

/** By this host's clock and zone, with microseconds. */
export function timeOfDay(milliseconds: number): string {
  const date = new Date(milliseconds)
  const two = (n: number) => String(n).padStart(2, '0')
  const micros = String(Math.floor((milliseconds % 1000) * 1000)).padStart(6, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${micros}`
}

function ethernetWords(octets: Uint8Array): string {
  const header = ethernetHeader()
  const length = peekEthernet(octets, 0, octets.length, header)
  if (length < 0) return `${octets.length} octets of a frame`
  const { etherType, vlan } = header
  const tag = vlan < 0 ? '' : ` VLAN ${vlan}`
  return `${mac(octets, 6)} > ${mac(octets, 0)}${tag} ${ownWords(octets) ?? payloadWords(octets, length, etherType)}`
}

/** Of frames that tunnels exchange by themselves. */
function ownWords(octets: Uint8Array): string | undefined {
  if (isProbe(octets, 0, octets.length)) return 'tsgre asks or answers'
  return isLoopProbe(octets, 0, octets.length) ? 'tsgre looks for a loop' : undefined
}

function mac(octets: Uint8Array, at: number): string {
  return [...octets.subarray(at, at + 6)].map((octet) => octet.toString(16).padStart(2, '0')).join(':')
}

function payloadWords(octets: Uint8Array, at: number, etherType: number): string {
  if (etherType === ETH_P_IP || etherType === ETH_P_IPV6) return ipWords(octets, at)
  if (etherType === ETH_P_ARP) return arpWords(octets, at)
  return etherType < 0x0600 ? 'IEEE 802.3' : `EtherType 0x${etherType.toString(16).padStart(4, '0')}`
}

function arpWords(octets: Uint8Array, at: number): string {
  if (octets.length < at + 28) return 'ARP'
  const [sender, target] = [address(octets, at + 14, 4), address(octets, at + 24, 4)]
  const isRequest = read16(octets, at + 6) === 1
  return isRequest ? `ARP who has ${target}, asks ${sender}` : `ARP ${sender} is at ${mac(octets, at + 8)}`
}

function ipWords(octets: Uint8Array, at: number): string {
  const version = octets[at] >>> 4
  const [size, source, protocol] = version === 6 ? [16, at + 8, at + 6] : [4, at + 12, at + 9]
  const name = version === 4 || version === 6 ? `IPv${version}` : 'no IP packet'
  if (name === 'no IP packet' || octets.length < source + 2 * size) return name
  const ends = `${address(octets, source, size)} > ${address(octets, source + size, size)}`
  return `${name} ${ends} ${PROTOCOLS[octets[protocol]] ?? `protocol ${octets[protocol]}`}`
}

function address(octets: Uint8Array, at: number, size: number): string {
  return addressToText(size === 4 ? AF_INET : AF_INET6, octets.slice(at, at + size))
}
