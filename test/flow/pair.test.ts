// Two tunnels joined in memory.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Batch } from '#tsgre/io/batch.js'
import { lossy } from '#tsgre/io/lossy.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import type { Port } from '#tsgre/io/port.js'
import { receive, send } from '../rig/batches.js'
import { DRIVERS, dropsOf, endOn, type Pair, pair, settle } from '../rig/ends.js'
import { plainFrame, taggedFrame } from '../rig/frames.js'
import { random } from '../rig/random.js'
import { mirrored, settings, VARIANTS } from '../rig/settings.js'

const total = (frames: readonly Uint8Array[]) => frames.reduce((sum, frame) => sum + frame.length, 0)

/** Sends `frames` there and back; checks bytes, counters and that nothing was dropped. */
async function pingPong({ a, b, settle }: Pair, frames: readonly Uint8Array[]): Promise<void> {
  send(a.overlay, frames)
  await settle()
  const arrived = receive(b.overlay)
  assert.equal(arrived, frames)
  send(b.overlay, arrived)
  await settle()
  assert.equal(receive(a.overlay), frames)
  for (const end of [a, b]) {
    const { txFrames, txBytes, rxFrames, rxBytes } = end.stats()
    const count = frames.length
    assert.equal([txFrames, txBytes, rxFrames, rxBytes], [count, total(frames), count, total(frames)])
    assert.equal(dropsOf(end), {})
  }
}

for (const driver of DRIVERS) {
  for (const [name, variant] of Object.entries(VARIANTS)) {
    test(`${driver}, ${name}: carries frames of 14 to 1518 bytes there and back, byte for byte`, async () => {
      const both = await pair(variant, { driver })
      await pingPong(both, [plainFrame(14), plainFrame(60), plainFrame(61), plainFrame(1514), taggedFrame(1518)])
      await both.close()
    })

    test(`${driver}, ${name}: carries frames of 65000 bytes there and back, byte for byte`, async () => {
      const both = await pair(variant, { driver, mtu: 65400 })
      await pingPong(both, [plainFrame(65000), plainFrame(14), plainFrame(65000, 1)])
      await both.close()
    })

    test(`${driver}, ${name}: carries 3000 frames both ways at once, in order`, async () => {
      const { a, b, settle, close } = await pair(variant, { driver })
      const frames = Array.from({ length: 3000 }, (_, i) => plainFrame(60 + (i % 50), i))
      const atA: Uint8Array[] = []
      const atB: Uint8Array[] = []
      for (let from = 0; from < frames.length; from += 200) {
        send(a.overlay, frames.slice(from, from + 200))
        send(b.overlay, frames.slice(from, from + 200))
        await settle()
        atA.push(...receive(a.overlay))
        atB.push(...receive(b.overlay))
      }
      assert.equal(atA, frames)
      assert.equal(atB, frames)
      await close()
    })
  }
}

/** Counts what `port` hands out. */
function counted(port: Port): Port & { entries: number } {
  const counting = {
    fd: port.fd,
    mtu: port.mtu,
    entries: 0,
    read: (into: Batch, drops: Float64Array) => {
      const count = port.read(into, drops)
      counting.entries += count
      return count
    },
    write: port.write.bind(port),
    ...(port.watch && { watch: port.watch.bind(port) }),
    close: port.close.bind(port),
  }
  return counting
}

/** Sends 5000 numbered frames over a bad underlay; returns the numbers that came, and how many packets came. */
async function overBadUnderlay(sequence: boolean, seed: number, packets = 0) {
  const source = random(seed)
  const share = { lose: 0.05, repeat: 0.05, swap: 0.1, random: () => source.word() / 2 ** 32 }
  let seen: ReturnType<typeof counted> | undefined
  const spoil = (port: Port) => {
    seen = counted(lossy(port, share))
    return seen
  }
  const { a, b, settle, close } = await pair(
    { sequence, reorder: { packets, ms: 10 } },
    { driver: packets === 0 ? 'Pump' : 'runTunnel', spoil },
  )
  const numbers: number[] = []
  for (let from = 0; from < 5000; from += 100) {
    const frames = Array.from({ length: 100 }, (_, i) => {
      const frame = plainFrame(60)
      new DataView(frame.buffer).setUint32(20, from + i)
      return frame
    })
    send(a.overlay, frames)
    await settle()
    numbers.push(...receive(b.overlay).map((frame) => new DataView(frame.buffer).getUint32(20)))
  }
  if (packets > 0) await sleep(30) // nothing is held any longer
  numbers.push(...receive(b.overlay).map((frame) => new DataView(frame.buffer).getUint32(20)))
  await close()
  return { numbers, packets: seen!.entries, stats: b.stats() }
}

const isRising = (numbers: readonly number[]) => numbers.every((number, i) => i === 0 || number > numbers[i - 1])

test('a bad underlay without sequence: what comes is delivered as it comes', async () => {
  const { numbers, packets, stats } = await overBadUnderlay(false, 5)
  assert.is(numbers.length, packets)
  assert.not(isRising(numbers))
  assert.ok(new Set(numbers).size < numbers.length, 'repeats come twice')
  assert.is(stats.drops['out-of-sequence'], 0)
})

