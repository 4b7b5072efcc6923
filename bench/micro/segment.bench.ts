// A superframe of 64 KiB taken apart: headers written and payload summed for each of its segments. It lies in memory of the
// kind that the pump has.

import { Segmenter } from '#tsgre/offload/segment.js'
import { octets } from '#tsgre/wire/octets.js'
import { type Inner, innerFrame, TIMESTAMPS, UDP } from '../../test/rig/flows.js'
import { naiveSegments } from '../../test/rig/naive/naive-segment.js'
import { random } from '../../test/rig/random.js'
import { testMemory } from '../../test/rig/test-memory.js'
import { compare } from '../measure.js'

const LONGEST = 1476
const START = 64

export function bench(): void {
  const payload = random(1).bytes(64000)
  measure('TCP over IPv4', { options: TIMESTAMPS, payload }, 1410)
  measure('TCP over IPv6', { version: 6, options: TIMESTAMPS, payload }, 1390)
  measure('UDP over IPv4', { protocol: UDP, payload }, 1434)
  measure('TCP, small segments', { payload: payload.slice(0, 6400) }, 100)
}

function measure(title: string, inner: Inner, asked: number): void {
  const frame = innerFrame({ ...inner, checksum: 'partial' })
  const end = START + frame.length
  const headers = octets(new Uint8Array(512))
  const segmenter = new Segmenter()
  const memory = testMemory(end, 0, true)
  memory.bytes.set(frame, START)
  const cut = () => {
    let total = 0
    segmenter.begin(memory, START, end, asked, LONGEST)
    while (segmenter.more) total += segmenter.next(headers, 0)
    return total
  }
  const segments = naiveSegments(frame, asked, LONGEST)?.length
  compare(`segment: ${title}, ${frame.length} octets into ${segments} segments`, [
    { name: 'naive', run: (times) => repeat(times, () => naiveSegments(frame, asked, LONGEST)?.length ?? 0) },
    { name: 'tsgre', run: (times) => repeat(times, cut) },
  ])
}

function repeat(times: number, work: () => number): number {
  let total = 0
  for (let i = 0; i < times; i++) total += work()
  return total
}
