// Superframes cut and put together again.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { coalesce } from '../../rig/coalesced.js'
import { ACK, ECE, FIN, type Inner, innerFrame, PSH, TCP, UDP } from '../../rig/flows.js'
import type { Tag } from '../../rig/frames.js'
import { naiveKernel } from '../../rig/naive/naive-kernel.js'
import { random } from '../../rig/random.js'
import { segmentsOf } from '../../rig/segments.js'

const dice = random(31)
const noise = dice.bytes(70000)

/** Fields of a superframe that a kernel would send, with `octets` of payload. */
function sent(octets: number): Inner {
  const { below, oneIn, word, bytes } = dice
  const from = below(4000)
  const tags = Array.from({ length: below(3) }, (): Tag => [oneIn(2) ? 0x8100 : 0x88a8, below(65536)])
  const ends = [0, PSH, FIN, PSH | FIN][below(4)]
  return {
    version: oneIn(2) ? 4 : 6,
    protocol: oneIn(3) ? UDP : TCP,
    tags,
    tos: below(256),
    ttl: below(256),
    df: oneIn(2),
    id: below(65536),
    flowLabel: below(0x100000),
    source: below(256),
    destination: below(256),
    sourcePort: below(65536),
    destinationPort: below(65536),
    sequence: oneIn(3) ? 0xffff_ffff - below(octets) : word(),
    acknowledgment: word(),
    flags: ACK | ends | (oneIn(4) ? ECE : 0),
    window: below(65536),
    urgent: below(65536),
    options: [...bytes(4 * below(11))],
    payload: noise.slice(from, from + octets),
    checksum: 'partial',
  }
}

/** A size of up to 64 segments for so many octets. */
const sizeFor = (octets: number) => Math.ceil(octets / (2 + dice.below(63)))

function comesBack(round: number, most: number): void {
  const octets = 2 + dice.below(most - 1)
  const asked = sizeFor(octets)
  const superframe = innerFrame(sent(octets))
  const segments = segmentsOf(superframe, { asked, align: dice.below(4), into: dice.below(4) })!
  assert.is(segments.length, Math.ceil(octets / asked))
  const delivered = coalesce(segments)
  assert.is(delivered.length, 1, `round ${round}: ${segments.length} segments of ${asked} octets`)
  assert.ok(Buffer.compare(delivered[0].frame, superframe) === 0, `round ${round}: the octets`)
  assert.is(delivered[0].gsoSize, asked)
}

test('1500 random superframes come back octet for octet', () => {
  for (let round = 0; round < 1500; round++) comesBack(round, 3000)
})

test('100 random superframes of up to 64 KiB come back octet for octet', () => {
  for (let round = 0; round < 100; round++) comesBack(round, 65000)
})

test('the segments of superframes that are not joined again come back as they were cut', () => {
  for (let round = 0; round < 1000; round++) {
    const special: Inner[] = [
      { flags: dice.below(256) },
      { version: 4, ipOptions: [...dice.bytes(4 * (1 + dice.below(10)))] },
      { version: 6, extensions: [[60, [...dice.bytes(6)]]] },
      { flags: dice.below(256), version: 4, ipOptions: [1, 1, 1, 1] },
    ]
    const superframe = innerFrame({ ...sent(1 + dice.below(600)), ...special[round % special.length] })
    const segments = segmentsOf(superframe, { asked: 10 + dice.below(100) })!
    const out = coalesce(segments).flatMap(naiveKernel)
    assert.ok(Buffer.compare(Buffer.concat(out), Buffer.concat(segments)) === 0, `round ${round}`)
    assert.is(out.length, segments.length)
  }
})

test.run()
