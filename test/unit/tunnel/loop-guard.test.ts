// Loops of LANs, in a model of two to five of them, and the guard's rules one by one.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ALL_PEERS, FLOODED_A_SECOND, LoopGuard, MOVES_A_SECOND, REPEAT_MS } from '#tsgre/tunnel/loop-guard.js'
import { emitLoopProbe, loopProbe, parseLoopProbe } from '#tsgre/wire/loop-probe.js'
import { frame, Lans } from '../../rig/lan-model.js'

/** Hosts that left their LAN to another. */
function cut(lans: Lans): number[] {
  return lans.hosts.map((_, i) => i).filter((i) => lans.hosts[i]!.guard?.blockedAll)
}

function quiet(lans: Lans): boolean {
  const before = lans.carried
  lans.run(20)
  return lans.carried === before
}

test('without a guard a broadcast between joined LANs never ends', () => {
  const lans = new Lans([undefined, undefined, undefined])
  lans.join(0, 1)
  lans.broadcast(2, 500)
  assert.not(quiet(lans))
})

test('a broadcast ends, one of two joined hosts cuts itself off, and nobody receives anything twice', () => {
  for (const names of [
    [5, 9],
    [9, 5],
    [-1, 4, 8],
    [1, 2, 3, 4],
    [4, -3, 2, 1, 9],
  ]) {
    for (let sender = 0; sender < names.length; sender++) {
      const lans = new Lans(names)
      lans.join(0, 1)
      lans.broadcast(sender)
      lans.broadcast(sender, 100)
      lans.run(300)
      const about = `names ${names}, sender ${sender}`
      assert.ok(quiet(lans), about)
      const loser = names[0]! >>> 0 > names[1]! >>> 0 ? 0 : 1
      assert.equal(cut(lans), [loser], about)
      for (let i = 2; i < names.length; i++) assert.not(lans.hosts[i]!.guard!.blocked.includes(1), about)
      for (let from = 0; from < names.length; from++)
        assert.equal(lans.broadcast(from), Array(names.length).fill(1), `${about}, then ${from}`)
    }
  }
})

test('a host that talks much while others make a loop blocks nobody', () => {
  const lans = new Lans([5, 9, 1])
  lans.join(0, 1)
  for (let i = 0; i < 3000; i++) lans.broadcast(2, 1)
  lans.run(100)
  assert.equal(cut(lans), [1])
  assert.equal(
    lans.alarms.filter(({ host }) => host === 2),
    [],
  )
})

test('of three joined hosts one stays, and of two pairs one each', () => {
  const three = new Lans([7, 3, 9, 1, 2])
  three.join(0, 1, 2)
  three.broadcast(3)
  three.run(1000)
  assert.equal(cut(three), [0, 2])
  for (let from = 0; from < 5; from++) assert.equal(three.broadcast(from), [1, 1, 1, 1, 1], `from ${from}`)
})

test('once the second way is gone everything is set free, and stays so', () => {
  const lans = new Lans([5, 9, 1])
  lans.join(0, 1)
  lans.broadcast(2, 300)
  lans.run(200_000)
  assert.equal(cut(lans), [1], 'as long as the way is there')
  assert.ok(lans.carried < 5000, `${lans.carried} frames`)
  lans.join()
  lans.run(310_000)
  for (const { guard } of lans.hosts) assert.not(guard!.blocked.includes(1))
  for (let from = 0; from < 3; from++) assert.equal(lans.broadcast(from), [1, 1, 1])
  const frees = lans.alarms.filter(({ blocked }) => !blocked)
  assert.is(frees.length, lans.alarms.length / 2)
  lans.run(600_000)
  assert.is(lans.alarms.length, 2 * frees.length)
})

test('a loop that comes back within ten minutes is blocked for longer', () => {
  const lans = new Lans([5, 9])
  lans.join(0, 1)
  lans.broadcast(0, 300)
  lans.join()
  lans.run(60_000)
  assert.equal(cut(lans), [])
  lans.join(0, 1)
  const second = lans.now
  lans.broadcast(0, 300)
  lans.join()
  lans.run(1000_000)
  const last = lans.alarms.filter(({ blocked }) => !blocked).pop()!
  assert.ok(last.at - second > 59_000 && last.at - second < 66_000, `${last.at - second} ms`)
})

