// Overlay to underlay: every frame of a batch becomes a GRE packet where it lies, one that is too large as many as it takes.
// The functions stand in the order a frame meets them: look inside, fill in what checksum is missing, clamp, cut a superframe
// or see what is to become of a frame that does not fit, write GRE in front.
// The outer headers are the kernel's work. Nothing here allocates.

import { DROP, type DropCounters } from '../drops.js'
import { type Batch, HEADER_BYTES } from '../io/batch.js'
import { clampMss, maybeSyn } from '../offload/clamp-mss.js'
import { Cutter } from '../offload/cutter.js'
import { MOST_HEADER_BYTES } from '../offload/segment.js'
import { completeChecksum } from '../offload/transport-checksum.js'
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
import { packetEnd } from '../wire/packet-end.js'
import { Answers } from './answers.js'
import { OuterHeader } from './outer-header.js'
import { CUT, OUTSIDE, Oversize } from './oversize.js'
import type { PumpSettings } from './settings.js'

const TOO_BIG = DROP['too-big']
const MOST_GRE_BYTES = HEADER_BYTES - MOST_HEADER_BYTES

export class Encapsulator {
  readonly #gre = greHeader()
  readonly #greBytes: number
  readonly #sequence = new Uint32Array(1)
  readonly #sealed: boolean
  readonly #clamp: boolean
  readonly #outer: OuterHeader
  readonly #cutter = new Cutter()
  readonly #oversize: Oversize
  /** Whether frames that do not fit may go in outer fragments, whatever their own packets are to do. */
  readonly #anyOutside: boolean
  #frames: Batch | undefined
  #taken = 0
  /** 1 where the outer packets of the frame at hand are to be fragmented. */
  #outside = 0

  /** @param answers is told what senders in the overlay are to be told */
  constructor(settings: PumpSettings, answers = new Answers()) {
    const { keyOut, checksum, sequence, clampMss: clamp, oversize } = settings
    this.#gre.flags =
      (checksum ? GRE_CHECKSUM : 0) | (keyOut === undefined ? 0 : GRE_KEY) | (sequence ? GRE_SEQUENCE : 0)
    this.#greBytes = greHeaderLength(this.#gre.flags)
    this.#gre.protocol = ETH_P_TEB
    this.#gre.key = keyOut ?? 0
    this.#sealed = checksum
    this.#clamp = clamp
    this.#outer = new OuterHeader(settings)
    this.#oversize = new Oversize(oversize, this.#cutter, answers)
    this.#anyOutside = oversize === 'outer'
  }

  /** Begins with the frames of `batch`. */
  begin(batch: Batch): void {
    this.#frames = batch
    this.#taken = 0
  }

  /** Whether frames, or pieces of one, are still to become packets. */
  get more(): boolean {
    return this.#cutter.more || (this.#frames !== undefined && this.#taken < this.#frames.count)
  }

  /**
   * Lists packets in `packets`, a batch over the same memory, until it is full or no frame is left; frames that cannot go
   * are dropped and counted. A packet has at most `room` octets of GRE and frame, or may be fragmented outside.
   */
  fill(packets: Batch, room: number, drops: DropCounters): void {
    const cutter = this.#cutter
    packets.clear()
    while (packets.count < packets.capacity && this.more) {
      if (!cutter.more) {
        const refused = this.#take(packets, room - this.#greBytes)
        if (refused !== 0) drops[refused]++
      }
      while (cutter.more && packets.count < packets.capacity) this.#listPiece(packets, drops)
    }
  }

  /** Lists frames of our own, each of which fits. */
  wrap(frames: Batch, packets: Batch): void {
    packets.clear()
    this.#outside = 0
    this.#outer.plain()
    for (let i = 0; i < frames.count; i++) {
      this.#listWhole(packets, frames.offset[i], frames.offset[i] + frames.length[i])
    }
  }

  /** Takes the next frame: lists it, or begins to cut it. Returns 0, or the drop code. */
  #take(packets: Batch, longest: number): number {
    const frames = this.#frames!
    const { memory, offset, length, gsoType, csumStart } = frames
    const i = this.#taken++
    const start = offset[i]
    const end = start + length[i]
    const refused = this.#outer.look(memory.bytes, start, end)
    if (refused !== 0) return refused
    this.#outside = 0
    if (gsoType[i] !== 0) {
      const begun = this.#cutter.beginSegments(memory, start, end, frames.gsoSize[i], longest)
      if (begun && this.#cutter.fits(frames.gsoSize[i], longest)) return 0
      return this.#verdict(this.#oversize.superframe(frames, i, longest, begun, this.#mayFragment()))
    }
    const from = start + csumStart[i]
    const field = from + frames.csumOffset[i]
    if (from > start && field + 2 <= end) completeChecksum(memory, from, end, field)
    if (this.#clamp && maybeSyn(memory.bytes, start, end)) clampMss(memory, start, end, longest)
    if (end - start > longest) return this.#takeOversize(packets, start, end, longest)
    this.#listWhole(packets, start, end)
    return 0
  }

  /** Of a frame with a trailer behind its packet, the packet counts. */
  #takeOversize(packets: Batch, start: number, end: number, longest: number): number {
    const { memory } = packets
    const stop = packetEnd(memory.bytes, start, end)
    if (stop - start <= longest) {
      this.#listWhole(packets, start, stop)
      return 0
    }
    const verdict = this.#oversize.frame(memory, start, stop, longest, this.#mayFragment())
    if (verdict !== OUTSIDE) return verdict
    this.#outside = 1
    this.#listWhole(packets, start, end)
    return 0
  }

  #mayFragment(): boolean {
    return this.#anyOutside || this.#outer.fragment === 1
  }

  #verdict(verdict: number): number {
    if (verdict !== OUTSIDE) return verdict
    this.#outside = 1
    return CUT
  }

  #listWhole(packets: Batch, start: number, end: number): void {
    const packet = this.#writeGre(packets.memory.bytes, start)
    this.#list(packets, packet, end, 0)
    if (this.#sealed) sealGre(packets.memory, packet, end)
  }

  /** Lists the next piece: GRE and headers in the slab, the payload where it lies. */
  #listPiece(packets: Batch, drops: DropCounters): void {
    const cutter = this.#cutter
    const { headers } = packets
    const at = packets.count * HEADER_BYTES + MOST_GRE_BYTES
    const length = cutter.next(headers, at)
    if (length === 0) {
      cutter.drop()
      drops[TOO_BIG]++
      return
    }
    const { piece } = cutter
    const packet = this.#writeGre(headers.bytes, at)
    packets.headerOffset[packets.count] = packet
    this.#list(packets, piece.payload, piece.payload + piece.payloadLength, at + length - packet)
    if (this.#sealed) sealGre(headers, packet, at + length, piece.payloadSum)
  }

  /** Lists the packet that lies in memory from `from` to `end`, behind `header` octets in the slab. */
  #list(packets: Batch, from: number, end: number, header: number): void {
    const i = packets.count++
    const outer = this.#outer
    packets.offset[i] = from
    packets.length[i] = end - from
    packets.headerLength[i] = header
    packets.tos[i] = outer.tos
    packets.ttl[i] = outer.ttl
    packets.fragment[i] = outer.fragment | this.#outside
    packets.flow[i] = outer.flow
  }

  /** Writes the GRE header in front of `end` and returns where the packet starts. */
  #writeGre(bytes: Uint8Array, end: number): number {
    this.#gre.sequence = this.#sequence[0]
    this.#sequence[0]++ // wraps at 2^32, as RFC 2890 §2.2 has it
    return emitGre(bytes, end, this.#gre)
  }
}
