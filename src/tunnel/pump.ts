// Moves batches between the two ports. A turn is bounded: one batch a direction, then what is due. No clock, no thread, no
// waiting here; pump-thread.ts and loop-engine.ts decide when to turn.

import type { Port } from '../io/port.js'
import { ETH_HLEN } from '../wire/ethernet.js'
import { CaptureHook } from './capture-hook.js'
import { Neighbours } from './neighbours.js'
import { Peers } from './peers.js'
import type { PumpCommand } from './pump-command.js'
import { Receiver } from './receive.js'
import type { PumpSettings } from './settings.js'
import type { Counters } from './stats.js'
import { Switch } from './switch.js'
import { FRESH, Transmitter } from './transmit.js'

/** How often the underlay is asked what fits it, in milliseconds: a path that grows again tells nobody. */
const LOOK_MS = 1000

export class Pump {
  readonly #overlay: Port
  readonly #underlay: Port
  readonly #peers: Peers
  readonly #neighbours: Neighbours
  readonly #transmitter: Transmitter
  readonly #receiver: Receiver
  readonly #counters: Counters
  readonly #followsPeers: boolean
  #capture: CaptureHook | undefined
  #carrier = true
  #looked = 0
  /** Of the underlay, as last seen. */
  #changes: number | undefined = 0

  constructor(overlay: Port, underlay: Port, settings: PumpSettings, counters: Counters) {
    this.#overlay = overlay
    this.#underlay = underlay
    this.#counters = counters
    this.#followsPeers = settings.carrier
    const peers = new Peers(settings)
    peers.rooms = underlay.rooms ?? peers.rooms.fill(underlay.mtu)
    this.#peers = peers
    const neighbours = new Neighbours(settings, peers, counters)
    this.#neighbours = neighbours
    const choice = new Switch(peers, neighbours.fdb, neighbours.guard, settings)
    const parts = { overlay, underlay, settings, peers, neighbours, choice, counters }
    this.#transmitter = new Transmitter(parts)
    this.#receiver = new Receiver(parts)
    for (let i = 0; i < peers.count; i++) this.#begin(peers.all[i])
    this.#measure()
  }

  /** A peer is new, or another than before. */
  #begin(peer: number): void {
    this.#receiver.begin(peer)
    this.#transmitter.setOverhead(peer, this.#peers.greBytes[peer])
  }

  /** Does what the program asks of a running pump. */
  command(command: PumpCommand): void {
    if (command.kind === 'peer') {
      const { peer, settings, way } = command
      this.#transmitter.leaveOut(peer)
      this.#underlay.setPeer?.(peer, way)
      this.#peers.set(peer, settings)
      this.#neighbours.set(peer, settings !== undefined)
      this.#begin(peer)
      this.#measure()
    } else if (command.kind === 'pause') {
      this.#pause(command.peer, command.paused)
    } else if (command.kind === 'local') {
      this.#underlay.setLocal?.(command.local)
      this.#transmitter.setLocal(command.local.bytes)
    } else if (command.kind === 'capture') {
      this.#setCapture(command.ring)
    } else if (command.port === undefined) this.#neighbours.fdb.flushAll()
    else this.#neighbours.fdb.flush(command.port)
  }

  #pause(peer: number | undefined, paused: boolean): void {
    const { all, count } = this.#peers
    for (let i = 0; i < count; i++) if (peer === undefined || peer === all[i]) this.#peers.setPaused(all[i], paused)
    this.#neighbours.stir()
  }

  #setCapture(ring: SharedArrayBuffer | undefined): void {
    const capture = this.#capture ?? new CaptureHook()
    if (ring) capture.add(ring)
    this.#capture = capture.prune() ? capture : undefined
    this.#transmitter.capture = this.#capture
    this.#receiver.capture = this.#capture
  }

  /** Frames wait for room in the underlay's queue; the overlay is not read meanwhile. */
  get blocked(): boolean {
    return this.#transmitter.blocked
  }

  /** One batch each way. `now` in milliseconds, monotonic. Returns whether anything was there to do. */
  turn(now = 0): boolean {
    const sent = this.transmit(now)
    return this.receive(now) || sent
  }

  /** One batch from the overlay to the underlay. */
  transmit(now = 0): boolean {
    if (this.#capture !== undefined) this.#capture.now[0] = now
    const done = this.#transmitter.run(now)
    if (done === FRESH) this.#neighbours.busy()
    return done !== 0
  }

  /** One batch from the underlay to the overlay. */
  receive(now: number): boolean {
    if (this.#capture !== undefined) this.#capture.now[0] = now
    return this.#receiver.run(now)
  }

  /** Milliseconds until `tick` has something to do. */
  due(now: number): number {
    const { next, guard } = this.#neighbours
    const first = Math.min(this.#looked + LOOK_MS, next, guard?.next ?? next)
    return Math.max(0, Math.min(first - now, this.#receiver.due(now)))
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
    this.#receiver.release(now)
    if (this.#underlay.changes !== this.#changes) {
      this.#changes = this.#underlay.changes
      neighbours.changed = true
      neighbours.stir()
    }
    for (let more = true; more; this.#say()) more = neighbours.tick(now)
    neighbours.tickGuard(now)
    if (neighbours.guard !== undefined) this.#transmitter.tellOverlay(neighbours.guard.batch)
    if (!neighbours.changed) return false
    neighbours.changed = false
    this.#measure()
    this.#showCarrier()
    return true
  }

  /** Never before frames that wait: with sequence numbers those would come late. What finds no room now is asked again. */
  #say(): void {
    const { batch } = this.#neighbours.said
    if (batch.count > 0 && !this.blocked) this.#transmitter.say(batch)
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
    this.#receiver.longest = longest
    this.#counters.tunnelMtu = longest - ETH_HLEN
  }
}
