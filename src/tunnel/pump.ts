// Moves batches between the two ports. A turn is bounded: one batch a direction. No clock, no thread, no waiting here;
// pump-thread.ts and loop-engine.ts decide when to turn.

import { DROP } from '../drops.js'
import { Batch } from '../io/batch.js'
import type { Port } from '../io/port.js'
import { GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE, greHeaderLength } from '../wire/gre.js'
import { Decapsulator } from './decapsulate.js'
import { Encapsulator } from './encapsulate.js'
import type { PumpSettings } from './settings.js'
import type { Counters } from './stats.js'

export class Pump {
  readonly #overlay: Port
  readonly #underlay: Port
  readonly #tx = new Batch()
  readonly #rx = new Batch()
  readonly #encapsulator: Encapsulator
  readonly #decapsulator: Decapsulator
  readonly #counters: Counters
  readonly #greBytes: number
  /** While true no frame is sent: its packet would come back as a frame. */
  paused = false

  constructor(overlay: Port, underlay: Port, settings: PumpSettings, counters: Counters) {
    this.#overlay = overlay
    this.#underlay = underlay
    this.#encapsulator = new Encapsulator(settings)
    this.#decapsulator = new Decapsulator(settings, counters)
    this.#counters = counters
    this.#greBytes = greBytes(settings)
  }

  /** Frames wait for room in the underlay's queue; the overlay is not read meanwhile. */
  get blocked(): boolean {
    return this.#tx.head < this.#tx.count
  }

  /** One batch each way. `now` in milliseconds, monotonic. Returns whether anything was there to do. */
  turn(now = 0): boolean {
    const sent = this.transmit()
    return this.receive(now) || sent
  }

  /** One batch from the overlay to the underlay. */
  transmit(): boolean {
    const tx = this.#tx
    const { drops } = this.#counters
    const fresh = !this.blocked
    if (fresh) {
      if (this.#overlay.read(tx, drops) === 0) return this.#account()
      if (this.paused) this.#refuseAll()
      else this.#encapsulator.run(tx, drops)
    }
    const before = tx.head
    this.#underlay.write(tx, drops)
    this.#account()
    return fresh || tx.head > before
  }

  /** Adds what the underlay has sent meanwhile, which may be later than it was written. */
  #account(): boolean {
    const tx = this.#tx
    if (tx.sent === 0) return false
    this.#counters.addTx(tx.sent, tx.sentBytes - tx.sent * this.#greBytes)
    tx.sent = 0
    tx.sentBytes = 0
    return true
  }

  #refuseAll(): void {
    this.#counters.drops[DROP.loop] += this.#tx.count
    this.#tx.clear()
  }

  /** One batch from the underlay to the overlay. */
  receive(now: number): boolean {
    const rx = this.#rx
    const { drops } = this.#counters
    if (this.#underlay.read(rx, drops) === 0) return false
    this.#decapsulator.run(rx, now)
    this.#overlay.write(rx, drops)
    if (rx.head < rx.count) drops[DROP['queue-full']] += rx.count - rx.head // the overlay does not make us wait
    this.#counters.addRx(rx.sent, rx.sentBytes)
    rx.sent = 0
    rx.sentBytes = 0
    return true
  }
}

/** Bytes of GRE in front of every frame sent with these settings. */
export function greBytes(settings: Pick<PumpSettings, 'checksum' | 'keyOut' | 'sequence'>): number {
  const { checksum, keyOut, sequence } = settings
  const flags = (checksum ? GRE_CHECKSUM : 0) | (keyOut === undefined ? 0 : GRE_KEY) | (sequence ? GRE_SEQUENCE : 0)
  return greHeaderLength(flags)
}
