// Two ports joined in memory: what one writes the other reads, in order, copied. No root, no clock, no thread: tests and
// programs that carry the packets themselves run the same pump on them. With offload they also carry superframes, whole.
// Invariant: the ring is allocated at the start; reading and writing allocate nothing.

import { DROP, type DropCounters } from '../drops.js'
import type { Offload } from '../offload/gso.js'
import { type Octets, octets } from '../wire/octets.js'
import { BATCH_ENTRIES, type Batch, HEADROOM, SLOT_BYTES } from './batch.js'
import type { Port } from './port.js'

const TOO_BIG = DROP['too-big']
const RING_ENTRIES = 4 * BATCH_ENTRIES

/** A packet ring of one direction. */
class Ring {
  readonly slots: Octets
  readonly length = new Int32Array(RING_ENTRIES)
  readonly peer = new Int16Array(RING_ENTRIES)
  readonly gsoType = new Uint8Array(RING_ENTRIES)
  readonly gsoSize = new Uint16Array(RING_ENTRIES)
  readonly csumStart = new Uint16Array(RING_ENTRIES)
  readonly csumOffset = new Uint16Array(RING_ENTRIES)
  readonly slotBytes: number
  head = 0
  count = 0

  constructor(mtu: number, offload: Offload) {
    // Room for the Ethernet and GRE headers around the payload, in whole words; a superframe may be as large as can be.
    this.slotBytes = Math.min(SLOT_BYTES - HEADROOM, offload === 'off' ? mtu + 128 : SLOT_BYTES) & ~3
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
  readonly offload: Offload
  readonly #from: Ring
  readonly #to: Ring
  #wake: () => void = () => {}
  #wakeOther: () => void = () => {}

  constructor(mtu: number, offload: Offload, from: Ring, to: Ring) {
    this.mtu = mtu
    this.offload = offload
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
    while (into.count < into.slots && ring.count > 0) {
      const slot = ring.head * ring.slotBytes
      const at = into.count * SLOT_BYTES + HEADROOM
      const size = ring.length[ring.head]
      copy(ring.slots, slot, into.memory, at, size)
      into.offset[into.count] = at
      into.length[into.count] = size
      into.peer[into.count] = ring.peer[ring.head]
      into.joined[into.count] = 0
      into.gsoType[into.count] = ring.gsoType[ring.head]
      into.gsoSize[into.count] = ring.gsoSize[ring.head]
      into.csumStart[into.count] = ring.csumStart[ring.head]
      into.csumOffset[into.count] = ring.csumOffset[ring.head]
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
      const first = from.head
      let end = first + 1
      while (end < from.count && from.joined[end] > 0) end++
      const entry = (ring.head + ring.count) % RING_ENTRIES
      if (!this.#gather(from, first, end, entry)) {
        drops[TOO_BIG] += end - first
        from.head = end
        continue
      }
      ring.peer[entry] = from.peer[first]
      ring.gsoType[entry] = from.gsoType[first]
      ring.gsoSize[entry] = from.gsoSize[first]
      ring.csumStart[entry] = from.csumStart[first]
      ring.csumOffset[entry] = from.csumOffset[first]
      ring.count++
      while (from.head < end) from.advance()
    }
    if (from.head > before) this.#wakeOther()
  }

  /** Copies the pieces of entries first…end-1 into a slot of the ring; false where they do not fit. */
  #gather(from: Batch, first: number, end: number, entry: number): boolean {
    const ring = this.#to
    const slot = entry * ring.slotBytes
    let size = from.headerLength[first]
    for (let i = first; i < end; i++) size += from.length[i] - from.joined[i]
    if (size > ring.slotBytes) return false
    ring.length[entry] = size
    copy(from.headers, from.headerOffset[first], ring.slots, slot, from.headerLength[first])
    let at = slot + from.headerLength[first]
    for (let i = first; i < end; i++) {
      const skipped = from.joined[i]
      copy(from.memory, from.offset[i] + skipped, ring.slots, at, from.length[i] - skipped)
      at += from.length[i] - skipped
    }
    return true
  }

  watch(wake: () => void): void {
    this.#wake = wake
  }

  close(): void {
    this.#wake = () => {}
  }
}

/**
 * Two joined ports. `mtu` is the largest layer-3 payload in bytes, 1500 by default. With `offload`, superframes too: for
 * overlays, not for underlays.
 */
export function memoryPorts(mtu = 1500, offload: Offload = 'off'): [Port, Port] {
  const there = new Ring(mtu, offload)
  const back = new Ring(mtu, offload)
  const a = new MemoryPort(mtu, offload, there, back)
  const b = new MemoryPort(mtu, offload, back, there)
  MemoryPort.join(a, b)
  return [a, b]
}
