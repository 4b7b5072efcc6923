// The door of 'tsgre/wire': bytes <-> numbers. A parser fills the caller's record and returns a header length, or minus
// a drop code; an emitter writes in front of an offset and returns the new one. Nothing here does I/O, allocates for a
// packet, or throws for one.

export { ipv4Number, ipv4Text } from './address.js'
export { checksum, sum, updateChecksum } from './checksum.js'
export {
  ETH_HLEN,
  ETH_P_8021AD,
  ETH_P_8021Q,
  ETH_P_ARP,
  ETH_P_IP,
  ETH_P_IPV6,
  type EthernetHeader,
  ethernetHeader,
  peekEthernet,
} from './ethernet.js'
export * from './gre.js'
export { emitIpv4, type Ipv4Header, ipv4Header, parseIpv4 } from './ipv4.js'
export { emitIpv6, type Ipv6Header, ipv6Header, parseIpv6 } from './ipv6.js'
export { type Octets, octets } from './octets.js'
