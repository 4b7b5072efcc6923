// 60 000 bytes of a TCP stream through two pumps on memory ports, without the kernel: as 43 frames that each end looks at,
// and as a superframe that one end cuts and the other puts together. Both are copied in and out of three pairs of ports.

import { dropCounters } from '#tsgre/drops.js'
import { Batch } from '#tsgre/io/batch.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import type { Offload } from '#tsgre/offload/gso.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import type { PumpSettings } from '#tsgre/tunnel/settings.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { fill } from '../../test/rig/batches.js'
import { innerFrame, TIMESTAMPS } from '../../test/rig/flows.js'
import { naiveSegments } from '../../test/rig/naive/naive-segment.js'
import { mirrored, settings } from '../../test/rig/settings.js'
import { fillSuperframes } from '../../test/rig/superframes.js'
import { type Candidate, compare } from '../measure.js'

const MSS = 1410
const superframe = innerFrame({ options: TIMESTAMPS, payload: new Uint8Array(60_000).fill(7), checksum: 'partial' })
const frames = naiveSegments(superframe, MSS, 1476)!

export function bench(): void {
  compare('60 000 bytes of TCP through two pumps', [
    { name: `${frames.length} frames`, run: through('off', {}) },
    { name: 'a superframe', run: through('uso', {}) },
    { name: 'frames, csum', run: through('off', { checksum: true }) },
    { name: 'superframe, csum', run: through('uso', { checksum: true }) },
  ])
}

function through(offload: Offload, given: Partial<PumpSettings>): Candidate['run'] {
  const [left, right] = memoryPorts(1500)
  const [user, overlay] = memoryPorts(1500, offload)
  const [far, sink] = memoryPorts(1500, offload)
  const mine = settings(given)
  const counters = new Counters()
  const sender = new Pump(overlay, left, mine, new Counters())
  const receiver = new Pump(far, right, mirrored(mine), counters)
  const batch = new Batch()
  const source = offload === 'off' ? fill(batch, frames) : fillSuperframes(batch, [{ bytes: superframe, gsoSize: MSS }])
  const drain = new Batch()
  const drops = dropCounters()
  return (times) => {
    for (let i = 0; i < times; i++) {
      source.head = 0
      user.write(source, drops)
      sender.turn()
      while (receiver.turn());
      while (sink.read(drain, drops) > 0);
    }
    if (counters.snapshot().rxFrames % frames.length !== 0) throw new Error('not all of it arrived')
    return counters.snapshot().rxFrames
  }
}
