// No garbage collection in a million frames that do not fit, or are SYNs: split, fragmented, answered, clamped, marked.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dropCounters } from '#tsgre/drops.js'
import { BATCH_ENTRIES, Batch } from '#tsgre/io/batch.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { fill } from '../rig/batches.js'
import { steadyCollections } from '../rig/collections.js'
import { innerFrame, SYN, UDP } from '../rig/flows.js'
import { withFlags } from '../rig/reexec.js'
import { mirrored, settings } from '../rig/settings.js'

withFlags(import.meta.url, '--max-semi-space-size=1')

const FRAMES = 300_000
const payload = new Uint8Array(1400).fill(7)

const KINDS: Readonly<Record<string, Uint8Array>> = {
  'TCP that is split': innerFrame({ payload }),
  'UDP that is fragmented': innerFrame({ protocol: UDP, df: false, payload }),
  'UDP that is answered': innerFrame({ protocol: UDP, df: true, payload }),
  'IPv6 that is answered': innerFrame({ version: 6, protocol: UDP, payload }),
  'SYNs that are clamped': innerFrame({ flags: SYN, options: [2, 4, 5, 0xb4] }),
}

for (const [what, frame] of Object.entries(KINDS)) {
  test(`${FRAMES / 1000} thousand frames of ${what} without a collection`, async () => {
    const [near, far] = memoryPorts(1560)
    const [userA, overlayA] = memoryPorts(1500)
    const [userB, overlayB] = memoryPorts(1500)
    const mine = settings({ tunnelMtu: 1000 })
    const counters = [new Counters(), new Counters()]
    for (const each of counters) each.reset()
    const pumps = [new Pump(overlayA, near, mine, counters[0]!), new Pump(overlayB, far, mirrored(mine), counters[1]!)]
    const source = fill(new Batch(), Array(BATCH_ENTRIES).fill(frame))
    const sink = new Batch()
    const drops = dropCounters()
    let now = 0
    const carry = (count: number) => {
      for (let done = 0; done < count; done += BATCH_ENTRIES) {
        now += 100
        source.head = 0
        userA.write(source, drops)
        for (const pump of pumps) pump.turn(now)
        while (userA.read(sink, drops) > 0);
        while (userB.read(sink, drops) > 0);
      }
    }
    assert.is(await steadyCollections(FRAMES, carry), 0)
    const { drops: dropped, txFrames } = counters[0]!.snapshot()
    assert.ok(what.includes('answered') ? dropped.answered > 10_000 : txFrames >= FRAMES)
  })
}

test.run()
