// One capture from a ring to whoever asked for it: pcapng in chunks. The header comes at once, packets as the pump puts them, and
// statistics when packets were lost and at the end. Filters here, on the reader's side: the pump is not to wait for that.
// Invariant: a chunk is whole blocks, and belongs to who takes it.

import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises'
import { DROP_REASONS } from '../../drops.js'
import type { CaptureReader } from '../../tunnel/capture-reader.js'
import { FRAME, GRE_PACKET, MAY_FRAGMENT, TX, UNSURE } from '../../tunnel/capture-record.js'
import { octets } from '../../wire/octets.js'
import {
  emitInterface,
  emitPacket,
  emitSection,
  emitStatistics,
  INBOUND,
  LINKTYPE_ETHERNET,
  LINKTYPE_RAW,
  MOST_BLOCK_BYTES,
  OUTBOUND,
  PACKET_DATA,
  type PcapngPacket,
} from '../../wire/pcapng.js'
import { bpfProgram } from './bpf.js'
import { type BarePacket, OuterHeaders, type Underlay } from './outer-headers.js'
import type { CaptureWanted } from './wanted.js'

/** How long to wait before looking again, in milliseconds: while packets come, and when none came. */
const BUSY_MS = 10
const IDLE_MS = 50
/** A chunk ends behind the packet that reaches this; the largest one has room behind it. */
const CHUNK_BYTES = 1 << 18
const MOST_PACKET_BYTES = 1 << 17
/** Looked at in one go: where the filter wants none of them no chunk gets full, and the pump may write faster than we read. */
const MOST_RECORDS = 1024
const MOST_COMMENT_BYTES = 1024

export class Capture {
  readonly #reader: CaptureReader
  readonly #underlay: Underlay
  readonly #wanted: CaptureWanted
  readonly #accepts: (packet: Uint8Array, original: number) => boolean
  readonly #outer: OuterHeaders
  readonly #chunk = octets(new Uint8Array(CHUNK_BYTES + MOST_PACKET_BYTES + MOST_COMMENT_BYTES + 2 * MOST_BLOCK_BYTES))
  readonly #comments = new Map<string, Uint8Array>()
  readonly #packet: PcapngPacket = { time: 0, captured: 0, original: 0, direction: 0, comment: new Uint8Array(0) }
  readonly #name: string
  #seen = 0
  #lostTold = 0
  /** Whether the last `#fill` left off before it had come to the end of the ring. */
  #more = false

  /** @throws ConfigError TSGRE_BAD_FILTER */
  constructor(reader: CaptureReader, name: string, underlay: Underlay, wanted: CaptureWanted) {
    this.#reader = reader
    this.#name = name
    this.#underlay = underlay
    this.#wanted = wanted
    this.#outer = new OuterHeaders(underlay)
    const program = wanted.filter && bpfProgram(wanted.filter)
    this.#accepts = program ? (packet, original) => program.accepts(packet, original) : () => true
  }

  /** Until `signal`; then what is in the ring, and the statistics. */
  async *chunks(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    yield this.#header()
    while (!signal.aborted) {
      const chunk = this.#fill()
      if (chunk.length > 0) yield chunk
      // Neither who takes chunks faster than we make them nor what nobody wants may keep the program from everything else.
      if (this.#more) await breathe()
      else await sleep(chunk.length > 0 ? BUSY_MS : IDLE_MS, undefined, { signal }).catch(() => {})
    }
    this.#reader.close()
    do {
      const chunk = this.#fill()
      if (chunk.length > 0) yield chunk
      if (this.#more) await breathe()
    } while (this.#more)
    yield this.#taken(this.#statistics(0))
  }

  #header(): Uint8Array {
    const linkType = this.#wanted.side === 'inner' ? LINKTYPE_ETHERNET : LINKTYPE_RAW
    const behind = emitSection(this.#chunk, 0, this.#text('tsgre'))
    const name = this.#text(this.#name)
    return this.#taken(emitInterface(this.#chunk, behind, linkType, this.#wanted.snaplen ?? 0, name))
  }

  /** What is wanted of what the ring has, up to a chunk, or of as many records as are looked at in one go. */
  #fill(): Uint8Array {
    const most = this.#seen + MOST_RECORDS
    let at = 0
    while (at < CHUNK_BYTES && this.#seen < most && this.#reader.next()) {
      this.#seen++
      at = this.#add(at)
    }
    this.#more = at >= CHUNK_BYTES || this.#seen === most
    if (this.#reader.lost !== this.#lostTold) at = this.#statistics(at)
    return this.#taken(at)
  }

  #taken(end: number): Uint8Array {
    return this.#chunk.bytes.slice(0, end)
  }

  #statistics(at: number): number {
    this.#lostTold = this.#reader.lost
    return emitStatistics(this.#chunk, at, Date.now(), this.#seen + this.#lostTold, this.#lostTold)
  }

  /** Adds the record at hand where it is wanted; returns where the next one goes. */
  #add(at: number): number {
    const reader = this.#reader
    const { captured, original, direction, peer } = reader
    const out = direction === TX
    const remote = this.#underlay.peer(peer)?.remote
    const { remote: wanted } = this.#wanted
    if (wanted !== undefined && wanted !== remote && !(peer < 0 && out)) return at
    const bare = reader.kind === GRE_PACKET
    const start = at + PACKET_DATA
    const headers = bare ? this.#outer.length : 0
    reader.copyTo(this.#chunk.bytes, start + headers)
    if (bare) this.#outer.write(this.#chunk, start + headers, this.#bare(out))
    const packet = this.#packet
    packet.original = headers + original
    if (!this.#accepts(this.#chunk.bytes.subarray(start, start + headers + captured), packet.original)) return at
    if (bare) this.#outer.sum(this.#chunk, start + headers, this.#bare(out))
    packet.captured = Math.min(headers + captured, this.#wanted.snaplen || Number.POSITIVE_INFINITY)
    packet.time = reader.time[0]
    packet.direction = out ? OUTBOUND : INBOUND
    packet.comment = this.#text(this.#comment(remote))
    return emitPacket(this.#chunk, at, packet)
  }

  #bare(out: boolean): BarePacket {
    const { peer, tos, ttl, flags, original, captured } = this.#reader
    return { out, peer, tos, ttl, mayFragment: (flags & MAY_FRAGMENT) !== 0, original, captured }
  }

  /** `tx to 192.168.56.6; dropped: too-big`: also read by those who print captures for people. */
  #comment(remote: string | undefined): string {
    const { direction, drop, flags, segment, kind } = this.#reader
    const flooded = kind === FRAME && drop === 0 ? 'tx to all' : 'tx'
    const way = direction === TX ? (remote ? `tx to ${remote}` : flooded) : remote ? `rx from ${remote}` : 'rx'
    const reason = DROP_REASONS[drop - 1] ?? drop
    const dropped = drop === 0 ? '' : flags & UNSURE ? `; perhaps dropped: ${reason}` : `; dropped: ${reason}`
    return `${way}${dropped}${segment > 0 ? `; superframe, segments of ${segment} octets` : ''}`
  }

  /** In UTF-8, kept: there are few different ones. */
  #text(text: string): Uint8Array {
    let bytes = this.#comments.get(text)
    if (bytes === undefined) {
      if (this.#comments.size > 4096) this.#comments.clear()
      bytes = new TextEncoder().encode(text).subarray(0, MOST_COMMENT_BYTES)
      this.#comments.set(text, bytes)
    }
    return bytes
  }
}
