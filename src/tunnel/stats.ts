// The counters of a tunnel in memory that both threads see: the pump adds, the program reads without asking the pump.
// One writer, plain doubles: exact up to 2^53, and a reader never waits. tx and rx are counted as `ip -s link` counts a
// gretap: tx is overlay to underlay.

import { DROP_REASONS, DROP_SLOTS, type DropCounters, type DropReason, dropsByReason } from '../drops.js'
import { FdbMemory } from './fdb-memory.js'
import { PEER_COUNTER_BYTES, PeerCounters } from './peer-counters.js'

const TX_FRAMES = 0
const TX_BYTES = 1
const RX_FRAMES = 2
const RX_BYTES = 3
const SEGMENT_REFUSED = 4
const TUNNEL_MTU = 5
const LEFT_LAN = 6
const TURNED_AT = 7
const DROPS = 8
const PEERS_AT = (DROPS + DROP_SLOTS) * Float64Array.BYTES_PER_ELEMENT

/** A snapshot: frames and bytes of Ethernet frames carried, without GRE and outer headers. */
export interface TunnelStats {
  readonly txFrames: number
  readonly txBytes: number
  readonly rxFrames: number
  readonly rxBytes: number
  /** Every reason, zeros included. */
  readonly drops: Readonly<Record<DropReason, number>>
  /** The last wrong key that came: a number, 'none' for a packet without one, undefined when all was right. */
  readonly lastWrongKey: number | 'none' | undefined
  /** Messages of several packets that the kernel would not cut (UDP_SEGMENT); their packets were sent one by one. */
  readonly segmentRefused: number
}

/** The same memory may be wrapped in two threads. */
export class Counters {
  readonly memory: SharedArrayBuffer
  readonly drops: DropCounters
  readonly peers: PeerCounters
  /** Of the forwarding database: the pump's thread writes it, FdbReader reads it. */
  readonly fdb: SharedArrayBuffer
  readonly #values: Float64Array

  constructor(memory = new SharedArrayBuffer(PEERS_AT + PEER_COUNTER_BYTES), fdb = FdbMemory.of()) {
    this.memory = memory
    this.fdb = fdb
    this.peers = new PeerCounters(memory, PEERS_AT)
    this.#values = new Float64Array(memory, 0, DROPS)
    this.drops = new Float64Array(memory, DROPS * Float64Array.BYTES_PER_ELEMENT, DROP_SLOTS)
  }

  /** Call once, before the pump starts. */
  reset(): void {
    this.#values.fill(0)
    this.peers.clear()
    this.drops.fill(0)
  }

  addTx(frames: number, bytes: number): void {
    this.#values[TX_FRAMES] += frames
    this.#values[TX_BYTES] += bytes
  }

  addRx(frames: number, bytes: number): void {
    this.#values[RX_FRAMES] += frames
    this.#values[RX_BYTES] += bytes
  }

  /** Largest layer-3 payload that fits one packet of the underlay now, in bytes. */
  get tunnelMtu(): number {
    return this.#values[TUNNEL_MTU]
  }

  set tunnelMtu(bytes: number) {
    this.#values[TUNNEL_MTU] = bytes
  }

  /** Whether the loop guard has left this LAN to another host: nothing is carried between it and any peer. */
  get leftLan(): boolean {
    return this.#values[LEFT_LAN] === 1
  }

  set leftLan(left: boolean) {
    this.#values[LEFT_LAN] = left ? 1 : 0
  }

  /** When the pump last turned, by its clock in milliseconds. */
  get turnedAt(): number {
    return this.#values[TURNED_AT]
  }

  set turnedAt(now: number) {
    this.#values[TURNED_AT] = now
  }

  noteSegmentRefused(): void {
    this.#values[SEGMENT_REFUSED]++
  }

  snapshot(): TunnelStats {
    const values = this.#values
    return {
      txFrames: values[TX_FRAMES],
      txBytes: values[TX_BYTES],
      rxFrames: values[RX_FRAMES],
      rxBytes: values[RX_BYTES],
      drops: dropsByReason(this.drops),
      segmentRefused: values[SEGMENT_REFUSED],
      lastWrongKey: this.peers.lastWrongKey(),
    }
  }
}

/** The drops that happened, most first, for a line a person reads. */
export function dropsThatHappened(stats: TunnelStats): [DropReason, number][] {
  const happened = DROP_REASONS.filter((reason) => stats.drops[reason] > 0)
  return happened.map((reason): [DropReason, number] => [reason, stats.drops[reason]]).sort((a, b) => b[1] - a[1])
}
