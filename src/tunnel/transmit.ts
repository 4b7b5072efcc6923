// The pump's way from the overlay to the underlay: a batch of frames is read, becomes packets, and is written as far as the
// underlay takes it. While something of it waits no other batch is read.

import { DROP, dropAt } from '../drops.js'
import { Batch } from '../io/batch.js'
import type { Port } from '../io/port.js'
import { Answers } from './answers.js'
import type { CaptureHook } from './capture-hook.js'
import { Encapsulator } from './encapsulate.js'
import type { PumpParts } from './pump-parts.js'
import type { Counters } from './stats.js'
import type { Switch } from './switch.js'

const PEER_DOWN = DROP['peer-down']
/** Packets listed before they are handed to the underlay. */
const SENT_AT_ONCE = 256

export class Transmitter {
  /** While somebody captures. */
  capture: CaptureHook | undefined
  readonly #overlay: Port
  readonly #underlay: Port
  // What was read, and over the same memory what is written of it.
  readonly #frames = new Batch()
  readonly #packets = Batch.over(this.#frames, SENT_AT_ONCE, true)
  /** Over the memory of frames of our own. */
  readonly #said: Batch
  readonly #answers = new Answers()
  readonly #encapsulator: Encapsulator
  readonly #switch: Switch
  readonly #counters: Counters
  /** Whether what became of the frames read last is still to be captured. */
  #toCapture = false

  constructor({ overlay, underlay, settings, peers, neighbours, choice, counters }: PumpParts) {
    this.#overlay = overlay
    this.#underlay = underlay
    this.#switch = choice
    this.#counters = counters
    const own = neighbours.said.batch
    this.#said = Batch.over(own, own.capacity)
    this.#encapsulator = new Encapsulator(settings, peers, choice, this.#answers)
    this.#packets.tally = counters.peers.sent
  }

  /** The octets of GRE in front of frames to a peer, which do not count. */
  setOverhead(peer: number, bytes: number): void {
    this.#packets.overhead[peer] = bytes
  }

  /** Number `peer` is another one now: what waits for room is not for it. */
  leaveOut(peer: number): void {
    this.#counters.drops[dropAt(peer, PEER_DOWN)] += this.#packets.leaveOut(peer)
    this.#encapsulator.leaveOut(peer)
  }

  setLocal(local: Uint8Array): void {
    this.#encapsulator.outer.local = local
  }

  /** Frames wait for room in the underlay's queue. */
  get blocked(): boolean {
    return this.#packets.head < this.#packets.count || this.#encapsulator.more
  }

  /** One batch, or what waits. Returns 0 where there was nothing to do, FRESH where a batch was read, or MOVED. */
  run(now: number): number {
    const frames = this.#frames
    const fresh = !this.blocked
    if (fresh) {
      if (this.#overlay.read(frames, this.#counters.drops) === 0) return this.#account() ? MOVED : 0
      this.#encapsulator.begin(frames)
      this.#toCapture = this.capture !== undefined
    }
    this.#answers.now[0] = now
    this.#switch.now[0] = now
    const moved = this.#send()
    if (this.#toCapture && !this.#encapsulator.more) this.#captureFrames(frames)
    this.#account()
    if (fresh) return FRESH
    return moved ? MOVED : 0
  }

  /** Writes packets as long as there are any and the underlay takes them; whether it took any. */
  #send(): boolean {
    const packets = this.#packets
    let moved = false
    for (;;) {
      if (packets.head === packets.count) {
        if (!this.#encapsulator.more) return moved
        this.#encapsulator.fill(packets, this.#counters.drops)
        this.tellOverlay(this.#answers.batch)
      }
      const before = packets.head
      this.#write(packets)
      if (packets.head > before) moved = true
      if (packets.head < packets.count) return moved
    }
  }

  #write(packets: Batch): void {
    const { drops } = this.#counters
    if (this.capture === undefined) {
      this.#underlay.write(packets, drops)
      return
    }
    this.capture.writing(packets, drops)
    this.#underlay.write(packets, drops)
    this.capture.written(packets, drops)
  }

  #captureFrames(frames: Batch): void {
    this.#toCapture = false
    this.capture?.sent(frames, this.#encapsulator.ends, this.#encapsulator.wentTo)
  }

  /** Sends frames of our own to their peers; where there is no room they are lost. Not while frames wait: theirs is the turn. */
  say(own: Batch): void {
    this.#encapsulator.wrap(own, this.#said)
    this.#underlay.write(this.#said, this.#counters.drops)
    this.#said.sent = 0
    this.#said.sentBytes = 0
    own.clear()
  }

  /** Writes frames of our own into the overlay. */
  tellOverlay(own: Batch): void {
    if (own.count === 0) return
    this.#overlay.write(own, this.#counters.drops)
    own.sent = 0
    own.sentBytes = 0
    own.clear()
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
}

export const FRESH = 1
export const MOVED = 2
