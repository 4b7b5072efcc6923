// Puts received neighbours of a flow together again: the first frame of a superframe keeps its headers, rewritten for the
// whole, and of the others only the payload counts. The frames stay where they lie; only the order of the list changes.
// What the kernel does to packets of a network card (GRO: net/ipv4/tcp_offload.c, udp_offload.c), and under the same rules.
// Invariant: frames of one flow leave in the order in which they came, and cut again the superframe gives the same frames.

import { checksum } from '../wire/checksum.js'
import { read16, read32, write16 } from '../wire/network-order.js'
import { flowHash } from './flow-hash.js'
import type { FrameList } from './frame-list.js'
import {
  VIRTIO_NET_HDR_GSO_ECN,
  VIRTIO_NET_HDR_GSO_NONE,
  VIRTIO_NET_HDR_GSO_TCPV4,
  VIRTIO_NET_HDR_GSO_TCPV6,
  VIRTIO_NET_HDR_GSO_UDP_L4,
} from './gso.js'
import { FOUND, findLayers, IPPROTO_TCP, IPPROTO_UDP, layers, UNCLEAR } from './layers.js'
import { sameHeaders } from './same-headers.js'
import { checksumField, isPartial, pseudoSum, verifyPacket } from './transport-checksum.js'

/** How many frames of a flow become one at most: what UDP_MAX_SEGMENTS of linux/udp.h was when it was new. */
export const MOST_SEGMENTS = 64

const MOST_IP_BYTES = 65535
const FLOW_BITS = 6
const FLOWS = 1 << FLOW_BITS
const NONE = -1
const FIN = 0x01
const PSH = 0x08
const ACK = 0x10
const ECE = 0x40
const CWR = 0x80
const DONT_FRAGMENT = 0x40

export class Coalescer {
  readonly #udp: boolean
  readonly #at = layers()
  // Open superframes by a hash of their flow: first and last frame, and what the next one must be like.
  readonly #first = new Int32Array(FLOWS)
  readonly #last = new Int32Array(FLOWS)
  readonly #count = new Int32Array(FLOWS)
  readonly #size = new Int32Array(FLOWS)
  readonly #bytes = new Int32Array(FLOWS)
  readonly #sequence = new Int32Array(FLOWS)
  readonly #ipAt = new Int32Array(FLOWS)
  readonly #transportAt = new Int32Array(FLOWS)
  readonly #idStep = new Uint8Array(FLOWS)
  readonly #verified = new Uint8Array(FLOWS)
  /** Of each frame: the next one of its superframe, or NONE; 1 where it continues one; 1 where its checksum is partial. */
  readonly #next: Int32Array
  readonly #continues: Uint8Array
  readonly #partial: Uint8Array

  /** For lists of up to `capacity` frames. `udp`: whether UDP datagrams may be put together too. */
  constructor(capacity: number, udp: boolean) {
    this.#udp = udp
    this.#next = new Int32Array(capacity)
    this.#continues = new Uint8Array(capacity)
    this.#partial = new Uint8Array(capacity)
  }

