// One pump with several peers on memory ports: what goes to whom, with whose key, and what is taken from each.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dropCounters } from '#tsgre/drops.js'
import { Batch } from '#tsgre/io/batch.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import { Neighbours } from '#tsgre/tunnel/neighbours.js'
import { Peers } from '#tsgre/tunnel/peers.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import type { PeerSettings, PumpSettings } from '#tsgre/tunnel/settings.js'
import { Counters, type TunnelStats } from '#tsgre/tunnel/stats.js'
import { isLoopProbe, writeCarrier } from '#tsgre/wire/loop-probe.js'
import { contents, fill } from '../rig/batches.js'
import { plainFrame } from '../rig/frames.js'
import { naiveEmitGre, naiveParseGre } from '../rig/naive/naive-gre.js'
import { settings } from '../rig/settings.js'

const BROADCAST = [255, 255, 255, 255, 255, 255]
const mac = (last: number) => [2, 0, 0, 0, 0, last]

function frame(to: readonly number[], from: readonly number[], size = 60, seed = 0): Uint8Array {
  const bytes = plainFrame(size, seed)
  bytes.set(to, 0)
  bytes.set(from, 6)
  return bytes
}

function peer(number: number, given: Partial<PeerSettings> = {}): PeerSettings {
  const { keyIn, keyOut, checksum, receiveChecksum, sequence } = settings()
  const remote = Uint8Array.of(192, 0, 2, 10 + number)
  return { keyIn, keyOut, checksum, receiveChecksum, sequence, remote, ...given }
}

class Ends {
  readonly counters = new Counters()
  readonly pump: Pump
  /** Whether neither side has room now. */
  full = false
  readonly #user
  readonly #network

  constructor(peers: readonly PeerSettings[], given: Partial<PumpSettings> = {}) {
    const [user, overlay] = memoryPorts()
    const [underlay, network] = memoryPorts(1600)
    this.#user = user
    this.#network = network
    this.counters.reset()
    for (const port of [underlay, overlay]) {
      const write = port.write.bind(port)
      port.write = (from, drops) => {
        if (!this.full) write(from, drops)
      }
    }
    this.pump = new Pump(overlay, underlay, settings({ ...given, peers }), this.counters)
  }

  /** What goes out for frames of the overlay: by packet its peer, its key and its frame. */
  send(frames: readonly Uint8Array[], now = 1): { peer: number; key: number | undefined; frame: Uint8Array }[] {
    this.#user.write(fill(new Batch(), frames), dropCounters())
    this.pump.transmit(now)
    const batch = new Batch()
    this.#network.read(batch, dropCounters())
    return contents(batch).map((packet, i) => {
      const parsed = naiveParseGre(packet)
      if (typeof parsed === 'string') throw new Error(parsed)
      return { peer: batch.peer[i]!, key: parsed.key, frame: parsed.payload }
    })
  }

  /** What comes into the overlay of packets from a peer. */
  receive(from: number, packets: readonly Uint8Array[], now = 1): Uint8Array[] {
    this.#network.write(fill(new Batch(), packets, from), dropCounters())
    this.pump.receive(now)
    this.pump.tick(now)
    const batch = new Batch()
    this.#user.read(batch, dropCounters())
    return contents(batch)
  }

  get stats(): TunnelStats {
    return this.counters.snapshot()
  }
}

const packet = (payload: Uint8Array, fields: object = {}) => naiveEmitGre({ ...fields, payload })

test('what is not known goes to every peer, with the key of each, and the frame is the same', () => {
  const ends = new Ends([peer(0), peer(1, { keyOut: 7 }), peer(2, { keyOut: 8, checksum: true, sequence: true })])
  for (const to of [BROADCAST, [3, 0, 0, 0, 0, 9], mac(9)]) {
    const given = frame(to, mac(1))
    const sent = ends.send([given])
    assert.equal(
      sent.map(({ peer, key }) => [peer, key]),
      [
        [0, undefined],
        [1, 7],
        [2, 8],
      ],
    )
    for (const one of sent) assert.equal(one.frame, given)
  }
})

test('what is learnt goes to its peer alone, what is on this side to nobody, and a peer hears nothing of another', () => {
  const ends = new Ends([peer(0), peer(1), peer(2)])
  assert.is(ends.receive(1, [packet(frame(BROADCAST, mac(9)))]).length, 1)
  assert.equal(ends.send([]), [], 'split horizon')
  assert.equal(
    ends.send([frame(mac(9), mac(1))]).map((one) => one.peer),
    [1],
  )
  assert.equal(ends.send([frame(mac(1), mac(2))]), [])
  assert.is(ends.stats.drops['same-side'], 1)
  // It moves to another peer, and then to this side.
  ends.receive(2, [packet(frame(BROADCAST, mac(9)))])
  assert.equal(
    ends.send([frame(mac(9), mac(1))]).map((one) => one.peer),
    [2],
  )
  ends.send([frame(BROADCAST, mac(9))])
  assert.equal(ends.send([frame(mac(9), mac(1))]), [])
})

