// One frame into several: a superframe into the segments its sender wants or into smaller ones, a packet into IPv4 fragments, or
// each segment of a superframe into fragments. Headers go into a slab of the caller's, the payload stays where it lies.

import { type Octets, octets } from '../wire/octets.js'
import { Fragmenter } from './fragment.js'
import { MOST_HEADER_BYTES, Segmenter } from './segment.js'

export class Cutter {
  readonly #segmenter = new Segmenter()
  readonly #fragmenter = new Fragmenter()
  /** Has the payload of the piece that `next` wrote headers for: where it lies, and its sum (one's complement, 16 bits). */
  piece: Segmenter | Fragmenter = this.#segmenter
  /** The headers of the segment in fragments. */
  readonly #segment = octets(new Uint8Array(MOST_HEADER_BYTES + 16))
  #memory: Octets | undefined
  #ip = 0
  #longest = 0
  #inFragments = false

  /** Whether pieces are still to come. */
  get more(): boolean {
    return this.#segmenter.more || this.#fragmenter.more
  }

  /** Forgets what is still to come. */
  drop(): void {
    this.#segmenter.drop()
    this.#fragmenter.drop()
  }

  /** Begins with a superframe, or with a frame of TCP that is to become one: as Segmenter.begin. */
  beginSegments(memory: Octets, start: number, end: number, asked: number, longest: number): boolean {
    this.#memory = memory
    this.#inFragments = false
    return this.#segmenter.begin(memory, start, end, asked, longest)
  }

  /** Whether segments with `asked` octets of payload, as the sender of the superframe wants them, are within `longest`. */
  fits(asked: number, longest: number): boolean {
    return this.#segmenter.headerLength + asked <= longest
  }

  /**
   * From here on each segment is to become fragments of at most `longest` octets; its IPv4 header stands `ip` octets behind
   * the frame's start.
   */
  segmentsInFragments(ip: number, longest: number): void {
    this.#inFragments = true
    this.#ip = ip
    this.#longest = longest
  }

  /** Begins with a frame whose IPv4 packet lies from `ip` to `stop`, without DF: as Fragmenter.begin. */
  beginFragments(memory: Octets, start: number, ip: number, stop: number, longest: number): boolean {
    const payload = ip + ((memory.bytes[ip] & 0x0f) << 2)
    return this.#fragmenter.begin(memory, start, ip, payload, memory, payload, stop, longest)
  }

  /** Writes the headers of the next piece at `to` in `headers` and returns how many octets they have; 0 where it cannot be. */
  next(headers: Octets, to: number): number {
    const segmenter = this.#segmenter
    const fragmenter = this.#fragmenter
    if (!this.#inFragments && !fragmenter.more) {
      this.piece = segmenter
      return segmenter.next(headers, to)
    }
    this.piece = fragmenter
    return fragmenter.more || this.#beginSegment() ? fragmenter.next(headers, to) : 0
  }

  /** Lets the next segment become fragments. */
  #beginSegment(): boolean {
    const segmenter = this.#segmenter
    const end = segmenter.next(this.#segment, 0)
    const { payload, payloadLength } = segmenter
    const stop = payload + payloadLength
    return this.#fragmenter.begin(this.#segment, 0, this.#ip, end, this.#memory!, payload, stop, this.#longest)
  }
}
