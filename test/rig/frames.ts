// Frames and inner packets for tests, built the plain way: what a field is not given is zero or the usual.
// Not a codec: nothing here is read back, and checksums inside are left zero, since a tunnel does not look at them.

import { random } from './random.js'

export const MAC_A = [0x02, 0, 0, 0, 0, 0xa1]
export const MAC_B = [0x02, 0, 0, 0, 0, 0xb2]

/** A tag in front of the EtherType: TPID and VLAN. */
export type Tag = readonly [tpid: number, vlan: number]
export const DOT1Q: Tag = [0x8100, 100]
export const QINQ: readonly Tag[] = [
  [0x88a8, 7],
  [0x8100, 100],
]

const two = (value: number) => [value >> 8, value & 0xff]

/** An Ethernet frame around `payload`. */
export function ethernet(etherType: number, payload: Iterable<number>, tags: readonly Tag[] = []): Uint8Array {
  const tagged = tags.flatMap(([tpid, vlan]) => [...two(tpid), ...two(vlan)])
  return Uint8Array.from([...MAC_A, ...MAC_B, ...tagged, ...two(etherType), ...payload])
}

/** A frame of `size` bytes of an EtherType for experiments (IEEE 802), its payload random but the same for each size. */
export function plainFrame(size: number, seed = size): Uint8Array {
  const frame = random(seed).bytes(size)
  frame.set([...MAC_A, ...MAC_B, 0x88, 0xb5])
  return frame
}

/** The same behind a tag of VLAN 100. */
export function taggedFrame(size: number): Uint8Array {
  const frame = plainFrame(size)
  frame.set([0x81, 0x00, 0x00, 0x64, 0x88, 0xb5], 12)
  return frame
}

export interface InnerIp {
  tos?: number
  ttl?: number
  /** Of IPv4 only. */
  df?: boolean
  protocol?: number
  source?: readonly number[]
  destination?: readonly number[]
  payload?: readonly number[]
}

export function ipv4(inner: InnerIp = {}): number[] {
  const { tos = 0, ttl = 64, df = false, protocol = 17, payload = [] } = inner
  const { source = [10, 103, 0, 1], destination = [10, 103, 0, 2] } = inner
  const length = two(20 + payload.length)
  return [0x45, tos, ...length, 0, 1, df ? 0x40 : 0, 0, ttl, protocol, 0, 0, ...source, ...destination, ...payload]
}

const V6 = (last: number) => [0xfd, 0x10, ...Array(13).fill(0), last]

export function ipv6(inner: InnerIp = {}): number[] {
  const { tos = 0, ttl = 64, protocol = 17, source = V6(1), destination = V6(2), payload = [] } = inner
  const first = [0x60 | (tos >> 4), (tos << 4) & 0xf0, 0, 0]
  return [...first, ...two(payload.length), protocol, ttl, ...source, ...destination, ...payload]
}

export const ETH_P_IP = 0x0800
export const ETH_P_ARP = 0x0806
export const ETH_P_IPV6 = 0x86dd