test('each peer has its own key and rule of checksums; what is wrong is counted as that peer’s', () => {
  const ends = new Ends([
    peer(0, { keyIn: 5 }),
    peer(1, { receiveChecksum: 'require' }),
    peer(2, { receiveChecksum: 'forbid' }),
  ])
  const one = frame(BROADCAST, mac(9))
  const plain = packet(one)
  const keyed = packet(one, { key: 5 })
  const summed = packet(one, { checksum: 0 })
  const taken = [0, 1, 2].map((from) => [plain, keyed, summed].map((it) => ends.receive(from, [it], 1 + from).length))
  assert.equal(taken, [
    [0, 1, 0],
    [0, 0, 1],
    [1, 0, 0],
  ])
  const { drops, lastWrongKey } = ends.stats
  assert.equal([drops['key-mismatch'], drops.checksum, lastWrongKey], [4, 2, 5])
  const peers = [0, 1, 2].map((number) => ({ peer: number, remote: '', keyOut: undefined, keyIn: undefined }))
  const seen = peers.map((identity) => ends.counters.peers.snapshot(identity, ends.counters.drops, 0))
  assert.equal(
    seen.map(({ rxFrames, drops, lastWrongKey }) => [rxFrames, drops['key-mismatch'], drops.checksum, lastWrongKey]),
    [
      [1, 2, 0, 'none'],
      [1, 1, 1, 5],
      [1, 1, 1, 5],
    ],
  )
})

test('peers come and go while it runs; what was learnt of one that goes is forgotten', () => {
  const ends = new Ends([peer(0), peer(1)])
  ends.receive(1, [packet(frame(BROADCAST, mac(9)))])
  ends.pump.command({ kind: 'peer', peer: 1, settings: undefined, way: undefined })
  assert.equal(
    ends.send([frame(mac(9), mac(1))]).map((one) => one.peer),
    [0],
  )
  assert.is(ends.receive(1, [packet(frame(BROADCAST, mac(8)), { key: 3 })]).length, 0)
  ends.pump.command({ kind: 'peer', peer: 1, settings: peer(3, { keyOut: 4, keyIn: 4 }), way: undefined })
  assert.equal(
    ends.send([frame(BROADCAST, mac(1))]).map((one) => [one.peer, one.key]),
    [
      [0, undefined],
      [1, 4],
    ],
  )
  for (const number of [0, 1]) ends.pump.command({ kind: 'peer', peer: number, settings: undefined, way: undefined })
  assert.equal(ends.send([frame(BROADCAST, mac(1))]), [])
  assert.is(ends.stats.drops['peer-down'], 1)
})

test('what goes to all is limited, what is known is not', () => {
  const ends = new Ends([peer(0), peer(1)], { floodLimit: 100 })
  ends.receive(1, [packet(frame(BROADCAST, mac(9)))])
  const sent = ends.send(
    Array.from({ length: 50 }, () => frame(BROADCAST, mac(1))),
    10,
  )
  assert.is(sent.length, 2 * 10)
  assert.is(ends.stats.drops['flood-limit'], 40)
  assert.is(
    ends.send(
      Array.from({ length: 50 }, () => frame(mac(9), mac(1))),
      10,
    ).length,
    50,
  )
})

test('packets of each peer are put into order by themselves, and wait no longer than they may', () => {
  const sequenced = { sequence: true }
  const ends = new Ends([peer(0, sequenced), peer(1, sequenced)], { reorder: { packets: 4, ms: 10 } })
  const numbered = (sequence: number) => packet(frame(BROADCAST, mac(9), 60, sequence), { sequence })
  const order = (frames: Uint8Array[]) =>
    frames.map((it) => [0, 1, 2, 3, 4, 5].find((seed) => it[20] === frame(BROADCAST, mac(9), 60, seed)[20]))
  assert.equal(order(ends.receive(0, [0, 2, 3, 1].map(numbered), 100)), [0, 1, 2, 3])
  assert.equal(order(ends.receive(1, [0, 1].map(numbered), 100)), [0, 1])
  assert.equal(ends.receive(0, [numbered(5)], 200), [])
  assert.ok(ends.pump.due(200) <= 10)
  assert.equal(order(ends.receive(0, [], 211)), [5])
  assert.is(ends.receive(0, [numbered(4)], 212).length, 0)
  assert.is(ends.stats.drops['out-of-sequence'], 1)
})