test('a bad underlay with sequence and a buffer: what was swapped is put in order, and none of it dropped', async () => {
  const { numbers, packets, stats } = await overBadUnderlay(true, 5, 64)
  const without = await overBadUnderlay(true, 5)
  assert.ok(isRising(numbers))
  assert.ok(numbers.length > without.numbers.length + 100, `${numbers.length}, ${without.numbers.length} without`)
  assert.is(numbers.length, new Set(numbers).size)
  assert.is(numbers.length + stats.drops['out-of-sequence'], packets)
})

test('a bad underlay with sequence: what is delivered is in order, and the rest is counted', async () => {
  const { numbers, packets, stats } = await overBadUnderlay(true, 5)
  assert.ok(isRising(numbers))
  assert.ok(numbers.length > 4000, `${numbers.length} of 5000`)
  assert.ok(stats.drops['out-of-sequence'] > 300)
  assert.is(stats.rxFrames, numbers.length)
  assert.is(numbers.length + stats.drops['out-of-sequence'], packets)
})

test('a peer that starts again at 0 is heard after 15 lost packets, or at once after a second', async () => {
  const [left, right] = memoryPorts()
  const mine = settings({ sequence: true })
  const b = await endOn('Pump', mirrored(mine), right)
  // Each peer is a new tunnel on the same underlay port.
  const heard = async (count: number, now: number) => {
    const a = await endOn('Pump', mine, left)
    const frames = Array.from({ length: count }, (_, i) => plainFrame(60 + i))
    send(a.overlay, frames)
    await settle([a, b], now)
    return receive(b.overlay).map((frame) => frame.length - 60)
  }
  assert.is((await heard(40, 100)).length, 40)
  assert.equal(await heard(20, 200), [15, 16, 17, 18, 19])
  assert.equal(dropsOf(b), { 'out-of-sequence': 15 })
  assert.equal(await heard(3, 1199), [])
  assert.equal(await heard(3, 1200), [0, 1, 2])
})

test('another key: nothing is delivered, all is counted, the key is shown', async () => {
  for (const [keyOut, keyIn, shown] of [
    [42, 43, 42],
    [0, undefined, 0],
    [undefined, 0, 'none'],
    [0xffff_ffff, 0x7fff_ffff, 0xffff_ffff],
  ] as const) {
    const { a, b, settle, close } = await pair({ keyOut }, { other: { keyIn } })
    send(a.overlay, [plainFrame(60), plainFrame(1514)])
    await settle()
    assert.equal(receive(b.overlay), [])
    assert.equal(dropsOf(b), { 'key-mismatch': 2 })
    assert.is(b.stats().lastWrongKey, shown)
    assert.is(a.stats().txFrames, 2)
    await close()
  }
})

test('a checksum only one end sends is verified by the other, which sends none', async () => {
  const { a, b, settle, close } = await pair({ checksum: true }, { other: { checksum: false } })
  send(a.overlay, [plainFrame(61)])
  send(b.overlay, [plainFrame(62)])
  await settle()
  assert.equal(receive(b.overlay), [plainFrame(61)])
  assert.equal(receive(a.overlay), [plainFrame(62)])
  await close()
})

/** Stands before a port and lets one batch through each time it is opened. */
function gate(port: Port): Port & { open(): void } {
  let admitted = 0
  let wake = () => {}
  return {
    ...counted(port),
    read: (into, drops) => {
      if (admitted === 0) return 0
      admitted--
      return port.read(into, drops)
    },
    watch: (itsWake) => {
      wake = itsWake
      port.watch?.(itsWake)
    },
    open: () => {
      admitted = 1
      wake()
    },
  }
}

for (const driver of DRIVERS) {
  test(`${driver}: an underlay that takes packets too slowly holds frames back and loses none`, async () => {
    let slow: ReturnType<typeof gate> | undefined
    const spoil = (port: Port) => {
      slow = gate(port)
      return slow
    }
    const { a, b, settle, close } = await pair({ sequence: true, keyIn: 1, keyOut: 1 }, { driver, spoil })
    const frames = Array.from({ length: 2000 }, (_, i) => plainFrame(60 + (i % 7), i))
    const arrived: Uint8Array[] = []
    let sent = 0
    let fullRounds = 0
    for (let round = 0; arrived.length < frames.length && round < 100; round++) {
      const taken = send(a.overlay, frames.slice(sent, sent + 300))
      if (taken === 0) fullRounds++
      sent += taken
      await settle()
      slow?.open()
      await settle()
      arrived.push(...receive(b.overlay))
    }
    assert.equal(arrived, frames)
    assert.ok(fullRounds > 5, 'the overlay was not read while the underlay was full')
    assert.equal([dropsOf(a), dropsOf(b)], [{}, {}])
    await close()
  })
}

test('an overlay that takes frames too slowly is not waited for: the rest is counted', async () => {
  const { a, b, settle, close } = await pair()
  for (let i = 0; i < 5; i++) {
    send(
      a.overlay,
      Array.from({ length: 100 }, () => plainFrame(60)),
    )
    await settle()
  }
  assert.is(receive(b.overlay).length, 256)
  assert.equal(dropsOf(b), { 'queue-full': 244 })
  assert.is(b.stats().rxFrames, 256)
  await close()
})

test.run()