  /**
   * Lists the frames of `from` in `to`, which has the same memory, those that were put together next to each other.
   * `longest` is what fits one packet of the tunnel, in octets: a frame that came longer, its checksum partial, was put
   * together by the kernel on its way and is cut so again.
   */
  run(from: FrameList, to: FrameList, longest: number): void {
    this.#first.fill(NONE)
    for (let i = 0; i < from.count; i++) this.#place(from, i)
    to.count = 0
    for (let i = 0; i < from.count; i++) {
      if (this.#continues[i] === 0) this.#emit(from, i, to, longest)
    }
  }

  /** Joins frame i to the open superframe of its flow, or lets it begin one, or leaves it alone. */
  #place(from: FrameList, i: number): void {
    this.#next[i] = NONE
    this.#continues[i] = 0
    this.#partial[i] = 0
    const at = this.#at
    const { memory } = from
    const start = from.offset[i]
    const end = start + from.length[i]
    const found = findLayers(memory.bytes, start, end, at)
    if (found === UNCLEAR) this.#first.fill(NONE) // whose ever it is, nothing may overtake it
    if (found !== FOUND) return
    const flow = flowHash(memory.bytes, at) >>> (32 - FLOW_BITS)
    if (this.#joins(from, i, flow)) return
    this.#first[flow] = NONE
    if (isPartial(memory, at)) this.#partial[i] = 1
    else if (at.stop === end && this.#mayBegin(memory.bytes)) this.#open(from, i, flow)
  }

  /** Whether a superframe may begin with the frame looked at. */
  #mayBegin(bytes: Uint8Array): boolean {
    const { version, ip, protocol, transport, payload, stop } = this.#at
    // Neither IP options nor extension headers: a kernel that cuts the superframe might not repeat them.
    if (stop === payload || transport - ip !== (version === 4 ? 20 : 40)) return false
    if (protocol === IPPROTO_UDP) return this.#udp && this.#isDatagram(bytes)
    return (bytes[transport + 12] & 0x0f) === 0 && (bytes[transport + 13] & ~ECE) === ACK
  }

  #open(from: FrameList, i: number, flow: number): void {
    const { ip, protocol, transport, payload, stop } = this.#at
    this.#first[flow] = i
    this.#last[flow] = i
    this.#count[flow] = 1
    this.#size[flow] = stop - payload
    this.#bytes[flow] = stop - ip
    this.#ipAt[flow] = ip
    this.#transportAt[flow] = transport
    this.#verified[flow] = 0
    const sequence = protocol === IPPROTO_TCP ? read32(from.memory.bytes, transport + 4) : 0
    this.#sequence[flow] = (sequence + stop - payload) | 0
  }