test('where numbers come to count while it runs, packets are put into order, too', () => {
  const ends = new Ends([peer(0)])
  const settings = peer(0, { sequence: true })
  ends.pump.command({ kind: 'peer', peer: 0, settings, way: undefined })
  const frames = [0, 1, 2, 3].map((seed) => frame(BROADCAST, mac(9), 1514, seed))
  const packets = [0, 2, 1, 3].map((sequence) => packet(frames[sequence]!, { sequence }))
  assert.equal(ends.receive(0, packets), frames)
  assert.is(ends.stats.drops['out-of-sequence'], 0)
})

/** Has the guard of `ends` prove that this LAN is joined with another, whose tsgre has the smaller name: it leaves to that one. */
function leaveLan(ends: Ends): void {
  ends.send([frame(BROADCAST, mac(1))])
  const seen = ends.receive(0, [packet(frame(BROADCAST, mac(1)))])
  const probe = seen.find((bytes) => isLoopProbe(bytes, 0, bytes.length))!
  writeCarrier(probe, 0, 0, 1)
  ends.receive(0, [packet(probe)], 2)
}

test('while this LAN is left to another, a remote that is new or changed has it left to it, too', () => {
  const ends = new Ends([peer(0), peer(1)], { loopGuard: true })
  leaveLan(ends)
  assert.ok(ends.counters.leftLan)
  assert.equal(ends.send([frame(BROADCAST, mac(2))], 3), [])
  for (const number of [0, 2]) {
    ends.pump.command({ kind: 'peer', peer: number, settings: peer(number, { keyIn: 3 }), way: undefined })
    ends.pump.tick(4)
    assert.equal(ends.send([frame(BROADCAST, mac(2))], 5), [])
    assert.equal(ends.receive(number, [packet(frame(BROADCAST, mac(9)), { key: 3 })], 6), [])
    assert.is(ends.counters.peers.blocked[number], 1)
  }
})

test('what comes on a way that the loop guard has shut is not delivered, whatever else is wrong with that way', () => {
  const ends = new Ends([peer(0), peer(1)], { loopGuard: true })
  leaveLan(ends)
  ends.pump.command({ kind: 'pause', peer: 0, paused: true })
  assert.equal(ends.receive(0, [packet(frame(BROADCAST, mac(9)))], 3), [])
})

test('of what a peer sent counts as received what the overlay has taken', () => {
  const ends = new Ends([peer(0), peer(1)])
  const from1 = () => ends.counters.peers.received.slice(2, 4)
  ends.receive(1, [packet(frame(BROADCAST, mac(9), 100))])
  assert.equal([...from1()], [1, 100])
  ends.full = true
  ends.receive(1, [packet(frame(BROADCAST, mac(9), 100))])
  assert.equal([...from1()], [1, 100])
  assert.is(ends.stats.rxFrames, 1)
})

test('what waits for room when its remote goes or changes is sent to nobody; the others have theirs', () => {
  const ends = new Ends([peer(0), peer(1), peer(2)])
  ends.full = true
  const given = [1, 2, 3].map((seed) => frame(BROADCAST, mac(1), 60, seed))
  ends.send(given)
  assert.ok(ends.pump.blocked)
  ends.pump.command({ kind: 'peer', peer: 1, settings: undefined, way: undefined })
  ends.pump.command({ kind: 'peer', peer: 2, settings: peer(4, { keyOut: 4 }), way: undefined })
  ends.full = false
  assert.equal(
    ends.send([]).map(({ peer, frame }) => [peer, frame]),
    given.map((frame) => [0, frame]),
  )
  assert.is(ends.stats.drops['peer-down'], 6)
  assert.is(ends.send([frame(BROADCAST, mac(1))]).length, 2)
})

test('a pause belongs to the address: it outlasts other settings, and not another address', () => {
  const ends = new Ends([peer(0), peer(1)])
  const goesTo = () => ends.send([frame(BROADCAST, mac(1))]).map((one) => one.peer)
  ends.pump.command({ kind: 'pause', peer: 1, paused: true })
  ends.pump.command({ kind: 'peer', peer: 1, settings: peer(1, { keyOut: 4 }), way: undefined })
  assert.equal(goesTo(), [0])
  ends.pump.command({ kind: 'peer', peer: 1, settings: peer(3), way: undefined })
  assert.equal(goesTo(), [0, 1])
  ends.pump.command({ kind: 'pause', peer: undefined, paused: true })
  assert.equal(goesTo(), [])
})

test('which sizes pass is asked of those that frames go to', () => {
  const counters = new Counters()
  counters.reset()
  const mine = settings({ probe: true, peers: [peer(0), peer(1), peer(2)] })
  const peers = new Peers(mine)
  const neighbours = new Neighbours(mine, peers, counters)
  peers.served[1] = 1
  neighbours.busy()
  assert.equal(
    [0, 1, 2].map((number) => neighbours.conversations[number]!.prober.busy),
    [false, true, false],
  )
})

test.run()
