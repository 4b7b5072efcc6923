// Packets in outer fragments smaller than the kernel would make them. It cuts at what it knows of the way; that a box drops
// more than that without a word, --probe knows, or who gave --tunnel-mtu. No socket option tells the kernel (IPV6_MTU counts only
// for packets that it would cut anyway), so headers are written here, for a socket of their own, opened when it is needed first.
// Invariant: all fragments of a packet have one number. Rare, so the packet is copied.

import { type DropCounters, dropAt } from '../drops.js'
import type { Address } from '../sys/address.js'
import { IP_NODEFRAG, IPPROTO_GRE, IPPROTO_IP, IPPROTO_RAW, IPPROTO_UDP, SOCK_RAW } from '../sys/constants.js'
import { ERRNO } from '../sys/errno.js'
import { close, errno, write } from '../sys/libc.js'
import { type Slab, slab } from '../sys/memory.js'
import { bindToDevice, connectTo, getOption, openSocket, setOption } from '../sys/sockets.js'
import { checksum } from '../wire/checksum.js'
import { emitIpv4, ipv4Header } from '../wire/ipv4.js'
import { emitIpv6, FRAGMENT } from '../wire/ipv6.js'
import { read32, write16, write32 } from '../wire/network-order.js'
import type { Batch } from './batch.js'
import { IP_OPTIONS, UDP_BYTES } from './ip-options.js'
import { sendDropCode } from './underlay-errors.js'

/** In front of the packet: IP and fragment header, and before that the pseudo header of UDP. */
const BEFORE = 64
/** Of what an IPv4 header of 20 octets can be followed by. */
const MOST_BYTES = 65515
const FRAGMENT_BYTES = 8

/** What it needs to know of the port's own socket and way. */
export interface OuterWay {
  readonly fd: number
  readonly local: Address
  readonly remote: Address
  readonly dev: string | undefined
}

export class OuterFragments {
  /** Octets of GRE and frame that a packet may have; infinite leaves all to the kernel. */
  most = Number.POSITIVE_INFINITY
  readonly #way: OuterWay
  readonly #udpPort: number | undefined
  readonly #protocol: number
  readonly #four = ipv4Header()
  readonly #six = { trafficClass: 0, flowLabel: 0, nextHeader: FRAGMENT, hopLimit: 64 }
  #number = Math.floor(Math.random() * 0xffff)
  #memory: Slab | undefined
  #fd = -1
  #refused = false
  /** What the port's own socket sends with. */
  #ttl = 0

  /** `udpPort`: of GRE-in-UDP, at both ends; undefined for GRE on protocol 47. */
  constructor(way: OuterWay, udpPort?: number) {
    this.#way = way
    this.#udpPort = udpPort
    this.#protocol = udpPort === undefined ? IPPROTO_GRE : IPPROTO_UDP
    this.#four.dontFragment = false
    this.#four.protocol = this.#protocol
  }

  /** Of packet i, which may be fragmented: whether the kernel, to whom `room` octets seem to fit, would make too large ones. */
  isToCut(from: Batch, i: number, room: number): boolean {
    return this.most < room && from.headerLength[i] + from.length[i] > this.most
  }

  /** Sends the packet at the head of `from`, or drops and counts it; false where the kernel's queue is full. */
  sendNext(from: Batch, drops: DropCounters): boolean {
    const error = this.#send(from, from.head)
    if (error === ERRNO.EAGAIN) return false
    if (error === 0) from.advance()
    else {
      drops[dropAt(from.peer[from.head], sendDropCode(error))]++
      from.head++
    }
    return true
  }

