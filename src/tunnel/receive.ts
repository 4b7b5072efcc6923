// The pump's way from the underlay to the overlay: a batch of packets is read, becomes frames, and is written as the overlay takes
// frames, which does not make us wait. What came before others that it follows is written later.

import { DROP } from '../drops.js'
import { BATCH_ENTRIES, Batch } from '../io/batch.js'
import type { Port } from '../io/port.js'
import { Coalescer } from '../offload/coalesce.js'
import { reaches } from '../offload/gso.js'
import type { CaptureHook } from './capture-hook.js'
import { Decapsulator } from './decapsulate.js'
import { Finisher } from './finish.js'
import { HeldPackets } from './held-packets.js'
import type { Peers } from './peers.js'
import type { PumpParts } from './pump-parts.js'
import type { Counters } from './stats.js'
import type { Switch } from './switch.js'

const QUEUE_FULL = DROP['queue-full']
/** Packets taken from the underlay at once: a merged one of UDP_GRO holds up to 64. */
const RECEIVED_AT_ONCE = 64 * BATCH_ENTRIES
/** Frames handed to an overlay without offload at once. */
const WRITTEN_AT_ONCE = 256

export class Receiver {
  readonly #overlay: Port
  readonly #underlay: Port
  readonly #peers: Peers
  readonly #switch: Switch
  readonly #counters: Counters
  readonly #held: HeldPackets
  readonly #decapsulator: Decapsulator
  readonly #coalescer: Coalescer | undefined
  readonly #finisher = new Finisher()
  // What was read, over the same memory the frames in it, and what is written of them.
  readonly #received: Batch
  readonly #opened: Batch
  readonly #delivered: Batch
  /** The longest frame that fits one packet of the tunnel, in octets: to it is cut what the kernel put together on the way. */
  longest = 0

  constructor({ overlay, underlay, settings, peers, neighbours, choice, counters }: PumpParts) {
    this.#overlay = overlay
    this.#underlay = underlay
    this.#peers = peers
    this.#switch = choice
    this.#counters = counters
    const held = new HeldPackets(settings)
    this.#held = held
    const { clampMss } = settings
    this.#decapsulator = new Decapsulator({ peers, choice, held, neighbours, counters, clampMss })
    this.#received = new Batch(BATCH_ENTRIES, RECEIVED_AT_ONCE, { memory: held.memory })
    // What was held comes on top of what is received.
    const most = RECEIVED_AT_ONCE + settings.reorder.packets + 1
    this.#opened = Batch.over(this.#received, most)
    const offload = overlay.offload ?? 'off'
    if (reaches(offload, 'tso')) this.#coalescer = new Coalescer(most, reaches(offload, 'uso'))
    this.#delivered = this.#coalescer
      ? Batch.over(this.#received, most)
      : Batch.over(this.#received, WRITTEN_AT_ONCE, true)
    this.#delivered.tally = counters.peers.received
  }

  set capture(capture: CaptureHook | undefined) {
    this.#decapsulator.capture = capture
  }

  /** A peer is new, or another than before. */
  begin(peer: number): void {
    this.#held.set(peer, this.#peers.sequenced[peer] !== 0)
  }

  /** Milliseconds until something that waits has waited long enough; infinite while nothing does. */
  due(now: number): number {
    return this.#held.due(this.#peers, now)
  }

  /** One batch; whether there was any. */
  run(now: number): boolean {
    const received = this.#received
    if (this.#underlay.read(received, this.#counters.drops) === 0) return false
    this.#switch.now[0] = now
    const decapsulator = this.#decapsulator
    for (decapsulator.begin(received); decapsulator.more; this.#deliver()) decapsulator.fill(this.#opened, now)
    return true
  }

  /** Delivers what has waited long enough for those before it. */
  release(now: number): void {
    if (this.due(now) > 0) return
    const { all, count } = this.#peers
    for (let i = 0; i < count; i++) {
      if (this.#held.dueOf(all[i], now) > 0) continue
      this.#decapsulator.fillHeld(this.#opened, all[i], now)
      this.#deliver()
    }
  }

  /** Puts frames together, or finishes and cuts them, as the overlay takes them. */
  #deliver(): void {
    const opened = this.#opened
    if (this.#coalescer) {
      this.#coalescer.run(opened, this.#delivered, this.longest)
      this.#write()
      return
    }
    const finisher = this.#finisher
    for (finisher.begin(opened); finisher.more; this.#write()) finisher.fill(this.#delivered, this.longest)
  }

  #write(): void {
    const delivered = this.#delivered
    const { drops } = this.#counters
    delivered.head = 0
    this.#overlay.write(delivered, drops)
    if (delivered.head < delivered.count) drops[QUEUE_FULL] += delivered.count - delivered.head
    this.#counters.addRx(delivered.sent, delivered.sentBytes)
    delivered.sent = 0
    delivered.sentBytes = 0
  }
}
