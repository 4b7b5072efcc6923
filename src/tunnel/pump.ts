// Moves batches between the two ports. A turn is bounded: one batch a direction, then what is due. No clock, no thread, no
// waiting here; pump-thread.ts and loop-engine.ts decide when to turn.

import { DROP } from '../drops.js'
import { BATCH_ENTRIES, Batch } from '../io/batch.js'
import type { Port } from '../io/port.js'
import { Coalescer } from '../offload/coalesce.js'
import { reaches } from '../offload/gso.js'
import { ETH_HLEN } from '../wire/ethernet.js'
import { GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE, greHeaderLength } from '../wire/gre.js'
import { Answers } from './answers.js'
import { Decapsulator } from './decapsulate.js'
import { Encapsulator } from './encapsulate.js'
import { Finisher } from './finish.js'
import { Prober } from './prober.js'
import type { PumpSettings } from './settings.js'
import type { Counters } from './stats.js'

/** Packets listed before they are handed to the underlay. */
const SENT_AT_ONCE = 256
/** Packets taken from the underlay at once: a merged one of UDP_GRO holds up to 64. */
const RECEIVED_AT_ONCE = 64 * BATCH_ENTRIES
/** How often the underlay is asked what fits it, in milliseconds: a path that grows again tells nobody. */
const LOOK_MS = 1000

export class Pump {
  readonly #overlay: Port
  readonly #underlay: Port
  // What was read, and over the same memory what is written of it.
  readonly #frames = new Batch()
  readonly #packets = Batch.over(this.#frames, SENT_AT_ONCE, true)
  readonly #received = new Batch(BATCH_ENTRIES, RECEIVED_AT_ONCE)
  readonly #delivered: Batch
  readonly #coalescer: Coalescer | undefined
  readonly #finisher = new Finisher()
  readonly #answers = new Answers()
  readonly #prober: Prober
  /** Over the prober's memory. */
  readonly #probes: Batch
  readonly #encapsulator: Encapsulator
  readonly #decapsulator: Decapsulator
  readonly #counters: Counters
  readonly #greBytes: number
  /** The most octets of a frame, whatever the underlay carries. */
  readonly #cap: number
  #looked = 0
  /** While true no frame is sent: its packet would come back as a frame. */
  paused = false

