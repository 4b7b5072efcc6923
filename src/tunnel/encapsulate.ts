// Overlay to underlay: every frame of a batch becomes a GRE packet where it lies. The functions stand in the order a frame
// meets them: look inside, refuse what would carry itself, choose the outer TOS, TTL and DF, write GRE in front.
// The outer IP header is the kernel's work. Nothing here allocates.

import { DROP, type DropCounters } from '../drops.js'
import type { Batch } from '../io/batch.js'
import { ETH_P_IP, ETH_P_IPV6, ethernetHeader, peekEthernet } from '../wire/ethernet.js'
import { ETH_P_TEB, emitGre, GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE, greHeader, sealGre } from '../wire/gre.js'
import type { PumpSettings } from './settings.js'

const TRUNCATED = DROP.truncated
const LOOP = DROP.loop
const IPPROTO_GRE = 47
const IPV4_BYTES = 20
const IPV6_BYTES = 40
const ECN = 0x03
const DONT_FRAGMENT = 0x40 // in the first octet of the fragment field
const DEFAULT_TTL = 64

export class Encapsulator {
  readonly #gre = greHeader()
  readonly #ethernet = ethernetHeader()
  readonly #sequence = new Uint32Array(1)
  readonly #sealed: boolean
  readonly #local: Uint8Array
  readonly #remote: Uint8Array
  // Options as masks, so that a frame meets no option: outer = (inner & mask) | fixed.
  readonly #tosMask: number
  readonly #tosFixed: number
  readonly #ttlMask: number
  readonly #fragmentMask: number
  readonly #fragmentFixed: number
  // What the frame at hand asks for.
  #tos = 0
  #ttl = 0
  #fragment = 0

  constructor(settings: PumpSettings) {
    const { keyOut, checksum, sequence, tos, ttl, fragment } = settings
    this.#gre.flags =
      (checksum ? GRE_CHECKSUM : 0) | (keyOut === undefined ? 0 : GRE_KEY) | (sequence ? GRE_SEQUENCE : 0)
    this.#gre.protocol = ETH_P_TEB
    this.#gre.key = keyOut ?? 0
    this.#sealed = checksum
    this.#local = settings.local
    this.#remote = settings.remote
    this.#tosMask = tos === 'inherit' ? 0xff : ECN
    this.#tosFixed = tos === 'inherit' ? 0 : tos & ~ECN
    this.#ttlMask = ttl === 'inherit' ? 0xff : 0
    this.#fragmentMask = fragment === 'as-inner' ? 1 : 0
    this.#fragmentFixed = fragment === 'always' ? 1 : 0
  }

  /** Turns the frames of `batch` into packets; those that cannot go are dropped and counted. */
  run(batch: Batch, drops: DropCounters): void {
    const { bytes } = batch.memory
    const { offset, length } = batch
    let kept = 0
    for (let i = 0; i < batch.count; i++) {
      const start = offset[i]
      const end = start + length[i]
      const refused = this.#look(bytes, start, end)
      if (refused !== 0) {
        drops[refused]++
        continue
      }
      const packet = this.#writeGre(batch, start, end)
      offset[kept] = packet
      length[kept] = end - packet
      batch.tos[kept] = (this.#tos & this.#tosMask) | this.#tosFixed
      batch.ttl[kept] = this.#ttl & this.#ttlMask
      batch.fragment[kept] = (this.#fragment & this.#fragmentMask) | this.#fragmentFixed
      kept++
    }
    batch.count = kept
  }

  /** Reads what the outer header takes from the inner one. Returns 0, or the drop code. */
  #look(bytes: Uint8Array, start: number, end: number): number {
    this.#tos = 0
    this.#ttl = DEFAULT_TTL
    this.#fragment = 1
    const layer2 = peekEthernet(bytes, start, end, this.#ethernet)
    if (layer2 < 0) return TRUNCATED
    const { etherType } = this.#ethernet
    const at = start + layer2
    if (etherType === ETH_P_IP && end - at >= IPV4_BYTES) return this.#lookIpv4(bytes, at)
    if (etherType === ETH_P_IPV6 && end - at >= IPV6_BYTES) return this.#lookIpv6(bytes, at)
    return 0
  }

  #lookIpv4(bytes: Uint8Array, at: number): number {
    this.#tos = bytes[at + 1]
    this.#ttl = bytes[at + 8]
    this.#fragment = bytes[at + 6] & DONT_FRAGMENT ? 0 : 1
    return bytes[at + 9] === IPPROTO_GRE && this.#isOurs(bytes, at + 12, 4) ? LOOP : 0
  }

  #lookIpv6(bytes: Uint8Array, at: number): number {
    this.#tos = ((bytes[at] & 0x0f) << 4) | (bytes[at + 1] >> 4)
    this.#ttl = bytes[at + 7]
    return bytes[at + 6] === IPPROTO_GRE && this.#isOurs(bytes, at + 8, 16) ? LOOP : 0
  }

  /** Whether source and destination are our own outer ones: the packet we sent has come back as a frame. */
  #isOurs(bytes: Uint8Array, at: number, size: number): boolean {
    if (this.#local.length !== size) return false
    for (let i = 0; i < size; i++) {
      if (bytes[at + i] !== this.#local[i] || bytes[at + size + i] !== this.#remote[i]) return false
    }
    return true
  }

  /** Writes the GRE header in front of the frame and returns where the packet starts. */
  #writeGre(batch: Batch, start: number, end: number): number {
    this.#gre.sequence = this.#sequence[0]
    this.#sequence[0]++ // wraps at 2^32, as RFC 2890 §2.2 has it
    const packet = emitGre(batch.memory.bytes, start, this.#gre)
    if (this.#sealed) sealGre(batch.memory, packet, end)
    return packet
  }
}
