// Random packets through decapsulate: nothing throws, and every packet is delivered or counted under one reason, the one
// that a naive reading of the rules gives. TSGRE_SEED repeats a run; TSGRE_LONG makes it ten times as long.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP_REASONS, type DropReason, dropsByReason } from '#tsgre/drops.js'
import type { PumpSettings } from '#tsgre/tunnel/settings.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { contents, fill } from '../rig/batches.js'
import { naiveEmitGre, naiveParseGre, naiveVerifyGre } from '../rig/naive/naive-gre.js'
import { NaiveSequence } from '../rig/naive/naive-sequence.js'
import { type Random, random } from '../rig/random.js'
import { settings } from '../rig/settings.js'
import { receivingSide } from '../rig/sides.js'

const SEED = Number(process.env.TSGRE_SEED ?? 47)
const PACKETS = process.env.TSGRE_LONG ? 2_000_000 : 200_000

const TUNNELS: Readonly<Record<string, Partial<PumpSettings>>> = {
  plain: {},
  'key 42': { keyIn: 42 },
  'key 0, seq': { keyIn: 0, sequence: true },
  'key 4294967295, csum, seq': { keyIn: 0xffff_ffff, checksum: true, sequence: true },
}

const KEYS = [0, 42, 43, 0x8000_0000, 0xffff_ffff]

/** Makes packets: noise, valid ones with all flags, and valid ones mutated or cut. */
class Packets {
  readonly #source: Random
  readonly #key: number | undefined
  #sequence = 0xffff_ff00

  constructor(source: Random, key: number | undefined) {
    this.#source = source
    this.#key = key
  }

  next(): Uint8Array {
    const source = this.#source
    if (source.oneIn(5)) return this.#noise()
    const packet = this.#valid()
    if (source.oneIn(4)) return packet.subarray(0, source.below(packet.length + 1))
    if (source.oneIn(3)) this.#mutate(packet)
    return packet
  }

  /** Noise, half of it behind a header that has at least the protocol type right. */
  #noise(): Uint8Array {
    const noise = this.#source.bytes(this.#source.below(90))
    if (noise.length >= 4 && this.#source.oneIn(2)) noise.set([noise[0] & 0xb3, noise[1] & 0xf8, 0x65, 0x58])
    return noise
  }

  #valid(): Uint8Array {
    const source = this.#source
    const payload = source.bytes(10 + source.below(source.oneIn(20) ? 1500 : 60))
    const other = source.oneIn(10) ? undefined : KEYS[source.below(KEYS.length)]
    const key = source.oneIn(4) ? other : this.#key
    return naiveEmitGre({
      ...(source.oneIn(2) && { checksum: 0 }),
      ...(key !== undefined && { key }),
      ...(source.oneIn(2) && { sequence: this.#number() }),
      payload,
    })
  }

  #number(): number {
    const source = this.#source
    if (source.oneIn(500)) this.#sequence = source.word()
    else this.#sequence = (this.#sequence + (source.oneIn(5) ? source.below(8) - 4 : 1)) >>> 0
    return this.#sequence
  }

  #mutate(packet: Uint8Array): void {
    const source = this.#source
    for (let flips = 1 + source.below(3); flips > 0 && packet.length > 0; flips--) {
      // mostly in the header, where a bit matters
      const at = source.below(source.oneIn(4) ? packet.length : Math.min(packet.length, 16))
      packet[at] ^= 1 << source.below(8)
    }
  }
}

/** The rules of reception, read off one after the other. */
class Oracle {
  readonly #key: number | undefined
  readonly #sequence: NaiveSequence | undefined

  constructor({ keyIn, sequence }: PumpSettings) {
    this.#key = keyIn
    this.#sequence = sequence ? new NaiveSequence() : undefined
  }

  verdict(packet: Uint8Array, peer: number, now: number): DropReason | Uint8Array {
    if (peer < 0) return 'unknown-peer'
    const parsed = naiveParseGre(packet)
    if (typeof parsed === 'string') return parsed
    if (parsed.key !== this.#key) return 'key-mismatch'
    if (parsed.payload.length < 14) return 'truncated'
    if (parsed.checksum !== undefined && !naiveVerifyGre(packet)) return 'checksum'
    if (parsed.sequence !== undefined && this.#sequence?.accept(parsed.sequence, now) === false)
      return 'out-of-sequence'
    return parsed.payload
  }
}

function fuzz(given: Partial<PumpSettings>, count: number): Record<DropReason, number> {
  const source = random(SEED)
  // Without a buffer each packet's end is known at once; what waits in one has tests of its own.
  const its = settings({ reorder: { packets: 0, ms: 0 }, ...given })
  const packets = new Packets(source, its.keyIn)
  const oracle = new Oracle(its)
  const counters = new Counters()
  counters.reset()
  const { batch, run } = receivingSide(its, counters)
  let now = 0
  let delivered = 0
  for (let fed = 0; fed < count; ) {
    const size = Math.min(1 + source.below(batch.capacity), count - fed)
    const some = Array.from({ length: size }, () => packets.next())
    const peer = source.oneIn(20) ? -1 : 0
    now += source.oneIn(10) ? source.below(1100) : source.below(5)
    const before = dropsByReason(counters.drops)
    fill(batch, some, peer)
    const frames: Uint8Array[] = []
    run(now, (opened) => frames.push(...contents(opened)))
    const verdicts = some.map((packet) => oracle.verdict(packet, peer, now))
    const after = dropsByReason(counters.drops)
    const where = `packets ${fed} to ${fed + size}`
    assert.equal(
      frames,
      verdicts.filter((verdict) => typeof verdict !== 'string'),
      where,
    )
    for (const reason of DROP_REASONS) {
      const expected = verdicts.filter((verdict) => verdict === reason).length
      assert.is(after[reason] - before[reason], expected, `${where}: ${reason}`)
    }
    fed += size
    delivered += frames.length
    assert.is(delivered + counters.drops.reduce((sum, drops) => sum + drops, 0), fed, `${where}: delivered or counted`)
  }
  return dropsByReason(counters.drops)
}

const REASONS: readonly DropReason[] = [
  'truncated',
  'bad-version',
  'reserved-bits',
  'unknown-protocol',
  'unknown-peer',
  'key-mismatch',
  'checksum',
]

for (const [name, given] of Object.entries(TUNNELS)) {
  test(`delivers or counts each of ${PACKETS / 4} random packets as the rules say (${name})`, () => {
    try {
      const drops = fuzz(given, PACKETS / 4)
      for (const reason of REASONS) assert.ok(drops[reason] > 100, `${reason} was met ${drops[reason]} times`)
      if (given.sequence) assert.ok(drops['out-of-sequence'] > 100)
    } catch (error) {
      console.error(`TSGRE_SEED=${SEED} repeats this`)
      throw error
    }
  })
}

test.run()
