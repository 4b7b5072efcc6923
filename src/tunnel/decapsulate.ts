// Underlay to overlay: every packet of a batch (GRE first, the outer IP header is off) becomes the frame it carries.
// The checks stand in the order a packet meets them, and each packet ends as a frame or under one drop reason. A key that
// is not ours is noticed before length and checksum, since the kernel's filter shortens such packets to their headers.
// What is to be delivered gets the outer header's congestion mark, and a SYN an MSS that fits the way back.

import { DROP, type DropCounters } from '../drops.js'
import type { Batch } from '../io/batch.js'
import { clampMss, maybeSyn } from '../offload/clamp-mss.js'
import { decapsulateEcn, marks } from '../wire/ecn.js'
import { GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE, greHeader, parseGre, verifyGre } from '../wire/gre.js'
import { read16 } from '../wire/network-order.js'
import type { Octets } from '../wire/octets.js'
import { ETH_P_PROBE, isProbe } from '../wire/probe-frame.js'
import { Prober } from './prober.js'
import { SequenceReceiver } from './sequence.js'
import type { PumpSettings } from './settings.js'
import type { Counters } from './stats.js'

const TRUNCATED = DROP.truncated
const UNKNOWN_PEER = DROP['unknown-peer']
const KEY_MISMATCH = DROP['key-mismatch']
const CHECKSUM = DROP.checksum
const ECN = DROP.ecn
const OUT_OF_SEQUENCE = DROP['out-of-sequence']
const ETHERNET_BYTES = 14
const MOST_FRAME_BYTES = 65535

export class Decapsulator {
  readonly #gre = greHeader()
  readonly #sequence = new SequenceReceiver()
  readonly #counters: Counters
  readonly #drops: DropCounters
  readonly #keyFlag: number
  readonly #key: number
  readonly #sequenceFlag: number
  readonly #clamp: boolean
  readonly #prober: Prober

  /** @param prober hears the peer's probes, which are not delivered */
  constructor(settings: PumpSettings, counters: Counters, prober = new Prober(false)) {
    this.#counters = counters
    this.#clamp = settings.clampMss
    this.#prober = prober
    this.#drops = counters.drops
    this.#keyFlag = settings.keyIn === undefined ? 0 : GRE_KEY
    this.#key = settings.keyIn ?? 0
    this.#sequenceFlag = settings.sequence ? GRE_SEQUENCE : 0
  }

  /**
   * Turns the packets of `batch` into frames. `now` in milliseconds, monotonic; `longest` is what fits one packet of the
   * way back, in octets of a frame.
   */
  run(batch: Batch, now: number, longest = MOST_FRAME_BYTES): void {
    const { memory, offset, length, tos } = batch
    let kept = 0
    for (let i = 0; i < batch.count; i++) {
      const end = offset[i] + length[i]
      const header = batch.peer[i] < 0 ? -UNKNOWN_PEER : this.#examine(memory, offset[i], end, now)
      if (header < 0) {
        this.#drops[-header]++
        continue
      }
      const frame = offset[i] + header
      const etherType = read16(memory.bytes, frame + 12)
      if (etherType === ETH_P_PROBE && isProbe(memory.bytes, frame, end)) {
        this.#prober.hear(memory.bytes, frame, end, now)
        continue
      }
      if (this.#clamp && maybeSyn(memory.bytes, frame, end)) clampMss(memory, frame, end, longest)
      if (marks(tos[i]) && decapsulateEcn(memory, frame, end, tos[i]) < 0) {
        this.#drops[ECN]++
        continue
      }
      batch.keep(i, kept)
      offset[kept] = frame
      length[kept++] = end - frame
    }
    batch.count = kept
  }

  /** The length of the GRE header in front of a frame that is to be delivered, or minus a drop code. */
  #examine(memory: Octets, start: number, end: number, now: number): number {
    const gre = this.#gre
    const header = parseGre(memory.bytes, start, end, gre)
    if (header < 0) return header
    if ((gre.flags & GRE_KEY) !== this.#keyFlag || gre.key !== this.#key) {
      this.#counters.noteWrongKey((gre.flags & GRE_KEY) !== 0, gre.key | 0)
      return -KEY_MISMATCH
    }
    if (end - start - header < ETHERNET_BYTES) return -TRUNCATED
    if (gre.flags & GRE_CHECKSUM && !verifyGre(memory, start, end)) return -CHECKSUM
    if (gre.flags & this.#sequenceFlag && !this.#sequence.accept(gre.sequence | 0, now)) return -OUT_OF_SEQUENCE
    return header
  }
}
