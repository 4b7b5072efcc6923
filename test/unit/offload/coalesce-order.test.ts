// What comes between the frames of a flow: some of it none of them may overtake, some does not matter.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { together } from '../../rig/coalesced.js'
import { innerFrame, neighbours, UDP } from '../../rig/flows.js'
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

test.run()
