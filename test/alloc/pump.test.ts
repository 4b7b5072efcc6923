// No garbage collection in a million frames each way through two pumps on memory ports. The young generation is made as
// small as V8 lets it be, so that one octet kept back per frame would be seen.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dropCounters } from '#tsgre/drops.js'
import { BATCH_ENTRIES, Batch } from '#tsgre/io/batch.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import type { Port } from '#tsgre/io/port.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import type { PumpSettings } from '#tsgre/tunnel/settings.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { fill } from '../rig/batches.js'
import { steadyCollections } from '../rig/collections.js'
import { countingFrom } from '../rig/counting-from.js'
import { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, ethernet, ipv4, ipv6, QINQ } from '../rig/frames.js'
import { withFlags } from '../rig/reexec.js'
import { mirrored, settings } from '../rig/settings.js'

withFlags(import.meta.url, '--max-semi-space-size=1')

const FRAMES = 1_000_000

/** A batch of the kinds that meet different code: IP of both versions, behind tags, and none. */
function frames(): Batch {
  const kinds = [
    ethernet(ETH_P_IP, ipv4({ tos: 0xb9, ttl: 33, df: true, payload: Array(40).fill(1) })),
    ethernet(ETH_P_IPV6, ipv6({ tos: 0xb9, ttl: 33, payload: Array(33).fill(1) })),
    ethernet(ETH_P_IP, ipv4({ payload: Array(300).fill(1) }), QINQ),
    ethernet(ETH_P_ARP, Array(28).fill(0xff)),
  ]
  return fill(
    new Batch(),
    Array.from({ length: BATCH_ENTRIES }, (_, i) => kinds[i % kinds.length]),
  )
}

interface Detour {
  /** The other end's settings where they do not mirror this one's. */
  other?: Partial<PumpSettings>
  /** What stands before the other end's underlay. */
  around?: (port: Port) => Port
}

/** Two joined pumps, and a test that writes and reads their overlays without making anything. */
class Road {
  readonly counters = [new Counters(), new Counters()]
  readonly #pumps: Pump[]
  readonly #users: Port[]
  readonly #source = frames()
  readonly #sink = new Batch()
  readonly #drops = dropCounters()
  #now = 0

  constructor(
    given: Partial<PumpSettings>,
    firstSequence = 0,
    { other = {}, around = (port: Port) => port }: Detour = {},
  ) {
    const [left, right] = memoryPorts()
    const [userA, overlayA] = memoryPorts()
    const [userB, overlayB] = memoryPorts()
    const mine = settings(given)
    for (const counters of this.counters) counters.reset()
    this.#users = [userA, userB]
    this.#pumps = [
      countingFrom(firstSequence, () => new Pump(overlayA, left, mine, this.counters[0])),
      countingFrom(
        firstSequence,
        () => new Pump(overlayB, around(right), { ...mirrored(mine), ...other }, this.counters[1]),
      ),
    ]
  }

  /** Carries `count` frames each way. */
  carry(count: number): void {
    for (let done = 0; done < count; done += BATCH_ENTRIES) {
      this.#now++
      this.#write(0)
      this.#write(1)
      this.#pumps[0].turn(this.#now)
      this.#pumps[1].turn(this.#now)
      this.#pumps[0].turn(this.#now)
      this.#users[0].read(this.#sink, this.#drops)
      this.#users[1].read(this.#sink, this.#drops)
    }
  }

  #write(side: number): void {
    this.#source.head = 0
    this.#users[side].write(this.#source, this.#drops)
  }
}

/** Collections while a million frames go each way; all of them must arrive. */
async function collections(road: Road): Promise<number> {
  const found = await steadyCollections(FRAMES, (count) => road.carry(count))
  for (const counters of road.counters) {
    const { txFrames, rxFrames, drops } = counters.snapshot()
    assert.ok(txFrames >= FRAMES)
    assert.is(rxFrames, txFrames)
    assert.ok(Object.values(drops).every((count) => count === 0))
  }
  return found
}

const ALL: Partial<PumpSettings> = { keyIn: 0x8000_0001, keyOut: 0xffff_ffff, checksum: true, sequence: true }
const INHERIT: Partial<PumpSettings> = { tos: 'inherit', ttl: 'inherit', fragment: 'as-inner' }

test('carries a million plain frames each way without a collection', async () => {
  assert.is(await collections(new Road({}, 0)), 0)
})

test('carries a million frames each way with TOS, TTL and DF from inside without a collection', async () => {
  assert.is(await collections(new Road(INHERIT, 0)), 0)
})

test('carries a million frames each way with key, checksum and sequence above 2^31 without a collection', async () => {
  assert.is(await collections(new Road(ALL, 0xf000_0000)), 0)
})

