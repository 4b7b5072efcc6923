// What many peers cost: frames through one pump on memory ports, each way, with one peer and a few addresses, and with 64 peers and
// 10 000 addresses, each batch to and from all over the place. What one frame costs beyond the first line is lookups and caches.

import { dropCounters } from '#tsgre/drops.js'
import { BATCH_ENTRIES, Batch } from '#tsgre/io/batch.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import type { Port } from '#tsgre/io/port.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import type { PeerSettings } from '#tsgre/tunnel/settings.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { fill } from '../../test/rig/batches.js'
import { plainFrame } from '../../test/rig/frames.js'
import { naiveEmitGre } from '../../test/rig/naive/naive-gre.js'
import { settings } from '../../test/rig/settings.js'
import { type Candidate, compare } from '../measure.js'

export function bench(): void {
  for (const size of [60, 1514]) {
    compare(`a frame of ${size} bytes to one of the peers`, [
      { name: '1 peer', run: road(size, 1, 2).sent },
      { name: '64 peers', run: road(size, 64, 2 * 64).sent },
      { name: '64, 10000 MACs', run: road(size, 64, 10_000).sent },
    ])
    compare(`a frame of ${size} bytes from one of the peers`, [
      { name: '1 peer', run: road(size, 1, 2).received },
      { name: '64 peers', run: road(size, 64, 2 * 64).received },
      { name: '64, 10000 MACs', run: road(size, 64, 10_000).received },
    ])
  }
}

function peerSettings(peer: number): PeerSettings {
  const { keyIn, keyOut, checksum, receiveChecksum, sequence } = settings()
  return { keyIn, keyOut, checksum, receiveChecksum, sequence, remote: Uint8Array.of(192, 0, 2, peer + 2) }
}

/** A pump whose peers have so many addresses behind them, every one learnt. */
function road(size: number, peers: number, addresses: number) {
  const [user, overlay] = memoryPorts()
  const [underlay, network] = memoryPorts(1560)
  const given = settings({ peers: Array.from({ length: peers }, (_, peer) => peerSettings(peer)) })
  const pump = new Pump(overlay, underlay, given, new Counters())
  const packet = naiveEmitGre({ payload: frameBetween(size, HERE, THERE) })
  const gre = packet.length - size
  const received = carry({ entry: packet, at: gre + 6 + 4, peers, addresses }, network, () => pump.receive(0), user)
  received(2 * Math.max(addresses, BATCH_ENTRIES)) // all are learnt
  const frame = frameBetween(size, THERE, HERE)
  return { received, sent: carry({ entry: frame, at: 4, peers, addresses }, user, () => pump.transmit(0), network) }
}

const HERE = [2, 0, 0, 0, 0, 1]
/** The last two octets are the address's number. */
const THERE = [2, 1, 0, 0, 0, 0]

function frameBetween(size: number, to: readonly number[], from: readonly number[]): Uint8Array {
  const frame = plainFrame(size)
  frame.set(to, 0)
  frame.set(from, 6)
  return frame
}

interface Source {
  readonly entry: Uint8Array
  /** Where in it the number of the far address stands. */
  readonly at: number
  readonly peers: number
  readonly addresses: number
}

function carry({ entry, at, peers, addresses }: Source, from: Port, turn: () => void, to: Port): Candidate['run'] {
  const source = fill(new Batch(), Array<Uint8Array>(BATCH_ENTRIES).fill(entry))
  const { bytes } = source.memory
  const sink = new Batch()
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
      turn()
      arrived += to.read(sink, drops)
    }
    if (arrived < times) throw new Error(`${arrived} of ${times} frames arrived`)
    return arrived
  }
}
