// A batch of 64 received frames put together: one flow, several interleaved, and frames that stay alone. They lie in
// memory of the kind that the pump has. The headers that a run rewrites are put back before the next, within the time.

import { Coalescer } from '#tsgre/offload/coalesce.js'
import { frameList, listOf } from '../../test/rig/coalesced.js'
import { innerFrame, neighbours, TIMESTAMPS, UDP } from '../../test/rig/flows.js'
import { naiveCoalesce } from '../../test/rig/naive/naive-coalesce.js'
import { compare } from '../measure.js'

const FRAMES = 64
/** What a run may rewrite of a frame. */
const HEADER_BYTES = 80

export function bench(): void {
  const flow = (sourcePort: number, count: number, size = 1410) =>
    neighbours({ sourcePort, options: TIMESTAMPS }, Array(count).fill(size)).map(innerFrame)
  measure('one TCP flow', flow(40000, 44))
  const flows = [0, 1, 2, 3].map((i) => flow(40000 + i, FRAMES / 4))
  measure(
    'four TCP flows in turn',
    flows[0].flatMap((_, i) => flows.map((one) => one[i])),
  )
  measure('small datagrams', neighbours({ protocol: UDP }, Array(FRAMES).fill(64)).map(innerFrame))
  measure(
    'as many flows as frames',
    Array.from({ length: FRAMES }, (_, i) => flow(41000 + i, 1)[0]),
  )
  measure('acknowledgments', flow(40000, FRAMES, 0))
}

function measure(title: string, frames: Uint8Array[]): void {
  const coalescer = new Coalescer(frames.length, true)
  const from = listOf(frames, 0, true)
  const to = frameList(from.memory, frames.length)
  const run = () => {
    restore(from.memory.bytes, from.offset, frames)
    coalescer.run(from, to, 1476)
    return to.count
  }
  compare(`coalesce: ${title}, ${frames.length} frames into ${naiveCoalesce(frames).length}`, [
    { name: 'naive', run: (times) => repeat(times, () => naiveCoalesce(frames).length) },
    { name: 'tsgre', run: (times) => repeat(times, run) },
  ])
}

function restore(bytes: Uint8Array, offset: Int32Array, frames: readonly Uint8Array[]): void {
  for (let i = 0; i < frames.length; i++) {
    const frame = frames[i]
    const length = Math.min(frame.length, HEADER_BYTES)
    for (let at = 0; at < length; at++) bytes[offset[i] + at] = frame[at]
  }
}

function repeat(times: number, work: () => number): number {
  let total = 0
  for (let i = 0; i < times; i++) total += work()
  return total
}
