// Thousands of superframes that differ in everything, each segment beside the naive twin's.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Inner, innerFrame, TCP, UDP } from '../../rig/flows.js'
import { naiveSegments } from '../../rig/naive/naive-segment.js'
import { type Random, random } from '../../rig/random.js'
import { segmentsOf } from '../../rig/segments.js'

const dice = random(4)
const noise = dice.bytes(70000)

const EXTENSIONS: [number, number[]][] = [
  [0, [...dice.bytes(6)]],
  [60, [...dice.bytes(14)]],
]

/** An array with 0 to `most` times `unit` octets. */
const some = (unit: number, most: number) => [...dice.bytes(unit * dice.below(most + 1))]

/** Fields of a random superframe with up to `most` octets of payload. */
function superframe({ below, oneIn, word }: Random, most: number): Inner {
  const version = oneIn(2) ? 4 : 6
  const from = below(1000)
  const payload = oneIn(20) ? new Uint8Array(1 + below(most)) : noise.slice(from, from + 1 + below(most))
  return {
    version,
    protocol: oneIn(3) ? UDP : TCP,
    tags: Array.from({ length: below(3) }, () => [oneIn(2) ? 0x8100 : 0x88a8, below(65536)]),
    tos: below(256),
    ttl: below(256),
    df: oneIn(2),
    id: oneIn(3) ? 0xffff - below(20) : below(65536),
    flowLabel: below(0x100000),
    ipOptions: oneIn(4) ? some(4, 10) : [],
    extensions: oneIn(4) ? EXTENSIONS.slice(below(2)) : [],
    source: below(256),
    destination: below(256),
    sourcePort: below(65536),
    destinationPort: below(65536),
    sequence: oneIn(3) ? 0xffff_ffff - below(3 * most) : word(),
    acknowledgment: word(),
    flags: below(256),
    window: below(65536),
    urgent: below(65536),
    options: some(4, 10),
    payload,
    checksum: oneIn(4) ? 'right' : 'partial',
    padding: oneIn(10) ? some(1, 20) : [],
  }
}

function compare(round: number, most: number, asked: number): number {
  const frame = innerFrame(superframe(dice, most))
  const longest = dice.oneIn(2) ? 1 << 16 : 60 + dice.below(1500)
  const cut = {
    asked,
    longest,
    align: dice.below(4),
    into: dice.below(4),
    canary: dice.below(256),
    simd: dice.oneIn(2),
  }
  const expected = naiveSegments(frame, asked, longest)
  const segments = segmentsOf(frame, cut)
  const same = Buffer.compare(Buffer.concat(segments ?? []), Buffer.concat(expected ?? []))
  assert.ok(same === 0, `round ${round}: the octets`)
  assert.is(segments?.length, expected?.length, `round ${round}: how many`)
  return segments?.length ?? 0
}

test('cuts 4000 random superframes as the naive twin does, at every alignment', () => {
  let total = 0
  for (let round = 0; round < 4000; round++) total += compare(round, 600, 1 + dice.below(200))
  assert.ok(total > 10_000, `only ${total} segments`)
})

test('cuts 200 random superframes of up to 64 KiB as the naive twin does', () => {
  let total = 0
  for (let round = 0; round < 200; round++) total += compare(round, 65000, 500 + dice.below(9000))
  assert.ok(total > 2000, `only ${total} segments`)
})

test.run()