test('a peer that knows no loop probes is blocked, and the rest is not', () => {
  const lans = new Lans([5, undefined, 1])
  lans.join(0, 1)
  lans.broadcast(0, 500)
  assert.equal(cut(lans), [])
  assert.equal([...lans.hosts[0]!.guard!.blocked.subarray(0, 3)], [0, 1, 0])
  assert.ok(quiet(lans))
})

test('a machine that moves to another host, there and back, blocks nobody', () => {
  const lans = new Lans([5, 9, 1])
  const vm = [2, 9, 9, 9, 9, 9]
  for (let i = 0; i < 6; i++) {
    lans.flood(frame(vm, [255, 255, 255, 255, 255, 255], 1000 + i), i % 3)
    lans.run(700)
  }
  assert.equal(lans.alarms, [])
})

test('a router address that changes hands many times in a minute blocks nobody', () => {
  const lans = new Lans([5, 9])
  for (let i = 0; i < 600; i++) {
    lans.flood(frame([0, 0, 0x5e, 0, 1, 1], [1, 0, 0x5e, 0, 0, 18], 1000 + i), i % 2)
    lans.run(100)
  }
  assert.equal(lans.alarms, [])
})

/** A guard that has sent a probe because of a move at 0 ms, and that probe. */
function suspicious(): { guard: LoopGuard; probe: Uint8Array } {
  const guard = new LoopGuard(Int32Array.of(5, 5))
  assert.is(guard.next, Number.POSITIVE_INFINITY)
  guard.moved(3, 0)
  assert.is(guard.next, 0)
  guard.tick(0)
  assert.is(guard.batch.count, 1)
  const probe = guard.batch.memory.bytes.slice(0, guard.batch.length[0])
  guard.batch.clear()
  return { guard, probe }
}

/** `probe` with some of its fields changed. */
function changed(probe: Uint8Array, fields: object): Uint8Array {
  const record = loopProbe()
  assert.ok(parseLoopProbe(probe, 0, probe.length, record))
  const bytes = new Uint8Array(64)
  return bytes.subarray(0, emitLoopProbe(bytes, 0, { ...record, ...fields }))
}

test('believes its own probe alone: not another name, not a nonce it did not send, not an old one', () => {
  for (const fields of [{ sender0: 6 }, { sender1: 6 }, { nonce0: 0 }, { nonce1: 0 }]) {
    const { guard, probe } = suspicious()
    guard.heard(changed(probe, fields), 0, 60, 3, 1)
    assert.equal(guard.alarms, [])
  }
  const { guard, probe } = suspicious()
  guard.heard(probe, 0, 60, 3, 20_000)
  assert.equal(guard.alarms, [])
  guard.heard(probe, 0, 60, 3, 9000)
  assert.equal(guard.alarms, [{ peer: 3, blocked: true, at: 9000 }])
})

test('what was learnt is in doubt where a loop is proven, and where a probe of another comes by, once in a second', () => {
  const { guard, probe } = suspicious()
  guard.heard(probe, 0, 60, 3, 1)
  assert.ok(guard.doubt)
  const other = changed(probe, { sender0: 6 })
  const doubts = [100, 200, 1099, 1100, 1101].map((now) => {
    guard.doubt = false
    guard.heard(other, 0, 60, 4, now)
    return guard.doubt
  })
  assert.equal(doubts, [true, false, false, true, false])
  guard.doubt = false
  guard.carries(other, 0, 60, 3000)
  assert.ok(guard.doubt)
})

test('cuts itself off where its name is the greater of the two, as unsigned numbers', () => {
  const rivals: [number, number, boolean][] = [
    [0, 0, false],
    [4, 9, true],
    [5, 4, true],
    [5, 6, false],
    [6, 0, false],
    [-1, -1, false],
  ]
  for (const [carrier0, carrier1, all] of rivals) {
    const { guard, probe } = suspicious()
    guard.heard(changed(probe, { carrier0, carrier1 }), 0, 60, 3, 1)
    assert.is(guard.blockedAll, all, `${carrier0} ${carrier1}`)
    assert.equal([guard.blocked[3], guard.blocked[4]], [1, all ? 1 : 0])
    assert.is(guard.alarms.length, all ? 2 : 1)
    if (all) assert.is(guard.alarms[1]!.peer, ALL_PEERS)
  }
})

