// Takes a superframe apart: one header after the other is written into a slab of the caller's, and the payload stays where
// it lies. What the hardware of a network card does (TSO, USO); Linux's own is net/ipv4/tcp_offload.c, udp_offload.c.
// Invariant: the payloads of all segments, in order, are the payload of the superframe.

import { sum } from '../wire/checksum.js'
import { read16, read32, write16, write32 } from '../wire/network-order.js'
import type { Octets } from '../wire/octets.js'
import { FOUND, findLayers, IPPROTO_TCP, layers } from './layers.js'
import { checksumField, pseudoSum } from './transport-checksum.js'

/** The longest headers, Ethernet to TCP, a segment may have: two tags, IPv6 with extensions or IPv4 with options. */
export const MOST_HEADER_BYTES = 240

const FIN_AND_PSH = 0x09
const CWR = 0x80

export class Segmenter {
  /** The payload of the segment that `next` wrote headers for: where it lies, and its sum (one's complement, 16 bits). */
  payload = 0
  payloadLength = 0
  payloadSum = 0
  readonly #at = layers()
  #memory: Octets | undefined
  #start = 0
  #size = 0
  #index = 0
  #left = 0
  // What all segments have alike, summed once.
  #ipSum = 0
  #transportSum = 0

  /**
   * Begins with the superframe [start, end). `asked` is the payload its sender wants in a segment, in octets; TCP gets
   * less where a frame must not be longer than `longest`. Returns false for what is no TCP or UDP packet with a payload,
   * or cannot be cut that small.
   */
  begin(memory: Octets, start: number, end: number, asked: number, longest: number): boolean {
    const at = this.#at
    this.#left = 0
    if (findLayers(memory.bytes, start, end, at) !== FOUND) return false
    const header = at.payload - start
    if (header > MOST_HEADER_BYTES) return false
    this.#size = at.protocol === IPPROTO_TCP ? Math.min(asked, longest - header) : asked
    if (this.#size < 1 || at.stop === at.payload) return false
    this.#left = at.stop - at.payload
    this.#memory = memory
    this.#start = start
    this.#index = 0
    this.payload = at.payload
    this.payloadLength = 0
    this.#sumWhatStays(memory)
    return true
  }

  /** Octets of the headers of every segment. */
  get headerLength(): number {
    return this.#at.payload - this.#start
  }

  /** Whether segments are still to come. */
  get more(): boolean {
    return this.#left > 0
  }

  /** Forgets what is still to come. */
  drop(): void {
    this.#left = 0
  }

  /** Writes the headers of the next segment at `to` in `headers` and returns how many octets they have. */
  next(headers: Octets, to: number): number {
    const memory = this.#memory!
    const at = this.#at
    this.payload += this.payloadLength
    this.payloadLength = this.#left < this.#size ? this.#left : this.#size
    this.#left -= this.payloadLength
    this.payloadSum = sum(memory, this.payload, this.payload + this.payloadLength)
    const length = at.payload - this.#start
    copyHeaders(memory, this.#start, headers, to, length)
    const shift = to - this.#start
    this.#writeIp(headers, at.ip + shift)
    this.#writeTransport(headers, at.transport + shift)
    this.#index++
    return length
  }

  /** Sums the headers without the fields that differ from segment to segment. */
  #sumWhatStays(memory: Octets): void {
    const at = this.#at
    const { bytes } = memory
    if (at.version === 4) {
      const whole = sum(memory, at.ip, at.transport)
      this.#ipSum = without(
        without(without(whole, read16(bytes, at.ip + 2)), read16(bytes, at.ip + 4)),
        read16(bytes, at.ip + 10),
      )
    }
    const header = sum(memory, at.transport, at.payload, pseudoSum(memory, at, 0))
    const open = without(header, read16(bytes, at.transport + checksumField(at)))
    if (at.protocol === IPPROTO_TCP) {
      const sequence = without(without(open, read16(bytes, at.transport + 4)), read16(bytes, at.transport + 6))
      this.#transportSum = without(sequence, read16(bytes, at.transport + 12))
    } else {
      this.#transportSum = without(open, read16(bytes, at.transport + 4))
    }
  }

  #writeIp(headers: Octets, ip: number): void {
    const { bytes } = headers
    const at = this.#at
    const length = at.payload - at.ip + this.payloadLength
    if (at.version === 6) {
      write16(bytes, ip + 4, length - 40)
      return
    }
    // As the kernel counts. Without DF a sender's next packet may have the same: RFC 6864 §4.2 knows no better for who cuts.
    const id = (read16(bytes, ip + 4) + this.#index) & 0xffff
    write16(bytes, ip + 2, length)
    write16(bytes, ip + 4, id)
    write16(bytes, ip + 10, ~fold(this.#ipSum + length + id))
  }

  #writeTransport(headers: Octets, transport: number): void {
    const { bytes } = headers
    const at = this.#at
    const length = at.payload - at.transport + this.payloadLength
    let total = this.#transportSum + this.payloadSum + length
    if (at.protocol === IPPROTO_TCP) {
      const sequence = (read32(bytes, transport + 4) + this.#index * this.#size) | 0
      write32(bytes, transport + 4, sequence)
      // FIN and PSH belong to the last octet, CWR to the first segment (RFC 3168 §6.1.2, net/ipv4/tcp_offload.c).
      const flags = bytes[transport + 13] & ~((this.#left > 0 ? FIN_AND_PSH : 0) | (this.#index > 0 ? CWR : 0))
      bytes[transport + 13] = flags
      total += (sequence >>> 16) + (sequence & 0xffff) + ((bytes[transport + 12] << 8) | flags)
      write16(bytes, transport + 16, ~fold(total))
    } else {
      write16(bytes, transport + 4, length)
      // The length stands in the pseudo header and in the header. A sum of 0 would mean "no checksum" (RFC 768).
      write16(bytes, transport + 6, ~fold(total + length) & 0xffff || 0xffff)
    }
  }
}

/** A sum less one 16-bit word it covers (RFC 1624). */
function without(total: number, word: number): number {
  return fold(total + (~word & 0xffff))
}

function fold(total: number): number {
  const once = (total & 0xffff) + (total >>> 16)
  return (once & 0xffff) + (once >>> 16)
}

/** By words where both lie on words, as slots do; then up to three octets behind the headers are copied too. */
function copyHeaders(from: Octets, start: number, to: Octets, target: number, length: number): void {
  if (((start | target) & 3) === 0) {
    const first = start >>> 2
    const into = target >>> 2
    const count = (length + 3) >>> 2
    for (let i = 0; i < count; i++) to.words[into + i] = from.words[first + i]
    return
  }
  for (let i = 0; i < length; i++) to.bytes[target + i] = from.bytes[start + i]
}
