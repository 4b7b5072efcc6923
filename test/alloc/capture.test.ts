// No garbage collection while the pump's side of a capture writes a million records: capturing must not make the pump stutter.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dropCounters } from '#tsgre/drops.js'
import { BATCH_ENTRIES, Batch } from '#tsgre/io/batch.js'
import { CaptureHook } from '#tsgre/tunnel/capture-hook.js'
import { captureMemory, INNER, OUTER } from '#tsgre/tunnel/capture-record.js'
import { fill } from '../rig/batches.js'
import { steadyCollections } from '../rig/collections.js'
import { plainFrame } from '../rig/frames.js'
import { naiveEmitGre } from '../rig/naive/naive-gre.js'
import { withFlags } from '../rig/reexec.js'

withFlags(import.meta.url, '--max-semi-space-size=1')

const RECORDS = 1_000_000
const RING = 1 << 20
const WANTS = { dropsOnly: false, snaplen: 96 }

test('puts frames and packets of both directions into two rings, drops and all', async () => {
  const hook = new CaptureHook()
  const memories = [INNER, OUTER].map((sides) => captureMemory({ ...WANTS, sides }, RING))
  const controls = memories.map((memory) => new Int32Array(memory, 0, 2))
  for (const memory of memories) hook.add(memory)
  const frames = fill(
    new Batch(),
    Array.from({ length: BATCH_ENTRIES }, (_, i) => plainFrame(60 + 13 * i)),
  )
  const gre = naiveEmitGre({ payload: plainFrame(60), key: 0xffffffff })
  const packets = fill(
    new Batch(),
    Array.from({ length: BATCH_ENTRIES }, () => gre),
  )
  const verdicts = Uint8Array.from({ length: BATCH_ENTRIES }, (_, i) => i % 3)
  const peers = Int16Array.from({ length: BATCH_ENTRIES }, (_, i) => i - 1)
  const drops = dropCounters()
  let put = 0
  const found = await steadyCollections(RECORDS, (times) => {
    for (put = 0; put < times; put += 3 * BATCH_ENTRIES) {
      hook.now[0] += 0.25
      hook.sent(frames, verdicts, peers)
      packets.head = 0
      hook.writing(packets, drops)
      while (packets.head < packets.count) packets.advance()
      hook.written(packets, drops)
      for (let i = 0; i < packets.count; i++) hook.received(packets, i, verdicts[i])
      // the reader has read: its position is the writer's
      for (let i = 0; i < 2; i++) Atomics.store(controls[i], 1, Atomics.load(controls[i], 0))
    }
  })
  assert.is(found, 0)
  assert.ok(Atomics.load(controls[0], 0) !== 0 && Atomics.load(controls[1], 0) !== 0)
})

test('loses records without garbage where nobody reads', async () => {
  const hook = new CaptureHook()
  const memory = captureMemory({ ...WANTS, sides: INNER }, 4096)
  hook.add(memory)
  const frames = fill(
    new Batch(),
    Array.from({ length: BATCH_ENTRIES }, () => plainFrame(60)),
  )
  const nothing = new Uint8Array(BATCH_ENTRIES)
  const all = new Int16Array(BATCH_ENTRIES)
  const found = await steadyCollections(RECORDS, (times) => {
    for (let put = 0; put < times; put += BATCH_ENTRIES) hook.sent(frames, nothing, all)
  })
  assert.is(found, 0)
  assert.ok(Atomics.load(new Int32Array(memory, 0, 3), 2) !== 0, 'none was lost')
})

test.run()
