// Overlay to underlay: every frame of a batch becomes a GRE packet where it lies, one that is too large as many as it takes, one
// to several peers as many for each of them, behind headers of their own.
// The functions stand in the order a frame meets them: look inside, choose its peers, fill in what checksum is missing; then for
// each peer clamp, cut a superframe or see what is to become of a frame that does not fit, write GRE in front.
// The outer headers are the kernel's work. Nothing here allocates.

import { DROP, type DropCounters, dropAt } from '../drops.js'
import { BATCH_ENTRIES, type Batch, HEADER_BYTES } from '../io/batch.js'
import { clampMss, maybeSyn } from '../offload/clamp-mss.js'
import { Cutter } from '../offload/cutter.js'
import { MOST_HEADER_BYTES } from '../offload/segment.js'
import { completeChecksum } from '../offload/transport-checksum.js'
import { sum } from '../wire/checksum.js'
import { ETH_P_TEB, emitGre, GRE_CHECKSUM, greHeader, sealGre } from '../wire/gre.js'
import { packetEnd } from '../wire/packet-end.js'
import type { Answers } from './answers.js'
import { OuterHeader } from './outer-header.js'
import { CUT, OUTSIDE, Oversize } from './oversize.js'
import type { Peers } from './peers.js'
import type { PumpSettings } from './settings.js'
import type { Switch } from './switch.js'

const TOO_BIG = DROP['too-big']
const MOST_GRE_BYTES = HEADER_BYTES - MOST_HEADER_BYTES

export class Encapsulator {
  readonly outer: OuterHeader
  /** Of each frame of the batch the drop code, or 0; and the peer it went to, or -1 for several. Valid when there is no more. */
  readonly ends = new Uint8Array(BATCH_ENTRIES)
  readonly wentTo = new Int16Array(BATCH_ENTRIES)
  readonly #gre = greHeader()
  readonly #peers: Peers
  readonly #switch: Switch
  readonly #clamp: boolean
  readonly #cutter = new Cutter()
  readonly #oversize: Oversize
  /** Whether frames that do not fit may go in outer fragments, whatever their own packets are to do. */
  readonly #anyOutside: boolean
  #frames: Batch | undefined
  #taken = 0
  /** The one of the peers whose turn it is to have the frame at hand. */
  #peer = 0
  /** 1 where the outer packets of the frame at hand are to be fragmented. */
  #outside = 0

  /** @param answers is told what senders in the overlay are to be told */
  constructor(settings: PumpSettings, peers: Peers, choice: Switch, answers: Answers) {
    const { clampMss: clamp, oversize } = settings
    this.#gre.protocol = ETH_P_TEB
    this.#peers = peers
    this.#switch = choice
    this.#clamp = clamp
    this.outer = new OuterHeader(settings, peers)
    this.#oversize = new Oversize(oversize, this.#cutter, answers)
    this.#anyOutside = oversize === 'outer'
  }

  /** Begins with the frames of `batch`. */
  begin(batch: Batch): void {
    this.#frames = batch
    this.#taken = 0
    this.#switch.none()
  }

