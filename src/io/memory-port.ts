// Two ports joined in memory: what one writes the other reads, in order, copied. No root, no clock, no thread: tests and
// programs that carry the packets themselves run the same pump on them.
// Invariant: the ring is allocated at the start; reading and writing allocate nothing.

import { DROP, type DropCounters } from '../drops.js'
import { type Octets, octets } from '../wire/octets.js'
import { BATCH_ENTRIES, type Batch, HEADROOM, SLOT_BYTES } from './batch.js'
import type { Port } from './port.js'

const TOO_BIG = DROP['too-big']
const RING_ENTRIES = 4 * BATCH_ENTRIES

/** A packet ring of one direction. */
class Ring {
  readonly slots: Octets
  readonly length = new Int32Array(RING_ENTRIES)
  readonly peer = new Int8Array(RING_ENTRIES)
  readonly slotBytes: number
  head = 0
  count = 0

  constructor(mtu: number) {
    // Room for the Ethernet and GRE headers around the payload, in whole words.
    this.slotBytes = Math.min(SLOT_BYTES - HEADROOM, mtu + 128) & ~3
    this.slots = octets(new Uint8Array(RING_ENTRIES * this.slotBytes))
  }
}

/**
 * Copies without making a view, which `set` would need; by words where both lie on words, as all but odd frames do.
 * Then up to three octets behind the end are copied too: both sides have room there.
 */
function copy(from: Octets, at: number, to: Octets, target: number, size: number): void {
  if (((at | target) & 3) === 0) {
    const source = from.words
    const words = to.words
    const first = at >>> 2
    const into = target >>> 2
    const count = (size + 3) >>> 2
    for (let i = 0; i < count; i++) words[into + i] = source[first + i]
    return
  }
  const { bytes } = from
  for (let i = 0; i < size; i++) to.bytes[target + i] = bytes[at + i]
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
    into.clear()
    while (into.count < into.capacity && ring.count > 0) {
      const slot = ring.head * ring.slotBytes
      const at = into.count * SLOT_BYTES + HEADROOM
      const size = ring.length[ring.head]
      copy(ring.slots, slot, into.memory, at, size)
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
      copy(from.memory, from.offset[i], ring.slots, entry * ring.slotBytes, size)
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
