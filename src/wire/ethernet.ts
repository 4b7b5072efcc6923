// The Ethernet header, looked at and never changed: what a frame carries, and how far in, behind up to two VLAN tags.
// Not a codec of addresses: tunnel/ reads those where they lie.
// Invariant: the length returned leads to the payload that etherType names.

import { DROP } from '../drops.js'
import { read16 } from './network-order.js'

export const ETH_P_IP = 0x0800
export const ETH_P_ARP = 0x0806
export const ETH_P_8021Q = 0x8100
export const ETH_P_IPV6 = 0x86dd
export const ETH_P_8021AD = 0x88a8

/** Octets of a header without tags. */
export const ETH_HLEN = 14

const TAG_BYTES = 4
const MAX_TAGS = 2
const VLAN_ID = 0x0fff
const TRUNCATED = -DROP.truncated

export interface EthernetHeader {
  /** The one behind the tags. Below 0x0600 it is the length field of IEEE 802.3. */
  etherType: number
  /** VLAN of the outermost tag: 0 (priority only) to 4095, or -1 where there is no tag. */
  vlan: number
  /** 0 to 2. A third tag is left alone: its EtherType is then `etherType`. */
  tags: number
}

/** A fresh record that belongs to the caller. */
export function ethernetHeader(): EthernetHeader {
  return { etherType: 0, vlan: -1, tags: 0 }
}

/**
 * Reads the header of the frame [offset, end) into `out`. Returns its octets, tags included (IEEE 802.1Q and 802.1ad,
 * in any order), or minus DROP.truncated where the frame ends inside it; `out` holds something only in the first case.
 */
export function peekEthernet(bytes: Uint8Array, offset: number, end: number, out: EthernetHeader): number {
  let at = offset + ETH_HLEN
  if (at > end) return TRUNCATED
  let etherType = read16(bytes, at - 2)
  let vlan = -1
  let tags = 0
  while (tags < MAX_TAGS && (etherType === ETH_P_8021Q || etherType === ETH_P_8021AD)) {
    if (at + TAG_BYTES > end) return TRUNCATED
    if (tags === 0) vlan = read16(bytes, at) & VLAN_ID
    etherType = read16(bytes, at + 2)
    at += TAG_BYTES
    tags++
  }
  out.etherType = etherType
  out.vlan = vlan
  out.tags = tags
  return at - offset
}
