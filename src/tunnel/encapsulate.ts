// Overlay to underlay: every frame of a batch becomes a GRE packet where it lies, a superframe as many as it takes. The
// functions stand in the order a frame meets them: look inside, refuse what would carry itself, choose the outer TOS, TTL
// and DF, fill in what checksum is missing or cut the superframe, write GRE in front.
// The outer headers are the kernel's work. Nothing here allocates.

import { DROP, type DropCounters } from '../drops.js'
import { type Batch, HEADER_BYTES } from '../io/batch.js'
import { flowHash, pairHash } from '../offload/flow-hash.js'
import { FOUND, findLayers, layers } from '../offload/layers.js'
import { MOST_HEADER_BYTES, Segmenter } from '../offload/segment.js'
import { completeChecksum } from '../offload/transport-checksum.js'
import { ETH_P_IP, ETH_P_IPV6, ethernetHeader, peekEthernet } from '../wire/ethernet.js'
import {
  ETH_P_TEB,
  emitGre,
  GRE_CHECKSUM,
  GRE_KEY,
  GRE_SEQUENCE,
  greHeader,
  greHeaderLength,
  sealGre,
} from '../wire/gre.js'
import { read16 } from '../wire/network-order.js'
import type { PumpSettings } from './settings.js'

const TRUNCATED = DROP.truncated
const TOO_BIG = DROP['too-big']
const LOOP = DROP.loop
const IPPROTO_GRE = 47
const IPPROTO_UDP = 17
const IPV4_BYTES = 20
const IPV6_BYTES = 40
const ECN = 0x03
const DONT_FRAGMENT = 0x40 // in the first octet of the fragment field
const DEFAULT_TTL = 64
const MOST_GRE_BYTES = HEADER_BYTES - MOST_HEADER_BYTES

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
  /** What our own packets are inside IP: protocol, and in UDP the destination port. */
  readonly #protocol: number
  readonly #udpPort: number
  readonly #flowShift: number
  readonly #segmenter = new Segmenter()
  readonly #layers = layers()
  #frames: Batch | undefined
  #taken = 0
  // What the frame at hand asks for.
  #tos = 0
  #ttl = 0
  #fragment = 0
  #flow = 0

  constructor(settings: PumpSettings) {
    const { keyOut, checksum, sequence, tos, ttl, fragment, udpPort, flows } = settings
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
    this.#protocol = udpPort === undefined ? IPPROTO_GRE : IPPROTO_UDP
    this.#udpPort = udpPort ?? 0
    this.#flowShift = 31 - Math.clz32(flows)
  }

  /** Begins with the frames of `batch`. */
  begin(batch: Batch): void {
    this.#frames = batch
    this.#taken = 0
  }

  /** Whether frames, or segments of one, are still to become packets. */
  get more(): boolean {
    return this.#segmenter.more || (this.#frames !== undefined && this.#taken < this.#frames.count)
  }

  /**
   * Lists packets in `packets`, a batch over the same memory, until it is full or no frame is left; frames that cannot go
   * are dropped and counted. Superframes are cut so that a packet has at most `room` octets of GRE and frame.
   */
  fill(packets: Batch, room: number, drops: DropCounters): void {
    packets.clear()
    while (packets.count < packets.capacity && this.more) {
      const refused = this.#segmenter.more ? 0 : this.#take(packets, room)
      if (refused !== 0) drops[refused]++
      else if (this.#segmenter.more) this.#listSegment(packets)
    }
  }

  /** Takes the next frame: lists it, or begins to cut it. Returns 0, or the drop code. */
  #take(packets: Batch, room: number): number {
    const frames = this.#frames!
    const { memory, offset, length, gsoType, csumStart } = frames
    const i = this.#taken++
    const start = offset[i]
    const end = start + length[i]
    const refused = this.#look(memory.bytes, start, end)
    if (refused !== 0) return refused
    if (this.#flowShift > 0) this.#flow = this.#flowOf(memory.bytes, start, end)
    if (gsoType[i] !== 0) {
      const longest = room - greHeaderLength(this.#gre.flags)
      return this.#segmenter.begin(memory, start, end, frames.gsoSize[i], longest) ? 0 : TOO_BIG
    }
    const from = start + csumStart[i]
    const field = from + frames.csumOffset[i]
    if (from > start && field + 2 <= end) completeChecksum(memory, from, end, field)
    this.#list(packets, this.#writeGre(memory.bytes, start), end, 0)
    if (this.#sealed) sealGre(memory, packets.offset[packets.count - 1], end)
    return 0
  }

  /** Lists the next segment: GRE and headers in the slab, the payload where it lies. */
  #listSegment(packets: Batch): void {
    const segmenter = this.#segmenter
    const { headers } = packets
    const at = packets.count * HEADER_BYTES + MOST_GRE_BYTES
    const end = at + segmenter.next(headers, at)
    const packet = this.#writeGre(headers.bytes, at)
    packets.headerOffset[packets.count] = packet
    this.#list(packets, segmenter.payload, segmenter.payload + segmenter.payloadLength, end - packet)
    if (this.#sealed) sealGre(headers, packet, end, segmenter.payloadSum)
  }

  /** Lists the packet that lies in memory from `from` to `end`, behind `header` octets in the slab. */
  #list(packets: Batch, from: number, end: number, header: number): void {
    const i = packets.count++
    packets.offset[i] = from
    packets.length[i] = end - from
    packets.headerLength[i] = header
    packets.tos[i] = (this.#tos & this.#tosMask) | this.#tosFixed
    packets.ttl[i] = this.#ttl & this.#ttlMask
    packets.fragment[i] = (this.#fragment & this.#fragmentMask) | this.#fragmentFixed
    packets.flow[i] = this.#flow
  }

  #flowOf(bytes: Uint8Array, start: number, end: number): number {
    const found = findLayers(bytes, start, end, this.#layers) === FOUND
    return (found ? flowHash(bytes, this.#layers) : pairHash(bytes, start)) >>> (32 - this.#flowShift)
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
    const header = (bytes[at] & 0x0f) << 2
    return bytes[at + 9] === this.#protocol && this.#isOurs(bytes, at + 12, 4, at + header) ? LOOP : 0
  }

  #lookIpv6(bytes: Uint8Array, at: number): number {
    this.#tos = ((bytes[at] & 0x0f) << 4) | (bytes[at + 1] >> 4)
    this.#ttl = bytes[at + 7]
    return bytes[at + 6] === this.#protocol && this.#isOurs(bytes, at + 8, 16, at + IPV6_BYTES) ? LOOP : 0
  }

  /** Whether source, destination and port are our own outer ones: the packet we sent has come back as a frame. */
  #isOurs(bytes: Uint8Array, at: number, size: number, inside: number): boolean {
    if (this.#local.length !== size) return false
    for (let i = 0; i < size; i++) {
      if (bytes[at + i] !== this.#local[i] || bytes[at + size + i] !== this.#remote[i]) return false
    }
    return this.#udpPort === 0 || read16(bytes, inside + 2) === this.#udpPort
  }

  /** Writes the GRE header in front of `end` and returns where the packet starts. */
  #writeGre(bytes: Uint8Array, end: number): number {
    this.#gre.sequence = this.#sequence[0]
    this.#sequence[0]++ // wraps at 2^32, as RFC 2890 §2.2 has it
    return emitGre(bytes, end, this.#gre)
  }
}
