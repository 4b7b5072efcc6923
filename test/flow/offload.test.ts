// Superframes through whole pumps: what one side cuts, the other puts together or takes as it comes.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dropCounters, MOST_PEERS } from '#tsgre/drops.js'
import { BATCH_ENTRIES, Batch } from '#tsgre/io/batch.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import type { Port } from '#tsgre/io/port.js'
import type { Offload } from '#tsgre/offload/gso.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import type { PumpSettings } from '#tsgre/tunnel/settings.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { contents, fill, receive } from '../rig/batches.js'
import { ACK, FIN, type Inner, innerFrame, PSH, TCP, TIMESTAMPS, UDP } from '../rig/flows.js'
import { DOT1Q, plainFrame } from '../rig/frames.js'
import { naiveEmitGre } from '../rig/naive/naive-gre.js'
import { naiveSegments } from '../rig/naive/naive-segment.js'
import { random } from '../rig/random.js'
import { mirrored, settings, VARIANTS } from '../rig/settings.js'
import { fillSuperframes, type Superframe } from '../rig/superframes.js'

/** Of the memory ports' underlay: what a packet of GRE and frame may have. */
const ROOM = 1500
const greBytes = ({ checksum, keyOut, sequence }: PumpSettings) =>
  4 + (checksum ? 4 : 0) + (keyOut === undefined ? 0 : 4) + (sequence ? 4 : 0)

interface Super extends Superframe {
  gsoType: number
}

/** Two pumps over one underlay; the users read and write what the kernel would at a TAP. */
class Road {
  readonly counters = [new Counters(), new Counters()]
  readonly users: readonly Port[]
  readonly network: Port
  readonly #pumps: readonly Pump[]

  constructor(given: Partial<PumpSettings>, offloads: readonly [Offload, Offload]) {
    const [left, right] = memoryPorts(ROOM)
    const mine = settings(given)
    const ends = offloads.map((offload) => memoryPorts(1500, offload))
    for (const counters of this.counters) counters.reset()
    this.users = ends.map(([user]) => user)
    this.network = left
    this.#pumps = [
      new Pump(ends[0]![1], left, mine, this.counters[0]!),
      new Pump(ends[1]![1], right, mirrored(mine), this.counters[1]!),
    ]
  }

  send(frames: readonly Super[]): void {
    const batch = fillSuperframes(new Batch(), frames)
    this.users[0]!.write(batch, dropCounters())
  }

  turn(): void {
    while (this.#pumps.map((pump) => pump.turn()).includes(true));
  }

  /** What came at the other end: bytes, and how it is to be cut. */
  arrived(): Super[] {
    const batch = new Batch()
    const all: Super[] = []
    while (this.users[1]!.read(batch, dropCounters()) > 0) {
      contents(batch).forEach((bytes, i) => {
        all.push({ bytes, gsoType: batch.gsoType[i]!, gsoSize: batch.gsoSize[i]! })
      })
    }
    return all
  }
}

function superframe(inner: Inner, gsoSize: number): Super {
  const { version = 4, protocol = TCP } = inner
  const gsoType = protocol === UDP ? 5 : version === 4 ? 1 : 4
  return { bytes: innerFrame({ ...inner, checksum: 'partial' }), gsoType, gsoSize }
}

/** What the kernel makes of a frame it was given: cuts it, or takes it as it is. */
const cut = ({ bytes, gsoType, gsoSize }: Super) =>
  gsoType === 0 ? [bytes] : naiveSegments(bytes, gsoSize, Number.POSITIVE_INFINITY)!

const payload = (size: number, seed = size) => random(seed).bytes(size)
const KINDS: readonly (readonly [string, Inner, gsoSize: number])[] = [
  ['TCP over IPv4', { flags: ACK | PSH | FIN, options: TIMESTAMPS, id: 0xfff0, payload: payload(60_001) }, 1448],
  ['TCP over IPv6 behind a tag', { version: 6, tags: [DOT1Q], sequence: 0xffff_f000, payload: payload(40_000) }, 1400],
  ['UDP over IPv4', { protocol: UDP, payload: payload(50_000) }, 1200],
  ['UDP over IPv6', { version: 6, protocol: UDP, payload: payload(7777) }, 500],
]

for (const [variant, given] of Object.entries(VARIANTS)) {
  for (const [name, inner, gsoSize] of KINDS) {
    const longest = ROOM - greBytes(settings(given))
    const whole = superframe(inner, gsoSize)
    const segments = naiveSegments(whole.bytes, gsoSize, longest)!

    test(`${variant}: ${name}, cut here, arrives as the naive twin cuts it where whole frames are wanted`, () => {
      const road = new Road(given, ['uso', 'off'])
      road.send([whole])
      road.turn()
      assert.equal(
        road.arrived().map(({ bytes }) => bytes),
        segments,
      )
      const [sent, got] = road.counters.map((counters) => counters.snapshot())
      const bytes = segments.reduce((total, { length }) => total + length, 0)
      assert.equal([sent!.txFrames, sent!.txBytes], [segments.length, bytes])
      assert.equal([got!.rxFrames, got!.rxBytes], [segments.length, bytes])
    })

    test(`${variant}: ${name}, put together there, is the same when the kernel cuts it again`, () => {
      const road = new Road(given, ['uso', 'uso'])
      road.send([whole])
      road.turn()
      const arrived = road.arrived()
      assert.ok(arrived.length < segments.length / 5, `${arrived.length} of ${segments.length}`)
      assert.equal(arrived.flatMap(cut), segments)
      assert.is(road.counters[1]!.snapshot().rxFrames, segments.length)
    })
  }
}

