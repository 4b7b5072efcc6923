import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP } from '#tsgre/drops.js'
import { decapsulateEcn, marks } from '#tsgre/wire/ecn.js'
import { octets } from '#tsgre/wire/octets.js'
import { innerFrame } from '../../rig/flows.js'
import { DOT1Q, ETH_P_ARP, ethernet, QINQ } from '../../rig/frames.js'
import { naiveSum } from '../../rig/naive/naive-checksum.js'
import { random } from '../../rig/random.js'

/** RFC 6040 figure 4, typed out: what goes on, by the inner field (row) and the outer one, in the order 00 01 10 11. */
const FIGURE_4: readonly (readonly (number | 'drop')[])[] = [
  [0, 0, 0, 'drop'], // inner Not-ECT
  [1, 1, 1, 3], // inner ECT(1)
  [2, 1, 2, 3], // inner ECT(0)
  [3, 3, 3, 3], // inner CE
]

function after(frame: Uint8Array, outer: number): { frame: Uint8Array; result: number } {
  const memory = octets(new Uint8Array(frame.length + 64).fill(0xa5))
  memory.bytes.set(frame, 32)
  const result = marks(outer) ? decapsulateEcn(memory, 32, 32 + frame.length, outer) : 0
  assert.ok([...memory.bytes.slice(0, 32), ...memory.bytes.slice(32 + frame.length)].every((octet) => octet === 0xa5))
  return { frame: memory.bytes.slice(32, 32 + frame.length), result }
}

test('every pair of marks gives what RFC 6040 says, of IPv4 and IPv6, behind no, one and two tags', () => {
  const dice = random(1)
  for (let round = 0; round < 2000; round++) {
    const version = dice.oneIn(2) ? 4 : 6
    const tags = [[], [DOT1Q], QINQ][dice.below(3)]!
    const [inner, outer, dscp] = [dice.below(4), dice.below(4), dice.below(64) << 2]
    const fields = {
      version,
      tags,
      payload: dice.bytes(9),
      id: dice.below(65536),
      flowLabel: dice.below(1 << 20),
    } as const
    const { frame, result } = after(innerFrame({ ...fields, tos: dscp | inner }), (dice.below(64) << 2) | outer)
    const expected = FIGURE_4[inner]![outer]!
    if (expected === 'drop') assert.is(result, -DROP.ecn)
    else {
      assert.is(result, 0)
      assert.equal(frame, innerFrame({ ...fields, tos: dscp | expected }))
    }
  }
})

test('a wrong IPv4 header checksum stays wrong', () => {
  const frame = innerFrame({ tos: 2 })
  frame[24]! ^= 1
  assert.is.not(naiveSum(after(frame, 3).frame, 14, 34), 0xffff)
})

test('leaves what is no IP, or cut short, as it is, and does not drop it', () => {
  const whole = innerFrame({ tos: 0 })
  const frames = [
    ethernet(ETH_P_ARP, Array(28).fill(3)),
    ethernet(0x0800, Array(19).fill(0x45)),
    ethernet(0x86dd, Array(39).fill(0x60)),
    ethernet(0x0800, Array(20).fill(0x55)),
    whole.slice(0, 20),
    whole.slice(0, 14),
  ]
  for (const frame of frames) assert.equal(after(frame, 3), { frame, result: 0 })
})

test.run()
