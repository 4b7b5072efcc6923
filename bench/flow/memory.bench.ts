// Frames through one pump on memory ports: what tsgre itself costs a frame, without the kernel, each way. Each candidate
// copies a frame four times, in and out of two pairs of memory ports; the first does nothing else.

import { dropCounters } from '#tsgre/drops.js'
import { BATCH_ENTRIES, Batch } from '#tsgre/io/batch.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import type { Port } from '#tsgre/io/port.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import type { PumpSettings } from '#tsgre/tunnel/settings.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { fill } from '../../test/rig/batches.js'
import { plainFrame } from '../../test/rig/frames.js'
import { naiveEmitGre } from '../../test/rig/naive/naive-gre.js'
import { settings } from '../../test/rig/settings.js'
import { type Candidate, compare } from '../measure.js'

export function bench(): void {
  for (const size of [60, 590, 1514]) {
    compare(`a frame of ${size} bytes through one pump`, [
      { name: 'four copies', run: copied(size) },
      { name: 'sent plain', run: sent(size, {}) },
      { name: 'sent csum', run: sent(size, { checksum: true }) },
      { name: 'received plain', run: received(naiveEmitGre({ payload: plainFrame(size) })) },
      { name: 'received csum', run: received(naiveEmitGre({ checksum: 0, payload: plainFrame(size) })) },
    ])
  }
}

/** Writes `entry` to one port as often as asked, a batch at a time, turns, and reads the other port empty. */
function carry(entry: Uint8Array, from: Port, turn: () => void, to: Port): Candidate['run'] {
  const source = fill(new Batch(), Array<Uint8Array>(BATCH_ENTRIES).fill(entry))
  const sink = new Batch()
  const drops = dropCounters()
  return (times) => {
    let arrived = 0
    for (let given = 0; given < times; given += BATCH_ENTRIES) {
      source.head = 0
      from.write(source, drops)
      turn()
      arrived += to.read(sink, drops)
    }
    if (arrived < times) throw new Error(`${arrived} of ${times} frames arrived`)
    return arrived
  }
}

function copied(size: number): Candidate['run'] {
  const [from, near] = memoryPorts()
  const [far, to] = memoryPorts()
  const batch = new Batch()
  const drops = dropCounters()
  const relay = () => {
    near.read(batch, drops)
    far.write(batch, drops)
  }
  return carry(plainFrame(size), from, relay, to)
}

function pumpOn(given: Partial<PumpSettings>) {
  const [user, overlay] = memoryPorts()
  const [underlay, network] = memoryPorts(1560) // an overlay of 1500 fits
  return { user, network, pump: new Pump(overlay, underlay, settings(given), new Counters()) }
}

function sent(size: number, given: Partial<PumpSettings>): Candidate['run'] {
  const { user, network, pump } = pumpOn(given)
  return carry(plainFrame(size), user, () => pump.transmit(), network)
}

function received(packet: Uint8Array): Candidate['run'] {
  const { user, network, pump } = pumpOn({})
  return carry(packet, network, () => pump.receive(0), user)
}
