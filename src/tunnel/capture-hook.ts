// What the pump calls while somebody captures: looks up where frames and packets lie and puts them into every ring that wants
// them. The pump has none of these as long as nobody does. Nothing here allocates, and nothing is changed.
// Invariant: rings come and go between turns only, with `add` and `prune`.

import { codeAt, DROP_SLOTS, type DropCounters } from '../drops.js'
import { type Batch, SLOT_BYTES } from '../io/batch.js'
import { ETH_HLEN } from '../wire/ethernet.js'
import { ETH_P_TEB, GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE, GRE_VERSION, greHeaderLength } from '../wire/gre.js'
import { read16 } from '../wire/network-order.js'
import { type Octets, octets } from '../wire/octets.js'
import {
  FRAME,
  GRE_PACKET,
  INNER,
  MAY_FRAGMENT,
  OUTER,
  PACKET,
  RecordFields,
  RX,
  TX,
  UNSURE,
} from './capture-record.js'
import { CaptureWriter } from './capture-ring.js'

const OPTIONAL = GRE_CHECKSUM | GRE_KEY | GRE_SEQUENCE
const IPPROTO_GRE = 47
const NO_HEADERS = octets(new Uint8Array(4))

export class CaptureHook {
  /** The clock of the turn in milliseconds, monotonic; the pump sets it. In an array, where a double is not boxed. */
  readonly now = new Float64Array(1)
  readonly #sinceEpoch: number
  readonly #fields = new RecordFields()
  readonly #rings: CaptureWriter[] = []
  /** The drop counters before a write, and what had been sent and written of the batch. */
  readonly #before = new Float64Array(DROP_SLOTS)
  #sentBefore = 0
  #headBefore = 0

  /** @param sinceEpoch the time of day at which the pump's clock was 0 */
  constructor(sinceEpoch = Date.now() - performance.now()) {
    this.#sinceEpoch = sinceEpoch
  }

  /** Begins to write into a ring's memory. */
  add(memory: SharedArrayBuffer): void {
    this.#rings.push(new CaptureWriter(memory))
  }

  /** Lets go of rings that nobody reads any more; whether any is left. */
  prune(): boolean {
    for (let i = this.#rings.length - 1; i >= 0; i--) if (this.#rings[i].closed) this.#rings.splice(i, 1)
    return this.#rings.length > 0
  }

  /** The frames of a batch that was read, once it is known what became of each: its drop code or 0, and its peer or -1 for all. */
  sent(frames: Batch, drops: Uint8Array, peers: Int16Array): void {
    const fields = this.#begin(TX)
    for (let i = 0; i < frames.count; i++) {
      fields.drop = drops[i]
      fields.peer = peers[i]
      fields.segment = frames.gsoType[i] === 0 ? 0 : frames.gsoSize[i]
      const start = frames.offset[i]
      this.#put(INNER, FRAME, NO_HEADERS, 0, 0, frames.memory, start, start + frames.length[i])
    }
  }

  /** To be called before `underlay.write(packets, drops)`, with `written` behind it. */
  writing(packets: Batch, drops: DropCounters): void {
    this.#before.set(drops)
    this.#headBefore = packets.head
    this.#sentBefore = packets.sent
  }

  /** The packets that were sent or dropped since `writing`. Ports do not say which was dropped; where all were, it is known. */
  written(packets: Batch, drops: DropCounters): void {
    const moved = packets.head - this.#headBefore
    const dropped = moved - (packets.sent - this.#sentBefore)
    const fields = this.#begin(TX)
    fields.drop = dropped > 0 ? this.#mostGrown(drops) : 0
    const unsure = dropped > 0 && dropped < moved ? UNSURE : 0
    for (let i = this.#headBefore; i < packets.head; i++) {
      fields.flags = unsure | (packets.fragment[i] === 1 ? MAY_FRAGMENT : 0)
      fields.peer = packets.peer[i]
      fields.tos = packets.tos[i]
      fields.ttl = packets.ttl[i]
      const start = packets.offset[i]
      const end = start + packets.length[i]
      this.#put(
        OUTER,
        GRE_PACKET,
        packets.headers,
        packets.headerOffset[i],
        packets.headerLength[i],
        packets.memory,
        start,
        end,
      )
    }
  }

  #mostGrown(drops: DropCounters): number {
    let code = 0
    let most = 0
    for (let i = 1; i < DROP_SLOTS; i++) {
      const grown = (drops[i] - this.#before[i]) | 0
      if (grown > most) {
        most = grown
        code = codeAt(i)
      }
    }
    return code
  }

  /** Packet i of a batch that was received, still listed as it was read, once its drop code (or 0) is known. */
  received(packets: Batch, i: number, drop: number): void {
    const fields = this.#begin(RX)
    const { memory } = packets
    const start = packets.offset[i]
    const end = start + packets.length[i]
    fields.drop = drop
    fields.peer = packets.peer[i]
    const frame = frameIn(memory.bytes, start, end)
    if (frame > 0) this.#put(INNER, FRAME, NO_HEADERS, 0, 0, memory, frame, end)
    const outer = outerIn(memory.bytes, start)
    fields.tos = packets.tos[i]
    this.#put(OUTER, outer === start ? GRE_PACKET : PACKET, NO_HEADERS, 0, 0, memory, outer, end)
  }

  #begin(direction: number): RecordFields {
    const fields = this.#fields
    fields.direction = direction
    fields.time[0] = this.#sinceEpoch + this.now[0]
    fields.flags = 0
    fields.segment = 0
    fields.tos = 0
    fields.ttl = 0
    return fields
  }

  #put(
    side: number,
    kind: number,
    headers: Octets,
    from: number,
    first: number,
    memory: Octets,
    start: number,
    end: number,
  ): void {
    this.#fields.kind = kind
    for (let i = 0; i < this.#rings.length; i++) {
      const ring = this.#rings[i]
      if (ring.wants(side, this.#fields.drop)) ring.put(this.#fields, headers, from, first, memory, start, end)
    }
  }
}

/** Where the frame in a packet of GRE starts, whatever was wrong with the packet; 0 where there is none. */
function frameIn(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 4 || read16(bytes, start + 2) !== ETH_P_TEB) return 0
  const flags = read16(bytes, start)
  const frame = start + greHeaderLength(flags & OPTIONAL)
  return (flags & GRE_VERSION) === 0 && end - frame >= ETH_HLEN ? frame : 0
}

/** Where the packet around GRE starts: a raw IPv4 socket gives the outer header at the beginning of the slot, others do not. */
function outerIn(bytes: Uint8Array, start: number): number {
  const before = start % SLOT_BYTES
  const outer = start - before
  const isHeader =
    before >= 20 &&
    before <= 60 &&
    (before & 3) === 0 &&
    bytes[outer] === (0x40 | (before >>> 2)) &&
    bytes[outer + 9] === IPPROTO_GRE
  return isHeader ? outer : start
}
