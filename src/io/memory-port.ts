// Two ports joined in memory: what one writes the other reads, in order, copied. No root, no clock, no thread: tests and
// programs that carry the packets themselves run the same pump on them.
// Invariant: the ring is allocated at the start; reading and writing allocate nothing.

import { DROP, type DropCounters } from '../drops.js'
import { BATCH_ENTRIES, type Batch, HEADROOM, SLOT_BYTES } from './batch.js'
import type { Port } from './port.js'

const TOO_BIG = DROP['too-big']
const RING_ENTRIES = 4 * BATCH_ENTRIES

/** A packet ring of one direction. */
class Ring {
  readonly slots: Uint8Array
  readonly length = new Int32Array(RING_ENTRIES)
  readonly peer = new Int8Array(RING_ENTRIES)
  readonly slotBytes: number
  head = 0
  count = 0

  constructor(mtu: number) {
    this.slotBytes = Math.min(SLOT_BYTES - HEADROOM, mtu + 128) // room for the Ethernet and GRE headers around the payload
    this.slots = new Uint8Array(RING_ENTRIES * this.slotBytes)
  }
}

class MemoryPort implements Port {
  readonly fd = -1
  readonly mtu: number
  readonly #from: Ring
  readonly #to: Ring
  #wake: () => void = () => {}
  #wakeOther: () => void = () => {}

  constructor(mtu: number, from: Ring, to: Ring) {
    this.mtu = mtu
    this.#from = from
    this.#to = to
  }

  static join(a: MemoryPort, b: MemoryPort): void {
    a.#wakeOther = () => b.#wake()
    b.#wakeOther = () => a.#wake()
  }

  read(into: Batch): number {
    const ring = this.#from
    const { bytes } = into.memory
    into.clear()
    while (into.count < into.capacity && ring.count > 0) {
      const slot = ring.head * ring.slotBytes
      const at = into.count * SLOT_BYTES + HEADROOM
      const size = ring.length[ring.head]
      const { slots } = ring
      for (let i = 0; i < size; i++) bytes[at + i] = slots[slot + i]
      into.offset[into.count] = at
      into.length[into.count] = size
      into.peer[into.count] = ring.peer[ring.head]
      into.count++
      ring.head = (ring.head + 1) % RING_ENTRIES
      ring.count--
    }
    if (into.count > 0) this.#wakeOther() // there is room again
    return into.count
  }

  write(from: Batch, drops: DropCounters): void {
    const ring = this.#to
    const { bytes } = from.memory
    const before = from.head
    while (from.head < from.count && ring.count < RING_ENTRIES) {
      const i = from.head
      const size = from.length[i]
      if (size > ring.slotBytes) {
        drops[TOO_BIG]++
        from.head++
        continue
      }
      const entry = (ring.head + ring.count) % RING_ENTRIES
      const slot = entry * ring.slotBytes
      const { slots } = ring
      const at = from.offset[i]
      for (let k = 0; k < size; k++) slots[slot + k] = bytes[at + k]
      ring.length[entry] = size
      ring.peer[entry] = from.peer[i]
      ring.count++
      from.advance()
    }
    if (from.head > before) this.#wakeOther()
  }

  watch(wake: () => void): void {
    this.#wake = wake
  }

  close(): void {
    this.#wake = () => {}
  }
}

/** Two joined ports. `mtu` is the largest layer-3 payload in bytes, 1500 by default. */
export function memoryPorts(mtu = 1500): [Port, Port] {
  const there = new Ring(mtu)
  const back = new Ring(mtu)
  const a = new MemoryPort(mtu, there, back)
  const b = new MemoryPort(mtu, back, there)
  MemoryPort.join(a, b)
  return [a, b]
}
