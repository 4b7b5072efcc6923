// What comes between the frames of a flow: some of it none of them may overtake, some does not matter.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { flowHash } from '#tsgre/offload/flow-hash.js'
import { FOUND, findLayers, layers } from '#tsgre/offload/layers.js'
import { together } from '../../rig/coalesced.js'
import { type Inner, innerFrame, neighbours, UDP } from '../../rig/flows.js'
import { ETH_P_ARP, ethernet } from '../../rig/frames.js'

/** Frames of two flows, with something between them. */
function around(between: Uint8Array): Uint8Array[] {
  const one = neighbours({}, Array(4).fill(100)).map(innerFrame)
  const other = neighbours({ source: 9, version: 6 }, Array(4).fill(100)).map(innerFrame)
  return [one[0], one[1], other[0], other[1], between, one[2], one[3], other[2], other[3]]
}

const UNCLEAR: Record<string, () => Uint8Array> = {
  'the first fragment of a datagram': () => {
    const frame = innerFrame({ protocol: UDP, payload: new Uint8Array(80) })
    frame[20] = 0x20
    return frame
  },
  'a later fragment of TCP': () => {
    const frame = innerFrame({ payload: new Uint8Array(80) })
    frame[21] = 10
    return frame
  },
  'a fragment over IPv6': () => innerFrame({ version: 6, extensions: [[44, [0, 0x51, 1, 2, 3, 4]]] }),
  'a routing header': () => innerFrame({ version: 6, extensions: [[43, Array(6).fill(0)]] }),
  'nine extension headers': () => innerFrame({ version: 6, extensions: Array(9).fill([60, Array(6).fill(0)]) }),
  'a TCP header cut short': () => innerFrame().slice(0, 50),
  'an IPv4 packet longer than its frame': () => innerFrame({ payload: new Uint8Array(80) }).slice(0, -1),
  'a version that contradicts the EtherType': () => ethernet(0x0800, innerFrame({ version: 6 }).slice(14)),
}

for (const [name, frame] of Object.entries(UNCLEAR)) {
  test(`lets no frame overtake ${name}`, () => {
    assert.equal(together(around(frame())), [[0, 1], [2, 3], [4], [5, 6], [7, 8]])
  })
}

test('joins across frames that are no part of any flow', () => {
  const others = [ethernet(ETH_P_ARP, Array(28).fill(1)), new Uint8Array(), new Uint8Array(13).fill(8)]
  for (const frame of others) assert.equal(together(around(frame)), [[0, 1, 5, 6], [2, 3, 7, 8], [4]])
})

/** The place the coalescer keeps a flow in: the upper six bits of its hash. */
function placeOf(inner: Inner): number {
  const frame = innerFrame(inner)
  const at = layers()
  assert.is(findLayers(frame, 0, frame.length, at), FOUND)
  return flowHash(frame, at) >>> 26
}

for (const field of ['source', 'destination', 'sourcePort', 'destinationPort'] as const) {
  test(`keeps flows apart that have the same place and differ in their ${field} only`, () => {
    for (const inner of [{}, { version: 6 }, { protocol: UDP }, { protocol: UDP, version: 6 }] as Inner[]) {
      const found = [...Array(256).keys()].slice(3).find((value) => {
        return placeOf({ ...inner, [field]: value }) === placeOf(inner)
      })
      assert.ok(found, 'none of 253 has the same place')
      const frames = neighbours(inner, Array(5).fill(100)).map((fields, i) => {
        return innerFrame(i === 2 ? { ...fields, [field]: found } : fields)
      })
      assert.equal(together(frames), [[0, 1], [2], [3, 4]])
    }
  })
}

test.run()