  /** Whether frames, or pieces of one, are still to become packets. */
  get more(): boolean {
    if (this.#cutter.more || this.#switch.left) return true
    return this.#frames !== undefined && this.#taken < this.#frames.count
  }

  /**
   * Lists packets in `packets`, a batch over the same memory, until it is full or no frame is left; frames that cannot go
   * are dropped and counted. A packet has at most what fits the way to its peer, or may be fragmented outside.
   */
  fill(packets: Batch, drops: DropCounters): void {
    const cutter = this.#cutter
    packets.clear()
    while (packets.count < packets.capacity && this.more) {
      if (!cutter.more) {
        if (!this.#switch.left) this.#take(drops)
        if (this.#switch.left) this.#serve(packets, drops)
      }
      while (cutter.more && packets.count < packets.capacity) this.#listPiece(packets, drops)
    }
  }

  /** Lists frames of our own, each of which fits and says which peer it goes to. */
  wrap(frames: Batch, packets: Batch): void {
    packets.clear()
    this.#outside = 0
    this.outer.plain()
    for (let i = 0; i < frames.count; i++) {
      this.#peer = frames.peer[i]
      if (this.#peers.isPaused(this.#peer)) continue
      this.#listInPlace(packets, frames.offset[i], frames.offset[i] + frames.length[i])
    }
  }

  /** Number `peer` is another one now: what is left of the frame at hand is not for it. */
  leaveOut(peer: number): void {
    if (this.#peer === peer) this.#cutter.drop()
    this.#switch.leaveOut(peer)
  }

  /** Takes the next frame, and has its peers chosen. */
  #take(drops: DropCounters): void {
    const { memory, offset, length, gsoType, csumStart, csumOffset } = this.#frames!
    const choice = this.#switch
    const i = this.#taken++
    const start = offset[i]
    const end = start + length[i]
    choice.none()
    const refused = this.outer.look(memory.bytes, start, end) || choice.route(memory.bytes, start, end)
    this.ends[i] = refused
    this.wentTo[i] = choice.count === 1 ? choice.to[0] : -1
    if (refused !== 0) {
      drops[dropAt(this.wentTo[i], refused)]++
      choice.none()
      return
    }
    const from = start + csumStart[i]
    const field = from + csumOffset[i]
    if (gsoType[i] === 0 && from > start && field + 2 <= end) completeChecksum(memory, from, end, field)
  }

  /** Sends the frame taken last to the next of its peers, or begins to cut it. */
  #serve(packets: Batch, drops: DropCounters): void {
    const i = this.#taken - 1
    this.#peer = this.#switch.next()
    this.#peers.served[this.#peer] = 1
    const refused = this.#takeFor(packets, i, this.#peers.longest(this.#peer))
    if (refused === 0) return
    drops[dropAt(this.#peer, refused)]++
    this.ends[i] = refused
  }

  /** Lists frame i, or begins to cut it. Returns 0, or the drop code. */
  #takeFor(packets: Batch, i: number, longest: number): number {
    const frames = this.#frames!
    const { memory, offset, length, gsoType } = frames
    const start = offset[i]
    const end = start + length[i]
    this.#outside = 0
    if (gsoType[i] !== 0) {
      const begun = this.#cutter.beginSegments(memory, start, end, frames.gsoSize[i], longest)
      if (begun && this.#cutter.fits(frames.gsoSize[i], longest)) return 0
      return this.#verdict(this.#oversize.superframe(frames, i, longest, begun, this.#mayFragment()))
    }
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
    return this.#anyOutside || this.outer.fragment === 1
  }

  #verdict(verdict: number): number {
    if (verdict !== OUTSIDE) return verdict
    this.#outside = 1
    return CUT
  }

  #listWhole(packets: Batch, start: number, end: number): void {
    if (this.#switch.count === 1) this.#listInPlace(packets, start, end)
    else this.#listBeside(packets, start, end)
  }

  #listInPlace(packets: Batch, start: number, end: number): void {
    const packet = this.#writeGre(packets.memory.bytes, start)
    this.#list(packets, packet, end, 0)
    if (this.#sealed) sealGre(packets.memory, packet, end)
  }

  /** In front of a frame there is room for one header only: for several peers they stand in the slab. */
  #listBeside(packets: Batch, start: number, end: number): void {
    const { headers, memory } = packets
    const stop = packets.count * HEADER_BYTES + MOST_GRE_BYTES
    const packet = this.#writeGre(headers.bytes, stop)
    packets.headerOffset[packets.count] = packet
    this.#list(packets, start, end, stop - packet)
    if (this.#sealed) sealGre(headers, packet, stop, sum(memory, start, end))
  }

  get #sealed(): boolean {
    return (this.#gre.flags & GRE_CHECKSUM) !== 0
  }

  /** Lists the next piece: GRE and headers in the slab, the payload where it lies. */
  #listPiece(packets: Batch, drops: DropCounters): void {
    const cutter = this.#cutter
    const { headers } = packets
    const at = packets.count * HEADER_BYTES + MOST_GRE_BYTES
    const length = cutter.next(headers, at)
    if (length === 0) {
      cutter.drop()
      drops[dropAt(this.#peer, TOO_BIG)]++
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
    const { outer } = this
    packets.offset[i] = from
    packets.length[i] = end - from
    packets.headerLength[i] = header
    packets.tos[i] = outer.tos
    packets.ttl[i] = outer.ttl
    packets.fragment[i] = outer.fragment | this.#outside
    packets.flow[i] = outer.flow
    packets.peer[i] = this.#peer
  }

  /** Writes the GRE header in front of `end` and returns where the packet starts. */
  #writeGre(bytes: Uint8Array, end: number): number {
    const { flags, keyOut, sequence } = this.#peers
    const peer = this.#peer
    this.#gre.flags = flags[peer]
    this.#gre.key = keyOut[peer]
    this.#gre.sequence = sequence[peer]
    sequence[peer]++ // wraps at 2^32, as RFC 2890 §2.2 has it
    return emitGre(bytes, end, this.#gre)
  }
}