  /** Returns 0, or the errno. */
  #send(from: Batch, i: number): number {
    const { family } = this.#way.local
    const before = this.#udpPort === undefined ? 0 : UDP_BYTES
    const size = (this.most + before - (family === 6 ? FRAGMENT_BYTES : 0)) & ~7
    const length = before + from.headerLength[i] + from.length[i]
    if (size < 8 || length > MOST_BYTES) return ERRNO.EMSGSIZE
    const memory = this.#open()
    if (memory === undefined) return ERRNO.EMSGSIZE
    this.#fill(memory, from, i, before)
    if (this.#udpPort !== undefined) this.#sealUdp(memory, this.#udpPort, length)
    this.#number = (this.#number % 0xffff) + 1 // IPv4's 0 would be another for each fragment (raw_send_hdrinc of net/ipv4/raw.c)
    const hops = from.ttl[i] || this.#ttl
    for (let done = 0; done < length; done += size) {
      const stop = Math.min(length, done + size)
      // Its headers go over the end of the fragment before, which has gone.
      const at =
        family === 4
          ? this.#writeIpv4(memory, done, stop, stop < length, from.tos[i], hops)
          : this.#writeIpv6(memory, done, stop, stop < length, from.tos[i], hops)
      if (write(this.#fd, memory.address + at, BEFORE + stop - at) < 0) return errno()
    }
    return 0
  }

  /** undefined where there can be no socket: without CAP_NET_RAW, which GRE-in-UDP does without. */
  #open(): Slab | undefined {
    if (this.#memory !== undefined || this.#refused) return this.#memory
    const { fd, local, remote, dev } = this.#way
    try {
      this.#fd = openSocket(local.family, SOCK_RAW, IPPROTO_RAW)
      if (dev) bindToDevice(this.#fd, dev)
      // Connection tracking would put them together, for the kernel to cut them as it likes; IPv6's keeps their size.
      if (local.family === 4) setOption(this.#fd, IPPROTO_IP, IP_NODEFRAG, 1, 'IP_NODEFRAG')
      connectTo(this.#fd, remote)
      const { level, ttl } = IP_OPTIONS[local.family]
      this.#ttl = getOption(fd, level, ttl)
      this.#memory = slab(BEFORE + MOST_BYTES)
    } catch {
      this.close()
      this.#refused = true
    }
    return this.#memory
  }

  /** Puts the packet `before` octets behind BEFORE. */
  #fill({ bytes }: Slab, from: Batch, i: number, before: number): void {
    const at = BEFORE + before
    const { headers, headerOffset, headerLength, memory, offset, length } = from
    bytes.set(headers.bytes.subarray(headerOffset[i], headerOffset[i] + headerLength[i]), at)
    bytes.set(memory.bytes.subarray(offset[i], offset[i] + length[i]), at + headerLength[i])
  }

  #sealUdp(memory: Slab, port: number, length: number): void {
    const { bytes } = memory
    const { local, remote } = this.#way
    const pseudo = BEFORE - 8 - 2 * local.bytes.length
    bytes.set(local.bytes, pseudo)
    bytes.set(remote.bytes, pseudo + local.bytes.length)
    // IPv4 has both in 16 bits, IPv6 in 32: with zeros between them the sum is the same.
    write32(bytes, BEFORE - 8, length)
    write32(bytes, BEFORE - 4, IPPROTO_UDP)
    write16(bytes, BEFORE, port)
    write16(bytes, BEFORE + 2, port)
    write16(bytes, BEFORE + 4, length)
    write16(bytes, BEFORE + 6, 0)
    write16(bytes, BEFORE + 6, checksum(memory, pseudo, BEFORE + length) || 0xffff)
  }

  /** Writes the header of the fragment [done, stop) in front of it; returns where it starts. */
  #writeIpv4(memory: Slab, done: number, stop: number, more: boolean, tos: number, ttl: number): number {
    const header = this.#four
    header.source = read32(this.#way.local.bytes, 0)
    header.destination = read32(this.#way.remote.bytes, 0)
    header.tos = tos
    header.ttl = ttl
    header.id = this.#number
    header.fragmentOffset = done
    header.moreFragments = more
    return emitIpv4(memory, BEFORE + done, header, stop - done)
  }

  #writeIpv6(memory: Slab, done: number, stop: number, more: boolean, tos: number, hopLimit: number): number {
    const at = BEFORE + done - FRAGMENT_BYTES
    write16(memory.bytes, at, this.#protocol << 8)
    write16(memory.bytes, at + 2, done | (more ? 1 : 0))
    write32(memory.bytes, at + 4, this.#number)
    this.#six.trafficClass = tos
    this.#six.hopLimit = hopLimit
    const { local, remote } = this.#way
    return emitIpv6(memory, at, this.#six, local.bytes, remote.bytes, FRAGMENT_BYTES + stop - done)
  }

  /** Gives the socket back, if there is one. */
  close(): void {
    if (this.#fd >= 0) close(this.#fd)
    this.#fd = -1
    this.#memory = undefined
  }
}