test('where UDP is not offloaded, its datagrams arrive one by one and TCP still as superframes', () => {
  const road = new Road({}, ['uso', 'tso'])
  road.send([superframe(KINDS[0]![1], 1000), superframe(KINDS[2]![1], 1000)])
  road.turn()
  const types = road.arrived().map(({ gsoType }) => gsoType)
  assert.ok(types.includes(1))
  assert.not(types.includes(5))
  assert.is(types.filter((type) => type === 0).length >= 50, true)
})

test('an ordinary frame whose checksum was left out gets it', () => {
  const road = new Road({}, ['uso', 'off'])
  for (const inner of [{ payload: payload(333) }, { protocol: UDP, version: 6, payload: payload(60) }] as const) {
    road.send([superframe(inner, 0)])
    road.turn()
    assert.equal(
      road.arrived().map(({ bytes }) => bytes),
      [innerFrame(inner)],
    )
  }
})

test('a hundred superframes through an underlay that holds 256 packets: none is lost, in the middle or between', () => {
  const road = new Road({ sequence: true }, ['tso', 'tso'])
  const segments: Uint8Array[] = []
  const arrived: Super[] = []
  for (let i = 0; i < 100; i += 10) {
    const some = Array.from({ length: 10 }, (_, k) =>
      superframe({ sequence: (i + k) * 60_000, id: k * 50, payload: payload(60_000, i + k) }, 1400),
    )
    segments.push(...some.flatMap(cut))
    road.send(some)
    road.turn()
    arrived.push(...road.arrived())
  }
  assert.equal(arrived.flatMap(cut), segments)
  for (const counters of road.counters) assert.ok(counters.drops.every((count) => count === 0))
})

test('a superframe that is no TCP or UDP packet is dropped and counted, and the next one goes', () => {
  const road = new Road({}, ['uso', 'uso'])
  const good = superframe({ payload: payload(3000) }, 1000)
  const bad = { ...good, bytes: innerFrame({ payload: payload(3000) }) }
  bad.bytes[14] = 0x55 // IP version 5
  const batch = fill(new Batch(), [bad.bytes, good.bytes])
  batch.gsoType.fill(1, 0, 2)
  batch.gsoSize.fill(1000, 0, 2)
  road.users[0]!.write(batch, dropCounters())
  road.turn()
  assert.is(road.counters[0]!.snapshot().drops['too-big'], 1)
  assert.equal(road.arrived().flatMap(cut), cut(good))
})

/** A packet that the kernel put together on its way to us, or that never left this host: its TCP checksum is partial. */
function merged(size: number): { packet: Uint8Array; frame: Uint8Array } {
  const frame = innerFrame({ checksum: 'partial', flags: ACK | PSH, payload: payload(size) })
  return { packet: naiveEmitGre({ payload: frame }), frame }
}

function receiveMerged(offload: Offload, size: number, room = 1480): { arrived: Super[]; frame: Uint8Array } {
  const [user, overlay] = memoryPorts(1500, offload)
  const [network, underlay] = memoryPorts(65_000)
  const narrow: Port = {
    ...underlay,
    fd: -1,
    mtu: 1500,
    rooms: new Int32Array(MOST_PEERS).fill(room),
    read: underlay.read.bind(underlay),
    write() {},
    close() {},
  }
  const counters = new Counters()
  const pump = new Pump(overlay, narrow, settings(), counters)
  const { packet, frame } = merged(size)
  network.write(fill(new Batch(), [packet]), dropCounters())
  pump.receive(0)
  const batch = new Batch()
  const arrived: Super[] = []
  while (user.read(batch, dropCounters()) > 0) {
    contents(batch).forEach((bytes, i) => {
      arrived.push({ bytes, gsoType: batch.gsoType[i]!, gsoSize: batch.gsoSize[i]! })
    })
  }
  return { arrived, frame }
}

test('a merged packet of 64 KiB goes on as a superframe cut to what the tunnel carries', () => {
  const { arrived, frame } = receiveMerged('tso', 60_000)
  assert.equal(arrived, [{ bytes: frame, gsoType: 1, gsoSize: 1480 - 4 - 54 }])
})

test('a merged packet of 64 KiB is cut here where whole frames are wanted', () => {
  const { arrived, frame } = receiveMerged('off', 60_000)
  assert.equal(
    arrived.map(({ bytes }) => bytes),
    naiveSegments(frame, 1480 - 4 - 54, 1476),
  )
})

test('a merged packet is whole where its headers leave no room to cut it', () => {
  const { arrived } = receiveMerged('off', 700, 4 + 54)
  assert.is(arrived.length, 1)
})

test('a packet whose inner checksum was left to hardware gets it', () => {
  const { arrived } = receiveMerged('off', 700)
  assert.equal(
    arrived.map(({ bytes }) => bytes),
    [innerFrame({ flags: ACK | PSH, payload: payload(700) })],
  )
})

test('whole frames of every other kind pass between all levels of offload as they are', () => {
  for (const there of ['off', 'csum', 'tso', 'uso'] as const) {
    for (const here of ['off', 'csum', 'tso', 'uso'] as const) {
      const road = new Road({}, [there, here])
      const frames = Array.from({ length: BATCH_ENTRIES }, (_, i) => plainFrame(14 + i * 20, i))
      road.users[0]!.write(fill(new Batch(), frames), dropCounters())
      road.turn()
      assert.equal(receive(road.users[1]!), frames, `${there} to ${here}`)
    }
  }
})

test.run()
