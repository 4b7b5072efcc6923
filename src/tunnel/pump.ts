// Moves batches between the two ports. A turn is bounded: one batch a direction, then what is due. No clock, no thread, no
// waiting here; pump-thread.ts and loop-engine.ts decide when to turn.

import { DROP } from '../drops.js'
import { BATCH_ENTRIES, Batch } from '../io/batch.js'
import type { Port } from '../io/port.js'
import { Coalescer } from '../offload/coalesce.js'
import { reaches } from '../offload/gso.js'
import { ETH_HLEN } from '../wire/ethernet.js'
import { Answers } from './answers.js'
import { CaptureHook } from './capture-hook.js'
import { Decapsulator } from './decapsulate.js'
import { Encapsulator } from './encapsulate.js'
import { Finisher } from './finish.js'
import { HeldPackets } from './held-packets.js'
import { Neighbours } from './neighbours.js'
import { Peers } from './peers.js'
import type { PumpCommand } from './pump-command.js'
import type { PumpSettings } from './settings.js'
import type { Counters } from './stats.js'
import { Switch } from './switch.js'

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
  readonly #received: Batch
  readonly #opened: Batch
  readonly #delivered: Batch
  readonly #coalescer: Coalescer | undefined
  readonly #finisher = new Finisher()
  readonly #answers = new Answers()
  readonly #peers: Peers
  readonly #held: HeldPackets
  readonly #switch: Switch
  readonly #neighbours: Neighbours
  /** Over the memory of what the neighbours are told. */
  readonly #said: Batch
  readonly #encapsulator: Encapsulator
  readonly #decapsulator: Decapsulator
  readonly #counters: Counters
  /** While somebody captures. */
  #capture: CaptureHook | undefined
  /** Whether what became of the frames read last is still to be captured. */
  #toCapture = false
  readonly #followsPeers: boolean
  #carrier = true
  #looked = 0
  /** Of the underlay, as last seen. */
  #changes: number | undefined = 0
  /** The longest frame that fits one packet to whichever peer, in octets. */
  #longest = 0

  constructor(overlay: Port, underlay: Port, settings: PumpSettings, counters: Counters) {
    this.#overlay = overlay
    this.#underlay = underlay
    this.#counters = counters
    this.#followsPeers = settings.carrier
    this.#peers = new Peers(settings)
    this.#peers.rooms = underlay.rooms ?? this.#peers.rooms.fill(underlay.mtu)
    this.#held = new HeldPackets(settings, this.#largestRoom())
    this.#received = new Batch(BATCH_ENTRIES, RECEIVED_AT_ONCE, { memory: this.#held.memory })
    this.#neighbours = new Neighbours(settings, this.#peers, counters)
    this.#said = Batch.over(this.#neighbours.said.batch, this.#neighbours.said.batch.capacity)
    this.#switch = new Switch(this.#peers, this.#neighbours.fdb, this.#neighbours.guard, settings)
    this.#encapsulator = new Encapsulator(settings, this.#peers, this.#switch, this.#answers)
    this.#decapsulator = new Decapsulator({
      peers: this.#peers,
      choice: this.#switch,
      held: this.#held,
      guard: this.#neighbours.guard,
      conversations: this.#neighbours.conversations,
      counters,
      clampMss: settings.clampMss,
    })
    const offload = overlay.offload ?? 'off'
    // What was held comes on top of what is received.
    const most = RECEIVED_AT_ONCE + settings.reorder.packets + 1
    this.#opened = Batch.over(this.#received, most)
    if (reaches(offload, 'tso')) this.#coalescer = new Coalescer(most, reaches(offload, 'uso'))
    this.#delivered = this.#coalescer
      ? Batch.over(this.#received, most)
      : Batch.over(this.#received, SENT_AT_ONCE, true)
    for (const batch of [this.#packets, this.#said]) batch.tally = counters.peers.sent
    for (let i = 0; i < this.#peers.count; i++) this.#begin(this.#peers.all[i])
    this.#measure()
  }

  #largestRoom(): number {
    return this.#peers.rooms.reduce((most, room) => Math.max(most, room), 0)
  }

  /** A peer is new, or another than before. */
  #begin(peer: number): void {
    this.#held.set(peer, this.#peers.sequenced[peer] !== 0)
    for (const batch of [this.#packets, this.#said]) batch.overhead[peer] = this.#peers.greBytes[peer]
  }

  /** Does what the program asks of a running pump. */
  command(command: PumpCommand): void {
    if (command.kind === 'peer') {
      const { peer, settings, way } = command
      this.#underlay.setPeer?.(peer, way)
      this.#peers.set(peer, settings)
      this.#neighbours.set(peer, settings !== undefined)
      this.#begin(peer)
      this.#measure()
    } else if (command.kind === 'pause') {
      this.#peers.setPaused(command.peer, command.paused)
    } else if (command.kind === 'local') {
      this.#underlay.setLocal?.(command.local)
      this.#encapsulator.outer.local = command.local.bytes
    } else if (command.kind === 'capture') {
      this.#setCapture(command.ring)
    } else if (command.port === undefined) this.#neighbours.fdb.flushAll()
    else this.#neighbours.fdb.flush(command.port)
  }

  #setCapture(ring: SharedArrayBuffer | undefined): void {
    const capture = this.#capture ?? new CaptureHook()
    if (ring) capture.add(ring)
    this.#capture = capture.prune() ? capture : undefined
    this.#decapsulator.capture = this.#capture
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
    const { next, guard } = this.#neighbours
    const first = Math.min(this.#looked + LOOK_MS, next, guard?.next ?? next)
    return Math.max(0, Math.min(first - now, this.#held.due(this.#peers, now)))
  }

  /**
   * Does what is due at `now`; to be called at the end of every turn, so that what was heard in it is answered. Returns whether
   * something of the tunnel or its peers is another than before.
   */
  tick(now: number): boolean {
    const neighbours = this.#neighbours
    this.#counters.turnedAt = now
    if (now - this.#looked >= LOOK_MS) {
      this.#looked = now
      this.#underlay.look?.()
      this.#noteErrors(now)
      neighbours.fdb.age(now)
    }
    this.#releaseHeld(now)
    if (this.#underlay.changes !== this.#changes) {
      this.#changes = this.#underlay.changes
      neighbours.changed = true
      neighbours.stir()
    }
    for (let more = true; more; this.#say()) more = neighbours.tick(now)
    neighbours.tickGuard(now)
    if (neighbours.guard !== undefined) this.#tellOverlay(neighbours.guard.batch)
    if (!neighbours.changed) return false
    neighbours.changed = false
    this.#measure()
    this.#showCarrier()
    return true
  }

  #showCarrier(): void {
    const carrier = !this.#followsPeers || this.#peers.anyThere
    if (carrier === this.#carrier) return
    this.#carrier = carrier
    this.#overlay.setCarrier?.(carrier)
  }

  /** What ICMP said of the way to each peer. */
  #noteErrors(now: number): void {
    const { errors } = this.#underlay
    if (errors === undefined) return
    const { all, count } = this.#peers
    for (let i = 0; i < count; i++) {
      const peer = all[i]
      if (errors[peer] === 0) continue
      this.#counters.peers.noteError(peer, errors[peer], now)
      errors[peer] = 0
    }
  }

  /** Never before frames that wait: with sequence numbers those would come late. What finds no room now is asked again. */
  #say(): void {
    const { batch } = this.#neighbours.said
    if (batch.count === 0 || this.blocked) return
    this.#encapsulator.wrap(batch, this.#said)
    this.#underlay.write(this.#said, this.#counters.drops)
    this.#said.sent = 0
    this.#said.sentBytes = 0
    batch.clear()
  }

  /** Notes what fits each way, and what fits all of them: the tunnel MTU. */
  #measure(): void {
    const { peers: told } = this.#counters
    const peers = this.#peers
    let longest = Number.POSITIVE_INFINITY
    for (let i = 0; i < peers.count; i++) {
      const peer = peers.all[i]
      const fits = peers.longest(peer)
      if (fits !== told.longest[peer]) this.#underlay.fragmentAt?.(peer, fits + peers.greBytes[peer])
      told.longest[peer] = fits
      told.ceiling[peer] = peers.ceiling(peer)
      longest = Math.min(longest, fits)
    }
    if (peers.count === 0) return
    this.#longest = longest
    this.#counters.tunnelMtu = longest - ETH_HLEN
  }

  /** One batch from the overlay to the underlay. */
  transmit(now = 0): boolean {
    const frames = this.#frames
    const { drops } = this.#counters
    const fresh = !this.blocked
    if (fresh) {
      if (this.#overlay.read(frames, drops) === 0) return this.#account()
      this.#encapsulator.begin(frames)
      this.#toCapture = this.#capture !== undefined
      this.#neighbours.busy()
    }
    this.#answers.now[0] = now
    this.#setNow(now)
    const moved = this.#send()
    if (this.#toCapture && !this.#encapsulator.more) this.#captureFrames(frames)
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
        this.#encapsulator.fill(packets, drops)
        this.#tellOverlay(this.#answers.batch)
      }
      const before = packets.head
      if (this.#capture === undefined) this.#underlay.write(packets, drops)
      else this.#writeCaptured(this.#capture)
      if (packets.head > before) moved = true
      if (packets.head < packets.count) return moved
    }
  }

  #setNow(now: number): void {
    this.#switch.now[0] = now
    if (this.#capture !== undefined) this.#capture.now[0] = now
  }

  #writeCaptured(capture: CaptureHook): void {
    const { drops } = this.#counters
    capture.writing(this.#packets, drops)
    this.#underlay.write(this.#packets, drops)
    capture.written(this.#packets, drops)
  }

  #captureFrames(frames: Batch): void {
    this.#toCapture = false
    this.#capture?.sent(frames, this.#encapsulator.ends, this.#encapsulator.wentTo)
  }

  /** Writes frames of our own into the overlay. */
  #tellOverlay(batch: Batch): void {
    if (batch.count === 0) return
    this.#overlay.write(batch, this.#counters.drops)
    batch.sent = 0
    batch.sentBytes = 0
    batch.clear()
  }

  /** Adds what the underlay has sent meanwhile, which may be later than it was written. */
  #account(): boolean {
    const packets = this.#packets
    if (packets.sent === 0) return false
    this.#counters.addTx(packets.sent, packets.sentBytes)
    packets.sent = 0
    packets.sentBytes = 0
    return true
  }

  /** One batch from the underlay to the overlay. */
  receive(now: number): boolean {
    const received = this.#received
    if (this.#underlay.read(received, this.#counters.drops) === 0) return false
    this.#setNow(now)
    const decapsulator = this.#decapsulator
    for (decapsulator.begin(received); decapsulator.more; this.#deliver()) decapsulator.fill(this.#opened, now)
    return true
  }

  /** Delivers what waited too long for those before it. */
  #releaseHeld(now: number): void {
    if (this.#held.due(this.#peers, now) > 0) return
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
      this.#coalescer.run(opened, this.#delivered, this.#longest)
      this.#write()
      return
    }
    const finisher = this.#finisher
    for (finisher.begin(opened); finisher.more; this.#write()) finisher.fill(this.#delivered, this.#longest)
  }

  #write(): void {
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
