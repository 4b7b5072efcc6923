// Takes an IPv4 packet apart into fragments (RFC 791 §3.2), inside the tunnel: each is a frame that stands for itself. One
// header after the other is written into a slab of the caller's, and the payload stays where it lies; works like Segmenter.
// Invariant: the fragments, put together, are the packet; where it is a fragment itself, they are fragments of the same packet.

import { checksum, sum } from '../wire/checksum.js'
import { IPV4_BYTES } from '../wire/ipv4.js'
import { read16, write16 } from '../wire/network-order.js'
import type { Octets } from '../wire/octets.js'

const MORE_FRAGMENTS = 0x2000
const FRAGMENT_OFFSET = 0x1fff
const MOST_PACKET_BYTES = 65535
const END = 0
const NOP = 1
const COPIED = 0x80

export class Fragmenter {
  /** The payload of the fragment that `next` wrote headers for: where it lies, and its sum (one's complement, 16 bits). */
  payload = 0
  payloadLength = 0
  payloadSum = 0
  #headers: Octets | undefined
  #memory: Octets | undefined
  #start = 0
  #ip = 0
  #ipEnd = 0
  #headersEnd = 0
  /** Octets of a fragment behind its IP header, all but the last; what is left of the packet; what has gone. */
  #size = 0
  #left = 0
  #done = 0

  /**
   * Begins with the frame whose headers lie from `start` to `headersEnd` in `headers`, its IPv4 header at `ip`, and whose
   * payload goes on from `from` to `to` in `memory`. No fragment will be longer than `longest` octets, Ethernet header
   * included. Returns false where that leaves no room. The header is to be a right one, without DF.
   */
  begin(
    headers: Octets,
    start: number,
    ip: number,
    headersEnd: number,
    memory: Octets,
    from: number,
    to: number,
    longest: number,
  ): boolean {
    const ipEnd = ip + ((headers.bytes[ip] & 0x0f) << 2)
    this.#size = (longest - (ipEnd - start)) & ~7
    const left = headersEnd - ipEnd + to - from
    if (left < 1 || this.#size < 8 || this.#size < headersEnd - ipEnd) return false
    // What no packet has room for would come out as the number of another fragment.
    if (((read16(headers.bytes, ip + 6) & FRAGMENT_OFFSET) << 3) + ipEnd - ip + left > MOST_PACKET_BYTES) return false
    this.#headers = headers
    this.#memory = memory
    this.#start = start
    this.#ip = ip
    this.#ipEnd = ipEnd
    this.#headersEnd = headersEnd
    this.#left = left
    this.#done = 0
    this.payload = from
    this.payloadLength = 0
    return true
  }

  /** Whether fragments are still to come. */
  get more(): boolean {
    return this.#left > 0
  }

  /** Forgets what is still to come. */
  drop(): void {
    this.#left = 0
  }

  /** Writes the headers of the next fragment at `to` in `out` and returns how many octets they have. */
  next(out: Octets, to: number): number {
    const { bytes } = this.#headers!
    const end = this.#done === 0 ? this.#headersEnd : this.#ipEnd
    const size = this.#left < this.#size ? this.#left : this.#size
    this.payload += this.payloadLength
    this.payloadLength = size - (end - this.#ipEnd)
    this.payloadSum = sum(this.#memory!, this.payload, this.payload + this.payloadLength)
    this.#left -= size
    for (let i = this.#start; i < end; i++) out.bytes[to + i - this.#start] = bytes[i]
    this.#writeIp(out, to + this.#ip - this.#start, size)
    this.#done += size
    return end - this.#start
  }

  #writeIp(out: Octets, ip: number, size: number): void {
    const { bytes } = out
    const header = this.#ipEnd - this.#ip
    const field = read16(this.#headers!.bytes, this.#ip + 6)
    const more = this.#left > 0 ? MORE_FRAGMENTS : field & MORE_FRAGMENTS
    const offset = (field & FRAGMENT_OFFSET) + (this.#done >>> 3)
    write16(bytes, ip + 2, header + size)
    write16(bytes, ip + 6, (field & ~(MORE_FRAGMENTS | FRAGMENT_OFFSET)) | more | offset)
    if (this.#done > 0) leaveOut(bytes, ip + IPV4_BYTES, ip + header)
    write16(bytes, ip + 10, 0)
    write16(bytes, ip + 10, checksum(out, ip, ip + header))
  }
}

/** Options that only the first fragment has become no operations (RFC 791 §3.1: the copied flag). */
function leaveOut(bytes: Uint8Array, from: number, to: number): void {
  let at = from
  while (at < to && bytes[at] !== END) {
    const length = bytes[at] === NOP ? 1 : at + 1 < to ? bytes[at + 1] : 0
    if (length < (bytes[at] === NOP ? 1 : 2) || at + length > to) return
    if ((bytes[at] & COPIED) === 0) bytes.fill(NOP, at, at + length)
    at += length
  }
}
