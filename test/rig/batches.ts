// Bytes into batches and ports, and out of them again as copies that a test may keep.

import { dropCounters } from '#tsgre/drops.js'
import { Batch, HEADROOM, SLOT_BYTES } from '#tsgre/io/batch.js'
import type { Port } from '#tsgre/io/port.js'

/** Puts `entries` into an emptied batch, each behind its headroom, as a port's read does. */
export function fill(batch: Batch, entries: readonly Uint8Array[], peer = 0): Batch {
  batch.clear()
  for (const bytes of entries) {
    const i = batch.count++
    batch.offset[i] = i * SLOT_BYTES + HEADROOM
    batch.length[i] = bytes.length
    batch.peer[i] = peer
    batch.setWhole(i)
    batch.memory.bytes.set(bytes, batch.offset[i])
  }
  return batch
}

/** Copies of the entries of a batch. */
export function contents(batch: Batch): Uint8Array[] {
  const { headers, headerOffset, headerLength, memory, offset, length } = batch
  return Array.from({ length: batch.count }, (_, i) => {
    const header = headers.bytes.subarray(headerOffset[i], headerOffset[i] + headerLength[i])
    return new Uint8Array(Buffer.concat([header, memory.bytes.subarray(offset[i], offset[i] + length[i])]))
  })
}

const scratch = new Batch()

/** Writes `entries` to `port`; returns how many it took before it was full. */
export function send(port: Port, entries: readonly Uint8Array[], peer = 0): number {
  const drops = dropCounters()
  for (let from = 0; from < entries.length; from += scratch.capacity) {
    fill(scratch, entries.slice(from, from + scratch.capacity), peer)
    port.write(scratch, drops)
    if (scratch.head < scratch.count) return from + scratch.head
  }
  return entries.length
}

/** Copies of all that `port` has to read now, or of one batch. */
export function receive(port: Port, batches = Number.POSITIVE_INFINITY): Uint8Array[] {
  const drops = dropCounters()
  const all: Uint8Array[] = []
  for (let n = 0; n < batches && port.read(scratch, drops) > 0; n++) all.push(...contents(scratch))
  return all
}