test('sends no more than ten probes a second, whatever moves', () => {
  const guard = new LoopGuard()
  let probes = 0
  for (let now = 0; now < 10_000; now++) {
    guard.moved(now % 128, now)
    guard.tick(now)
    probes += guard.batch.count
    guard.batch.clear()
  }
  assert.is(probes, 100)
})

test('asks once a second where the LAN sends so many frames to groups, and not where it sends fewer', () => {
  const guard = new LoopGuard(Int32Array.of(1, 2))
  const asked: number[] = []
  const flood = (count: number, now: number) => {
    for (let i = 0; i < count; i++) guard.flooded(now)
    if (now >= guard.next) guard.tick(now)
    if (guard.batch.count > 0) asked.push(now)
    guard.batch.clear()
  }
  for (let second = 0; second < 20; second++) flood(FLOODED_A_SECOND - 1, 1000 * second)
  assert.equal(asked, [])
  for (let now = 30_000; now < 33_000; now += 10) flood(FLOODED_A_SECOND, now)
  assert.equal(asked, [30_000, 31_000, 32_000])
})

test('carries probes of others, with its name, twenty a second, blocked or not; its own never', () => {
  const { guard, probe } = suspicious()
  const other = changed(probe, { sender0: 77 })
  assert.not(guard.carries(probe, 0, 60, 1))
  guard.heard(changed(probe, { carrier0: 1 }), 0, 60, 3, 1)
  assert.ok(guard.blockedAll)
  let carried = 0
  for (let i = 0; i < 1000; i++) if (guard.carries(other, 0, 60, 1 + i)) carried++
  assert.ok(carried >= 39 && carried <= 40, `${carried}`)
  const record = loopProbe()
  assert.ok(parseLoopProbe(other, 0, 60, record))
  assert.equal([record.carrier0, record.carrier1], [5, 5])
})

test('two tunnels in one LAN that are no peers ask once, and not each other for ever', () => {
  const guards = [new LoopGuard(), new LoopGuard()]
  let probes = 0
  guards[0]!.moved(0, 0)
  for (let now = 0; now < 4000; now += 50) {
    for (const [i, guard] of guards.entries()) {
      guard.tick(now)
      if (guard.batch.count === 0) continue
      probes++
      guards[1 - i]!.carries(guard.batch.memory.bytes, 0, 60, now)
      guard.batch.clear()
    }
  }
  assert.is(probes, 3)
})

test('too many moves in two seconds that follow are a loop without proof; in one they are not', () => {
  const guard = new LoopGuard()
  const move = (count: number, now: number) => {
    for (let i = 0; i < count; i++) guard.moved(2, now)
  }
  move(1000, 0)
  move(MOVES_A_SECOND, 1000)
  move(1000, 2000)
  move(1000, 9000)
  assert.equal(guard.alarms, [])
  move(MOVES_A_SECOND + 1, 10_000)
  assert.equal(guard.alarms, [{ peer: 2, blocked: true, at: 10_000 }])
  guard.tick(39_999)
  assert.is(guard.blocked[2], 1)
  guard.tick(40_000)
  assert.is(guard.blocked[2], 0)
})

test('asks every five seconds while something is blocked, and not afterwards', () => {
  const { guard, probe } = suspicious()
  guard.heard(probe, 0, 60, 3, 1)
  const asked: number[] = []
  for (let now = 1; now < 100_000; now += 1) {
    guard.tick(now)
    if (guard.batch.count > 0) asked.push(now)
    guard.batch.clear()
  }
  assert.ok(asked.length >= 6 && asked.length <= 7, asked.join())
  assert.is(asked[1]! - asked[0]!, REPEAT_MS)
})

test('a peer that is gone takes its block along', () => {
  const { guard, probe } = suspicious()
  guard.heard(probe, 0, 60, 3, 1)
  guard.forget(3)
  assert.is(guard.blocked[3], 0)
  guard.tick(REPEAT_MS + 1)
  assert.is(guard.next, Number.POSITIVE_INFINITY)
})

test.run()
