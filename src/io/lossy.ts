// A port around a port, for tests and experiments: loses, repeats and swaps what is read, as a bad underlay would.

import type { DropCounters } from '../drops.js'
import type { Batch } from './batch.js'
import type { Port } from './port.js'

export interface LossyOptions {
  /** Shares of entries, 0 to 1. */
  lose?: number
  repeat?: number
  swap?: number
  /** Numbers from 0 up to 1; pass a seeded one to repeat a run. */
  random?: () => number
}

/** Wraps an underlay `port`; only its reads are spoilt. (Frames repeated in an overlay's batch would share a headroom.) */
export function lossy(port: Port, options: LossyOptions): Port {
  const { lose = 0, repeat = 0, swap = 0, random = Math.random } = options
  const spoil = (batch: Batch): number => {
    let kept = 0
    for (let i = 0; i < batch.count; i++) if (random() >= lose) batch.keep(i, kept++)
    batch.count = kept
    for (let i = 1; i < kept; i++) if (random() < swap) exchange(batch, i - 1, i)
    // A repeated entry comes again at the end of its batch, as the same bytes: reading never changes them.
    for (let i = 0; i < kept && batch.count < batch.capacity; i++) if (random() < repeat) batch.keep(i, batch.count++)
    return batch.count
  }
  let wakeReader = () => {}
  const read = (into: Batch, drops: DropCounters): number => {
    if (port.read(into, drops) === 0) return 0
    if (spoil(into) === 0) wakeReader() // nothing of this batch is left, but more may be behind it
    return into.count
  }
  const watch = (wake: () => void): void => {
    wakeReader = wake
    port.watch?.(wake)
  }
  return {
    fd: port.fd,
    mtu: port.mtu,
    read,
    write: (from, drops) => port.write(from, drops),
    ...(port.watch && { watch }),
    close: () => port.close(),
  }
}

function exchange(batch: Batch, a: number, b: number): void {
  for (const column of [batch.offset, batch.length, batch.tos, batch.ttl, batch.fragment, batch.peer]) {
    const held = column[a]
    column[a] = column[b]
    column[b] = held
  }
}
