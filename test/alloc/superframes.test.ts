// No garbage collection in a million segments through two pumps that cut superframes and put them together again.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dropCounters } from '#tsgre/drops.js'
import { Batch } from '#tsgre/io/batch.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import type { Offload } from '#tsgre/offload/gso.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import type { PumpSettings } from '#tsgre/tunnel/settings.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { steadyCollections } from '../rig/collections.js'
import { innerFrame, TIMESTAMPS, UDP } from '../rig/flows.js'
import { withFlags } from '../rig/reexec.js'
import { mirrored, settings } from '../rig/settings.js'
import { fillSuperframes } from '../rig/superframes.js'

withFlags(import.meta.url, '--max-semi-space-size=1')

const SEGMENTS = 1_000_000
const payload = new Uint8Array(40_000).fill(7)

/** TCP over both versions with numbers above 2^31, and UDP: 29, 29 and 34 segments, and one frame alone. */
const SUPERFRAMES = [
  { inner: { sequence: 0xfff0_0000, acknowledgment: 0xf000_0001, options: TIMESTAMPS, payload }, gsoSize: 1400 },
  { inner: { version: 6, sequence: 0x7fff_f000, payload }, gsoSize: 1400 },
  { inner: { protocol: UDP, payload }, gsoSize: 1200 },
  { inner: { payload: payload.subarray(0, 500) }, gsoSize: 0 },
] as const
const SEGMENTS_A_ROUND = 29 + 29 + 34 + 1

/** One way through two pumps, with nothing made on it. */
function road(given: Partial<PumpSettings>, there: Offload) {
  const [left, right] = memoryPorts(1500)
  const [user, overlay] = memoryPorts(1500, 'uso')
  const [sink, far] = memoryPorts(1500, there)
  const counters = [new Counters(), new Counters()]
  for (const each of counters) each.reset()
  const mine = settings(given)
  const pumps = [new Pump(overlay, left, mine, counters[0]!), new Pump(far, right, mirrored(mine), counters[1]!)]
  const source = new Batch(4)
  const drain = new Batch()
  const drops = dropCounters()
  const carry = (count: number) => {
    for (let carried = 0; carried < count; carried += SEGMENTS_A_ROUND) {
      source.head = 0
      user.write(source, drops)
      pumps[0]!.turn()
      while (pumps[1]!.turn());
      while (sink.read(drain, drops) > 0);
    }
  }
  // The frames are cut where they lie and the originals stay as they are: filled once.
  fillSuperframes(
    source,
    SUPERFRAMES.map(({ inner, gsoSize }) => ({ bytes: innerFrame({ ...inner, checksum: 'partial' }), gsoSize })),
  )
  return { carry, counters }
}

for (const [how, given] of [
  ['plain', {}],
  ['with key, checksum and sequence', { keyIn: 0xf000_0000, keyOut: 0xf000_0000, checksum: true, sequence: true }],
  ['spread over flows', { flows: 8 }],
] as const) {
  for (const there of how === 'plain' ? (['uso', 'off'] as const) : (['uso'] as const)) {
    test(`a million segments ${how}, to an overlay with offload '${there}', without a collection`, async () => {
      const { carry, counters } = road(given, there)
      assert.is(await steadyCollections(SEGMENTS, carry), 0)
      const [sent, got] = counters.map((each) => each.snapshot())
      assert.ok(sent!.txFrames >= SEGMENTS && sent!.txFrames % SEGMENTS_A_ROUND === 0)
      assert.is(got!.rxFrames, sent!.txFrames)
      for (const each of counters) assert.ok(each.drops.every((count) => count === 0))
    })
  }
}

test.run()
