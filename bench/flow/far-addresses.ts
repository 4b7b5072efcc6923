// Frames between one address here and many far ones, each behind a peer, given to a port a batch at a time and taken from another.

import { dropCounters } from '#tsgre/drops.js'
import { BATCH_ENTRIES, Batch } from '#tsgre/io/batch.js'
import type { Port } from '#tsgre/io/port.js'
import type { PeerSettings } from '#tsgre/tunnel/settings.js'
import { fill } from '../../test/rig/batches.js'
import { plainFrame } from '../../test/rig/frames.js'
import { settings } from '../../test/rig/settings.js'
import type { Candidate } from '../measure.js'

export const HERE = [2, 0, 0, 0, 0, 1]
/** The last two octets are the address's number. */
export const THERE = [2, 1, 0, 0, 0, 0]

export function frameBetween(size: number, to: readonly number[], from: readonly number[]): Uint8Array {
  const frame = plainFrame(size)
  frame.set(to, 0)
  frame.set(from, 6)
  return frame
}

/** Peers 0, 1, … at 192.0.2.2, 192.0.2.3, … */
export function farPeers(count: number): PeerSettings[] {
  const { keyIn, keyOut, checksum, receiveChecksum, sequence } = settings()
  const address = (peer: number) => Uint8Array.of(192, 0, 2, peer + 2)
  return Array.from({ length: count }, (_, peer) => {
    return { keyIn, keyOut, checksum, receiveChecksum, sequence, remote: address(peer) }
  })
}

export interface Source {
  readonly entry: Uint8Array
  /** Where in it the number of the far address stands. */
  readonly at: number
  readonly peers: number
  readonly addresses: number
}

/** Gives batches of `entry` to `from`, no two in a row with one far address, has them carried, and counts what `take` says came. */
export function carry({ entry, at, peers, addresses }: Source, from: Port, take: () => number): Candidate['run'] {
  const source = fill(new Batch(), Array<Uint8Array>(BATCH_ENTRIES).fill(entry))
  const { bytes } = source.memory
  const drops = dropCounters()
  let address = 0
  return (times) => {
    let arrived = 0
    for (let given = 0; given < times; given += BATCH_ENTRIES) {
      for (let i = 0; i < BATCH_ENTRIES; i++) {
        address = address + 1 < addresses ? address + 1 : 0
        bytes[source.offset[i]! + at] = address >> 8
        bytes[source.offset[i]! + at + 1] = address
        source.peer[i] = address % peers
      }
      source.head = 0
      from.write(source, drops)
      arrived += take()
    }
    if (arrived < times) throw new Error(`${arrived} of ${times} frames arrived`)
    return arrived
  }
}

/** Has the pump turn, and takes what comes out at `to`. */
export function through(turn: () => void, to: Port): () => number {
  const sink = new Batch()
  const drops = dropCounters()
  return () => {
    turn()
    return to.read(sink, drops)
  }
}