  constructor(overlay: Port, underlay: Port, settings: PumpSettings, counters: Counters) {
    this.#overlay = overlay
    this.#underlay = underlay
    this.#prober = new Prober(settings.probe)
    this.#probes = Batch.over(this.#prober.batch, this.#prober.batch.capacity)
    this.#encapsulator = new Encapsulator(settings, this.#answers)
    this.#decapsulator = new Decapsulator(settings, counters, this.#prober)
    this.#counters = counters
    this.#greBytes = greBytes(settings)
    this.#cap = settings.tunnelMtu === 0 ? Number.POSITIVE_INFINITY : settings.tunnelMtu + ETH_HLEN
    const offload = overlay.offload ?? 'off'
    if (reaches(offload, 'tso')) this.#coalescer = new Coalescer(RECEIVED_AT_ONCE, reaches(offload, 'uso'))
    this.#delivered = this.#coalescer
      ? Batch.over(this.#received, RECEIVED_AT_ONCE)
      : Batch.over(this.#received, SENT_AT_ONCE, true)
    counters.tunnelMtu = this.#longest - ETH_HLEN
    underlay.fragmentAt?.(this.#longest + this.#greBytes)
  }

  /** The longest frame of which the underlay says that it fits one packet, in octets. */
  get #ceiling(): number {
    const room = this.#underlay.room ?? this.#underlay.mtu
    return Math.min(room - this.#greBytes, this.#cap)
  }

  /** The longest frame that is known to fit. */
  get #longest(): number {
    return Math.min(this.#ceiling, this.#prober.limit)
  }

  /** Frames wait for room in the underlay's queue; the overlay is not read meanwhile. */
  get blocked(): boolean {
    return this.#packets.head < this.#packets.count || this.#encapsulator.more
  }

  /** One batch each way. `now` in milliseconds, monotonic. Returns whether anything was there to do. */
  turn(now = 0): boolean {
    const sent = this.transmit(now)
    return this.receive(now) || sent
  }

  /** Milliseconds until `tick` has something to do. */
  due(now: number): number {
    return Math.max(0, Math.min(this.#looked + LOOK_MS, this.#prober.next) - now)
  }

  /**
   * Does what is due at `now`; to be called at the end of every turn, so that what was heard in it is answered. Returns whether
   * the tunnel MTU is another than before.
   */
  tick(now: number): boolean {
    if (now - this.#looked >= LOOK_MS) {
      this.#looked = now
      this.#underlay.look?.()
    }
    this.#prober.tick(now, this.#ceiling)
    if (this.#prober.batch.count > 0 && !this.blocked) this.#probe()
    const tunnelMtu = this.#longest - ETH_HLEN
    if (tunnelMtu === this.#counters.tunnelMtu) return false
    this.#counters.tunnelMtu = tunnelMtu
    this.#underlay.fragmentAt?.(this.#longest + this.#greBytes)
    return true
  }

  /** Never before frames that wait: with sequence numbers those would come late. What finds no room now is asked again. */
  #probe(): void {
    const { batch } = this.#prober
    this.#encapsulator.wrap(batch, this.#probes)
    if (!this.paused) this.#underlay.write(this.#probes, this.#counters.drops)
    this.#probes.sent = 0
    this.#probes.sentBytes = 0
    batch.clear()
  }

  /** One batch from the overlay to the underlay. */
  transmit(now = 0): boolean {
    const frames = this.#frames
    const { drops } = this.#counters
    const fresh = !this.blocked
    if (fresh) {
      if (this.#overlay.read(frames, drops) === 0) return this.#account()
      if (this.paused) {
        drops[DROP.loop] += frames.count
        frames.clear()
      }
      this.#encapsulator.begin(frames)
      this.#prober.busy = true
    }
    this.#answers.now[0] = now
    const moved = this.#send()
    this.#account()
    return fresh || moved
  }

  /** Writes packets as long as there are any and the underlay takes them; whether it took any. */
  #send(): boolean {
    const packets = this.#packets
    const { drops } = this.#counters
    let moved = false
    for (;;) {
      if (packets.head === packets.count) {
        if (!this.#encapsulator.more) return moved
        this.#encapsulator.fill(packets, this.#longest + this.#greBytes, drops)
        if (this.#answers.batch.count > 0) this.#answer()
      }
      const before = packets.head
      this.#underlay.write(packets, drops)
      if (packets.head > before) moved = true
      if (packets.head < packets.count) return moved
    }
  }

  /** Tells senders in the overlay what fits. */
  #answer(): void {
    const { batch } = this.#answers
    this.#overlay.write(batch, this.#counters.drops)
    batch.sent = 0
    batch.sentBytes = 0
    batch.clear()
  }

  /** Adds what the underlay has sent meanwhile, which may be later than it was written. */
  #account(): boolean {
    const packets = this.#packets
    if (packets.sent === 0) return false
    this.#counters.addTx(packets.sent, packets.sentBytes - packets.sent * this.#greBytes)
    packets.sent = 0
    packets.sentBytes = 0
    return true
  }

  /** One batch from the underlay to the overlay. */
  receive(now: number): boolean {
    const received = this.#received
    if (this.#underlay.read(received, this.#counters.drops) === 0) return false
    const longest = this.#longest
    this.#decapsulator.run(received, now, longest)
    if (this.#coalescer) {
      this.#coalescer.run(received, this.#delivered, longest)
      this.#deliver()
      return true
    }
    const finisher = this.#finisher
    for (finisher.begin(received); finisher.more; this.#deliver()) finisher.fill(this.#delivered, longest)
    return true
  }

  #deliver(): void {
    const delivered = this.#delivered
    const { drops } = this.#counters
    delivered.head = 0
    this.#overlay.write(delivered, drops)
    // the overlay does not make us wait
    if (delivered.head < delivered.count) drops[DROP['queue-full']] += delivered.count - delivered.head
    this.#counters.addRx(delivered.sent, delivered.sentBytes)
    delivered.sent = 0
    delivered.sentBytes = 0
  }
}

/** Bytes of GRE in front of every frame sent with these settings. */
export function greBytes(settings: Pick<PumpSettings, 'checksum' | 'keyOut' | 'sequence'>): number {
  const { checksum, keyOut, sequence } = settings
  const flags = (checksum ? GRE_CHECKSUM : 0) | (keyOut === undefined ? 0 : GRE_KEY) | (sequence ? GRE_SEQUENCE : 0)
  return greHeaderLength(flags)
}
