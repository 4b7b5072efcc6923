// One pump with several peers on memory ports: what goes to whom, with whose key, and what is taken from each.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dropCounters } from '#tsgre/drops.js'
import { Batch } from '#tsgre/io/batch.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import type { PeerSettings, PumpSettings } from '#tsgre/tunnel/settings.js'
import { Counters, type TunnelStats } from '#tsgre/tunnel/stats.js'
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
  readonly #user
  readonly #network

  constructor(peers: readonly PeerSettings[], given: Partial<PumpSettings> = {}) {
    const [user, overlay] = memoryPorts()
    const [underlay, network] = memoryPorts(1600)
    this.#user = user
    this.#network = network
    this.counters.reset()
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

test.run()