test('carries a million frames each way across the wrap of the sequence without a collection', async () => {
  assert.is(await collections(new Road({ sequence: true }, 0xfff8_0000)), 0)
})

test('drops a million packets of a wrong key above 2^31 without a collection', async () => {
  const road = new Road({ keyIn: 0xf000_0000, keyOut: 0xf000_0000 }, 0, { other: { keyIn: 0xf000_0001 } })
  assert.is(await steadyCollections(FRAMES, (count) => road.carry(count)), 0)
  const { drops, lastWrongKey } = road.counters[1].snapshot()
  assert.ok(drops['key-mismatch'] >= FRAMES)
  assert.is(lastWrongKey, 0xf000_0000)
})

/** Spoils what it hands out, seven kinds of fault in turn and a good packet; makes nothing. */
function spoiling(port: Port): Port {
  return {
    fd: port.fd,
    mtu: port.mtu,
    read: (into, drops) => {
      const count = port.read(into, drops)
      const { bytes } = into.memory
      for (let i = 0; i < count; i++) {
        const at = into.offset[i]
        if (i % 8 === 0) bytes[at + 1] |= 1
        else if (i % 8 === 1) bytes[at] |= 0x40
        else if (i % 8 === 2) bytes[at + 3] ^= 1
        else if (i % 8 === 3) bytes[at + 9] ^= 1
        else if (i % 8 === 4) bytes[at + 5] ^= 1
        else if (i % 8 === 5) into.length[i] = 3
        else if (i % 8 === 6) into.peer[i] = -1
      }
      return count
    },
    write: (from, drops) => port.write(from, drops),
    close: () => port.close(),
  }
}

test('counts a million packets with every kind of fault, and carries those between, without a collection', async () => {
  const road = new Road({ ...ALL, reorder: { packets: 0, ms: 0 } }, 0xf000_0000, { around: spoiling })
  assert.is(await steadyCollections(FRAMES, (count) => road.carry(count)), 0)
  const { drops, rxFrames } = road.counters[1].snapshot()
  const kinds = [
    'bad-version',
    'reserved-bits',
    'unknown-protocol',
    'key-mismatch',
    'checksum',
    'truncated',
    'unknown-peer',
  ]
  for (const kind of kinds as (keyof typeof drops)[]) assert.is(drops[kind], rxFrames, kind)
})

test('holds packets behind the gaps that faults leave, a million in all, without a collection', async () => {
  const road = new Road(ALL, 0xf000_0000, { around: spoiling })
  assert.is(await steadyCollections(FRAMES, (count) => road.carry(count)), 0)
  const { drops, rxFrames } = road.counters[1].snapshot()
  const held = drops['bad-version'] - rxFrames
  assert.ok(held > 0 && held <= 64, `${held} are held`)
})

/** A port that makes something for every entry it hands out. */
function wasteful(port: Port, make: (length: number) => unknown): Port {
  const kept: unknown[] = ['']
  return {
    fd: port.fd,
    mtu: port.mtu,
    read: (into, drops) => {
      const count = port.read(into, drops)
      for (let i = 0; i < count; i++) kept[0] = make(into.length[i])
      return count
    },
    write: (from, drops) => port.write(from, drops),
    close: () => port.close(),
  }
}

/** Makes every other packet come 2^28 numbers late: a longer run would be taken for a restart. */
function delaying(port: Port): Port {
  return {
    fd: port.fd,
    mtu: port.mtu,
    read: (into, drops) => {
      const count = port.read(into, drops)
      const { bytes } = into.memory
      for (let i = 0; i < count; i += 2) bytes[into.offset[i] + 4] = 0xe0
      return count
    },
    write: (from, drops) => port.write(from, drops),
    close: () => port.close(),
  }
}

test('drops late packets among a million without a collection', async () => {
  const road = new Road({ sequence: true, reorder: { packets: 0, ms: 0 } }, 0xf000_0000, { around: delaying })
  assert.is(await steadyCollections(FRAMES, (count) => road.carry(count)), 0)
  const { drops, rxFrames } = road.counters[1].snapshot()
  // the first packet ever is believed, late or not
  assert.is(drops['out-of-sequence'], rxFrames - 2)
})

test('carries a million frames without a collection after V8 has seen all of the above', async () => {
  assert.is(await collections(new Road(ALL, 0x7ff8_0000)), 0)
  assert.is(await collections(new Road({}, 0)), 0)
})

test('would see one small object made for every frame', async () => {
  const around = (port: Port) => wasteful(port, (length) => ({ length }))
  assert.ok((await collections(new Road({}, 0, { around }))) > 0)
})

test('would see one number above 2^31 boxed for every frame', async () => {
  const around = (port: Port) => wasteful(port, (length) => 0x8000_0000 + length)
  assert.ok((await collections(new Road({}, 0, { around }))) > 0)
})

test.run()
