// What the outer header of a packet takes from the frame inside: TOS, TTL, DF, and the way it goes. Looks into the frame once,
// refuses what would make the tunnel carry itself, and tsgre's own kind of probe where it comes from the overlay.

import { DROP } from '../drops.js'
import { flowHash, pairHash } from '../offload/flow-hash.js'
import { FOUND, findLayers, layers } from '../offload/layers.js'
import { ETH_P_IP, ETH_P_IPV6, ethernetHeader, peekEthernet } from '../wire/ethernet.js'
import { IPV4_BYTES } from '../wire/ipv4.js'
import { IPV6_BYTES } from '../wire/ipv6.js'
import { read16 } from '../wire/network-order.js'
import { ETH_P_PROBE, isProbe } from '../wire/probe-frame.js'
import type { Peers } from './peers.js'
import type { PumpSettings } from './settings.js'

const TRUNCATED = DROP.truncated
const LOOP = DROP.loop
const FORGED_PROBE = DROP['forged-probe']
const IPPROTO_GRE = 47
const IPPROTO_UDP = 17
const ECN = 0x03
const DONT_FRAGMENT = 0x40 // in the first octet of the fragment field
const DEFAULT_TTL = 64

export class OuterHeader {
  /** Of the frame looked at last, as the columns of a Batch have it. */
  tos = 0
  ttl = 0
  fragment = 0
  flow = 0
  readonly #ethernet = ethernetHeader()
  readonly #layers = layers()
  /** Our own outer address. */
  local: Uint8Array
  readonly #peers: Peers
  // Options as masks, so that a frame meets no option: outer = (inner & mask) | fixed.
  readonly #tosMask: number
  readonly #tosFixed: number
  readonly #ttlMask: number
  readonly #fragmentMask: number
  readonly #fragmentFixed: number
  /** What our own packets are inside IP: protocol, and in UDP the destination port. */
  readonly #protocol: number
  readonly #udpPort: number
  readonly #flowShift: number

  constructor({ local, tos, ttl, fragment, udpPort, flows }: PumpSettings, peers: Peers) {
    this.local = local
    this.#peers = peers
    this.#tosMask = tos === 'inherit' ? 0xff : ECN
    this.#tosFixed = tos === 'inherit' ? 0 : tos & ~ECN
    this.#ttlMask = ttl === 'inherit' ? 0xff : 0
    this.#fragmentMask = fragment === 'as-inner' ? 1 : 0
    this.#fragmentFixed = fragment === 'always' ? 1 : 0
    this.#protocol = udpPort === undefined ? IPPROTO_GRE : IPPROTO_UDP
    this.#udpPort = udpPort ?? 0
    this.#flowShift = 31 - Math.clz32(flows)
  }

  /** What a frame of our own gets. */
  plain(): void {
    this.#set(0, DEFAULT_TTL, 1)
    this.fragment = 0
    this.flow = 0
  }

  #set(tos: number, ttl: number, fragment: number): void {
    this.tos = (tos & this.#tosMask) | this.#tosFixed
    this.ttl = ttl & this.#ttlMask
    this.fragment = (fragment & this.#fragmentMask) | this.#fragmentFixed
  }

  /** Looks into the frame [start, end). Returns 0, or the drop code. */
  look(bytes: Uint8Array, start: number, end: number): number {
    const layer2 = peekEthernet(bytes, start, end, this.#ethernet)
    if (layer2 < 0) return TRUNCATED
    if (this.#flowShift > 0) this.flow = this.#flowOf(bytes, start, end)
    const { etherType } = this.#ethernet
    const at = start + layer2
    if (etherType === ETH_P_IP && end - at >= IPV4_BYTES) return this.#lookIpv4(bytes, at)
    if (etherType === ETH_P_IPV6 && end - at >= IPV6_BYTES) return this.#lookIpv6(bytes, at)
    this.#set(0, DEFAULT_TTL, 1)
    return etherType === ETH_P_PROBE && isProbe(bytes, start, end) ? FORGED_PROBE : 0
  }

  #flowOf(bytes: Uint8Array, start: number, end: number): number {
    const found = findLayers(bytes, start, end, this.#layers) === FOUND
    return (found ? flowHash(bytes, this.#layers) : pairHash(bytes, start)) >>> (32 - this.#flowShift)
  }

  #lookIpv4(bytes: Uint8Array, at: number): number {
    this.#set(bytes[at + 1], bytes[at + 8], bytes[at + 6] & DONT_FRAGMENT ? 0 : 1)
    const header = (bytes[at] & 0x0f) << 2
    return bytes[at + 9] === this.#protocol && this.#isOurs(bytes, at + 12, 4, at + header) ? LOOP : 0
  }

  #lookIpv6(bytes: Uint8Array, at: number): number {
    this.#set(((bytes[at] & 0x0f) << 4) | (bytes[at + 1] >> 4), bytes[at + 7], 1)
    return bytes[at + 6] === this.#protocol && this.#isOurs(bytes, at + 8, 16, at + IPV6_BYTES) ? LOOP : 0
  }

  /** Whether source, destination and port are our own outer ones: the packet we sent has come back as a frame. */
  #isOurs(bytes: Uint8Array, at: number, size: number, inside: number): boolean {
    if (this.local.length !== size) return false
    for (let i = 0; i < size; i++) if (bytes[at + i] !== this.local[i]) return false
    if (!this.#peers.hasAddress(bytes, at + size, size)) return false
    return this.#udpPort === 0 || read16(bytes, inside + 2) === this.#udpPort
  }
}