  #joins(from: FrameList, i: number, flow: number): boolean {
    const first = this.#first[flow]
    if (first === NONE) return false
    const at = this.#at
    const { memory } = from
    const { bytes } = memory
    const start = from.offset[i]
    const size = at.stop - at.payload
    if (size === 0 || size > this.#size[flow] || at.stop !== start + from.length[i]) return false
    if (this.#count[flow] === MOST_SEGMENTS || this.#bytes[flow] + size > MOST_IP_BYTES) return false
    const tcp = at.protocol === IPPROTO_TCP
    if (tcp ? read32(bytes, at.transport + 4) !== this.#sequence[flow] : !this.#isDatagram(bytes)) return false
    if (!sameHeaders(memory.view, from.offset[first], start, at) || !this.#continuesIds(bytes, flow)) return false
    if (!verifyPacket(memory, at) || !this.#verifyFirst(from, flow)) return false
    this.#next[this.#last[flow]] = i
    this.#last[flow] = i
    this.#continues[i] = 1
    this.#count[flow]++
    this.#bytes[flow] += size
    this.#sequence[flow] = (this.#sequence[flow] + size) | 0
    // A short one is the last, and so is what its sender pushes.
    if (size < this.#size[flow] || (tcp && bytes[at.transport + 13] & (FIN | PSH))) this.#first[flow] = NONE
    return true
  }

  /** Of the UDP packet looked at: its length is that of the IP packet, and it has a checksum. */
  #isDatagram(bytes: Uint8Array): boolean {
    const { transport, stop } = this.#at
    return read16(bytes, transport + 4) === stop - transport && read16(bytes, transport + 6) !== 0
  }

  /** IPv4 numbers packets one by one; with DF it may also leave the number as it is (RFC 6864 §4.1). */
  #continuesIds(bytes: Uint8Array, flow: number): boolean {
    const { version, ip } = this.#at
    if (version === 6) return true
    const ahead = (read16(bytes, ip + 4) - read16(bytes, this.#ipAt[flow] + 4)) & 0xffff
    if (this.#count[flow] === 1) this.#idStep[flow] = ahead === 0 && bytes[ip + 6] & DONT_FRAGMENT ? 0 : 1
    return ahead === this.#count[flow] * this.#idStep[flow]
  }

  /** The first frame is verified when a second one comes, so that a frame that stays alone costs nothing. */
  #verifyFirst(from: FrameList, flow: number): boolean {
    if (this.#verified[flow] === 0) {
      const at = this.#at
      const { ip, transport, stop } = at
      at.ip = this.#ipAt[flow]
      at.transport = this.#transportAt[flow]
      at.stop = from.offset[this.#first[flow]] + from.length[this.#first[flow]]
      this.#verified[flow] = verifyPacket(from.memory, at) ? 1 : 2
      at.ip = ip
      at.transport = transport
      at.stop = stop
    }
    return this.#verified[flow] === 1
  }

  /** Lists the superframe that begins with frame i, or the frame alone. */
  #emit(from: FrameList, i: number, to: FrameList, longest: number): void {
    const head = to.count
    let last = i
    for (let next = i; next !== NONE; next = this.#next[next]) {
      const entry = to.count++
      to.offset[entry] = from.offset[next]
      to.length[entry] = from.length[next]
      to.peer[entry] = from.peer[next]
      to.joined[entry] = 0
      last = next
    }
    to.gsoType[head] = VIRTIO_NET_HDR_GSO_NONE
    to.csumStart[head] = 0
    to.csumOffset[head] = 0
    if (last !== i) this.#finish(from, i, last, to, head)
    else if (this.#partial[i] === 1) this.#leave(to, head, longest)
  }

  #finish(from: FrameList, first: number, last: number, to: FrameList, head: number): void {
    const at = this.#at
    const { memory } = from
    const { bytes } = memory
    const start = from.offset[first]
    findLayers(bytes, start, start + from.length[first], at)
    const header = at.payload - start
    const size = at.stop - at.payload
    let whole = at.stop - at.ip
    for (let entry = head + 1; entry < to.count; entry++) {
      to.joined[entry] = header
      whole += to.length[entry] - header
    }
    if (at.version === 4) {
      write16(bytes, at.ip + 2, whole)
      write16(bytes, at.ip + 10, 0)
      write16(bytes, at.ip + 10, checksum(memory, at.ip, at.transport))
    } else write16(bytes, at.ip + 4, whole - 40)
    const length = whole - (at.transport - at.ip)
    if (at.protocol === IPPROTO_TCP) {
      const pushed = bytes[from.offset[last] + (at.transport - start) + 13] & (FIN | PSH)
      bytes[at.transport + 13] |= pushed
    } else write16(bytes, at.transport + 4, length)
    write16(bytes, at.transport + checksumField(at), pseudoSum(memory, at, length))
    this.#mark(to, head, start, size)
  }

  /** A frame whose checksum is partial: completed by the kernel, and cut to what the tunnel carries. */
  #leave(to: FrameList, head: number, longest: number): void {
    const at = this.#at
    const start = to.offset[head]
    findLayers(to.memory.bytes, start, start + to.length[head], at)
    const size = Math.max(1, longest - (at.payload - start))
    to.length[head] = at.stop - start // the kernel would sum up padding, or cut it as payload
    this.#mark(to, head, start, size)
    if (at.protocol === IPPROTO_TCP && to.memory.bytes[at.transport + 13] & CWR)
      to.gsoType[head] |= VIRTIO_NET_HDR_GSO_ECN
    // Where datagrams were put together, nothing says how long they were.
    if (at.stop - at.payload <= size || at.protocol === IPPROTO_UDP) to.gsoType[head] = VIRTIO_NET_HDR_GSO_NONE
  }

  #mark(to: FrameList, head: number, start: number, size: number): void {
    const at = this.#at
    const tcp = at.version === 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6
    to.gsoType[head] = at.protocol === IPPROTO_TCP ? tcp : VIRTIO_NET_HDR_GSO_UDP_L4
    to.gsoSize[head] = size
    to.csumStart[head] = at.transport - start
    to.csumOffset[head] = checksumField(at)
  }
}
