// What becomes of a frame that does not fit one packet of the underlay. TCP is cut into smaller segments, whatever its sender
// thinks; of the rest each sender gets what its protocol provides: IPv4 without DF is fragmented here, inside, so that
// every packet stands alone; IPv4 with DF and IPv6 are answered by ICMP; other frames are dropped. Whatever the rule, IPv6 gets
// the 1280 octets that it takes for granted (RFC 8200 §5): who carries less has to fragment below.
// Invariant: a corrupt packet does not become a good one. It is not cut, and its checksums are not written anew.

import { DROP } from '../drops.js'
import type { Batch } from '../io/batch.js'
import type { Cutter } from '../offload/cutter.js'
import { FOUND, findLayers, IPPROTO_TCP, type Layers, layers, TCP_BYTES } from '../offload/layers.js'
import { MOST_HEADER_BYTES } from '../offload/segment.js'
import { AO, findTcpOption, MD5 } from '../offload/tcp-options.js'
import { verifyPacket } from '../offload/transport-checksum.js'
import { sum } from '../wire/checksum.js'
import { ETH_P_IP, ETH_P_IPV6, ethernetHeader, peekEthernet } from '../wire/ethernet.js'
import { ipv4Header, parseIpv4 } from '../wire/ipv4.js'
import { type Octets, octets } from '../wire/octets.js'
import { LEAST_IPV6_MTU } from '../wire/too-big.js'
import type { Answers } from './answers.js'
import type { OversizeRule } from './settings.js'

/** Verdicts besides the drop codes: the cutter has begun; the frame, or each piece, goes whole, the outer packet in fragments. */
export const CUT = 0
export const OUTSIDE = -1

const TOO_BIG = DROP['too-big']
const FLAGS = 13
const SYN_RST_URG = 0x26
const WHOLE = 65535

export class Oversize {
  readonly #rule: OversizeRule
  readonly #cutter: Cutter
  readonly #answers: Answers
  readonly #at = layers()
  readonly #ethernet = ethernetHeader()
  readonly #ipv4 = ipv4Header()
  readonly #first = octets(new Uint8Array(MOST_HEADER_BYTES + 16))

  constructor(rule: OversizeRule, cutter: Cutter, answers: Answers) {
    this.#rule = rule
    this.#cutter = cutter
    this.#answers = answers
  }

  /**
   * Of the frame [start, end), its checksums complete, larger than `longest`. `outside`: whether its packet may be
   * fragmented. Returns CUT, OUTSIDE or the drop code.
   */
  frame(memory: Octets, start: number, end: number, longest: number, outside: boolean): number {
    const at = this.#at
    const mend = this.#rule !== 'drop'
    if (mend && findLayers(memory.bytes, start, end, at) === FOUND && maySplit(memory.bytes, at)) {
      if (verifyPacket(memory, at)) {
        const size = at.stop - at.payload
        if (this.#cutter.beginSegments(memory, start, end, size, longest)) return CUT
      }
    }
    if (outside || this.#mustPass(memory.bytes, start, end, longest)) return OUTSIDE
    return mend ? this.#tell(memory, start, end, longest) : TOO_BIG
  }

  /**
   * Of superframe i, whose segments, as its sender wants them, are larger than `longest`. `begun`: whether the cutter has begun
   * with it, and makes them smaller if they are TCP's.
   */
  superframe(frames: Batch, i: number, longest: number, begun: boolean, outside: boolean): number {
    const { memory, offset, length, gsoSize } = frames
    const start = offset[i]
    const end = start + length[i]
    const at = this.#at
    if (findLayers(memory.bytes, start, end, at) !== FOUND) return this.#none()
    if (begun && maySplit(memory.bytes, at)) return CUT
    if (!this.#cutter.beginSegments(memory, start, end, gsoSize[i], WHOLE)) return TOO_BIG
    const ip = at.ip - start
    const granted =
      at.version === 6 && longest - ip < LEAST_IPV6_MTU && this.#cutter.fits(gsoSize[i], ip + LEAST_IPV6_MTU)
    if (outside || granted) return OUTSIDE
    if (this.#rule === 'drop') return this.#none()
    if (at.version === 4 && !dontFragment(memory.bytes, at.ip)) {
      this.#cutter.segmentsInFragments(ip, longest)
      return CUT
    }
    const head = this.#cutter.next(this.#first, 0)
    const { payload, payloadLength } = this.#cutter.piece
    this.#cutter.drop()
    return this.#answers.tooBig(this.#first, 0, head, memory, payload, payload + payloadLength, longest - ip)
  }

  #mustPass(bytes: Uint8Array, start: number, end: number, longest: number): boolean {
    const layer2 = peekEthernet(bytes, start, end, this.#ethernet)
    if (layer2 < 0 || this.#ethernet.etherType !== ETH_P_IPV6) return false
    return longest - layer2 < LEAST_IPV6_MTU && end - start - layer2 <= LEAST_IPV6_MTU
  }

  #none(): number {
    this.#cutter.drop()
    return TOO_BIG
  }

  /** What the sender's own protocol provides. */
  #tell(memory: Octets, start: number, end: number, longest: number): number {
    const { bytes } = memory
    const layer2 = peekEthernet(bytes, start, end, this.#ethernet)
    if (layer2 < 0) return TOO_BIG
    const ip = start + layer2
    const mtu = longest - layer2
    if (this.#ethernet.etherType === ETH_P_IPV6) return this.#answers.tooBig(memory, start, end, memory, end, end, mtu)
    if (this.#ethernet.etherType !== ETH_P_IP) return TOO_BIG
    const header = parseIpv4(bytes, ip, end, this.#ipv4)
    if (header < 0 || sum(memory, ip, ip + header) !== 0xffff) return TOO_BIG
    const stop = ip + this.#ipv4.totalLength
    if (this.#ipv4.dontFragment) return this.#answers.tooBig(memory, start, stop, memory, stop, stop, mtu)
    return this.#cutter.beginFragments(memory, start, ip, stop, longest) ? CUT : TOO_BIG
  }
}

/** Of a TCP segment with a payload: whether two can be made of it. A signature covers all of it, and urgent points into it. */
function maySplit(bytes: Uint8Array, at: Layers): boolean {
  if (at.protocol !== IPPROTO_TCP || at.payload === at.stop) return false
  if ((bytes[at.transport + FLAGS] & SYN_RST_URG) !== 0) return false
  const options = at.transport + TCP_BYTES
  return findTcpOption(bytes, options, at.payload, MD5) < 0 && findTcpOption(bytes, options, at.payload, AO) < 0
}

function dontFragment(bytes: Uint8Array, ip: number): boolean {
  return (bytes[ip + 6] & 0x40) !== 0
}
