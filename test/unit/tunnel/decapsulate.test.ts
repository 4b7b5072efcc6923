// The rules of reception, R1 to R9: what becomes of each packet, in the order in which the checks stand.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP_REASONS, type DropReason, dropsByReason } from '#tsgre/drops.js'
import type { PumpSettings } from '#tsgre/tunnel/settings.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { contents, fill } from '../../rig/batches.js'
import { plainFrame } from '../../rig/frames.js'
import { naiveEmitGre } from '../../rig/naive/naive-gre.js'
import { settings } from '../../rig/settings.js'
import { receivingSide } from '../../rig/sides.js'

const FRAME = plainFrame(60)

interface Fields {
  checksum?: number
  key?: number
  sequence?: number
}

const packetOf = (fields: Fields = {}, payload: Uint8Array = FRAME) => naiveEmitGre({ ...fields, payload })

/** A copy with some octets changed. */
function changed(packet: Uint8Array, octets: Readonly<Record<number, number>>): Uint8Array {
  const copy = packet.slice()
  for (const [at, value] of Object.entries(octets)) copy[Number(at)] = value
  return copy
}

class Receiver {
  readonly counters = new Counters()
  readonly #side: ReturnType<typeof receivingSide>

  constructor(given: Partial<PumpSettings> = {}) {
    this.counters.reset()
    this.#side = receivingSide(settings({ reorder: { packets: 0, ms: 0 }, ...given }), this.counters)
  }

  /** What becomes of the packets: frames, and the drop reasons counted. */
  take(packets: readonly Uint8Array[], peer = 0, now = 0): { frames: Uint8Array[]; dropped: DropReason[] } {
    const before = dropsByReason(this.counters.drops)
    fill(this.#side.batch, packets, peer)
    const frames: Uint8Array[] = []
    this.#side.run(now, (opened) => frames.push(...contents(opened)))
    const after = dropsByReason(this.counters.drops)
    const dropped = DROP_REASONS.flatMap((reason) => Array<DropReason>(after[reason] - before[reason]).fill(reason))
    return { frames, dropped }
  }

  /** What becomes of one packet: 'frame' or the reason. */
  verdict(packet: Uint8Array, peer = 0, now = 0): string {
    const { frames, dropped } = this.take([packet], peer, now)
    assert.is(frames.length + dropped.length, 1)
    return dropped[0] ?? 'frame'
  }
}

test('takes the frame out of a packet, byte for byte, for every combination of C, K and S', () => {
  for (let bits = 0; bits < 8; bits++) {
    const fields = { ...(bits & 1 && { checksum: 0 }), ...(bits & 2 && { key: 42 }), ...(bits & 4 && { sequence: 9 }) }
    const receiver = new Receiver({ keyIn: bits & 2 ? 42 : undefined })
    assert.equal(receiver.take([packetOf(fields)]).frames, [FRAME], `combination ${bits}`)
  }
})

test('R1: drops a packet cut anywhere in its header or in the first 14 bytes behind it as truncated', () => {
  for (const fields of [{}, { key: 42 }, { checksum: 0 }, { checksum: 0, key: 42, sequence: 0 }]) {
    const packet = packetOf(fields, FRAME.subarray(0, 14))
    const receiver = new Receiver({ keyIn: 'key' in fields ? 42 : undefined })
    for (let size = 0; size < packet.length; size++) {
      assert.is(receiver.verdict(packet.subarray(0, size)), 'truncated', `${JSON.stringify(fields)}, ${size} bytes`)
    }
    assert.is(receiver.verdict(packet), 'frame')
  }
})

test('R2: drops every version but 0', () => {
  for (let version = 1; version < 8; version++) {
    assert.is(new Receiver().verdict(changed(packetOf(), { 1: version })), 'bad-version')
  }
})

test('R2: refuses version 1 before reading the key', () => {
  const receiver = new Receiver({ keyIn: 42 })
  assert.is(receiver.verdict(changed(packetOf({ key: 43 }), { 1: 1 })), 'bad-version')
  assert.is(receiver.counters.snapshot().lastWrongKey, undefined)
})

test('R3: drops the routing bit and bits 4 and 5', () => {
  for (const bit of [0x40, 0x08, 0x04]) {
    assert.is(new Receiver().verdict(changed(packetOf(), { 0: bit })), 'reserved-bits', bit.toString(16))
  }
})

test('R4: ignores bits 6 to 12', () => {
  const bits: [at: number, octet: number][] = [
    [0, 0x02],
    [0, 0x01],
    [1, 0x80],
    [1, 0x40],
    [1, 0x20],
    [1, 0x10],
    [1, 0x08],
  ]
  for (const [at, octet] of bits) {
    assert.is(new Receiver().verdict(changed(packetOf(), { [at]: octet })), 'frame', `octet ${at}: ${octet}`)
  }
})

test('R5: verifies a checksum that is there, whether or not checksums are sent', () => {
  for (const checksum of [true, false]) {
    const receiver = new Receiver({ checksum })
    const packet = packetOf({ checksum: 0 })
    assert.is(receiver.verdict(packet), 'frame')
    for (const at of [4, 5, 8, 20, packet.length - 1]) {
      assert.is(receiver.verdict(changed(packet, { [at]: packet[at] ^ 1 })), 'checksum', `octet ${at}`)
    }
    assert.is(receiver.verdict(packetOf()), 'frame', 'no checksum is accepted')
  }
})

test('R5: verifies checksums of odd and even lengths', () => {
  for (const size of [14, 15, 59, 60, 61, 1513, 1514]) {
    assert.is(new Receiver().verdict(packetOf({ checksum: 0 }, plainFrame(size))), 'frame', `${size} bytes`)
  }
})

test('R6: drops another protocol type', () => {
  assert.is(new Receiver().verdict(changed(packetOf(), { 2: 0x08, 3: 0x00 })), 'unknown-protocol')
  assert.is(new Receiver().verdict(changed(packetOf(), { 3: 0x59 })), 'unknown-protocol')
})

test('R7: drops what comes from none of ours before looking at it', () => {
  const receiver = new Receiver({ keyIn: 42 })
  assert.is(receiver.verdict(packetOf({ key: 43 }), -1), 'unknown-peer')
  assert.is(receiver.verdict(new Uint8Array(), -1), 'unknown-peer')
  assert.is(receiver.counters.snapshot().lastWrongKey, undefined)
})

test('R8: takes its own key only, and keeps the last wrong one', () => {
  const receiver = new Receiver({ keyIn: 42 })
  assert.is(receiver.verdict(packetOf({ key: 42 })), 'frame')
  assert.is(receiver.counters.snapshot().lastWrongKey, undefined)
  for (const key of [0, 43, 0xffff_ffff]) {
    assert.is(receiver.verdict(packetOf({ key })), 'key-mismatch')
    assert.is(receiver.counters.snapshot().lastWrongKey, key)
  }
  assert.is(receiver.verdict(packetOf()), 'key-mismatch')
  assert.is(receiver.counters.snapshot().lastWrongKey, 'none')
})

test('R8: no key and key 0 are two things, both ways', () => {
  assert.is(new Receiver({ keyIn: 0 }).verdict(packetOf({ key: 0 })), 'frame')
  assert.is(new Receiver({ keyIn: 0 }).verdict(packetOf()), 'key-mismatch')
  const keyless = new Receiver()
  assert.is(keyless.verdict(packetOf({ key: 0 })), 'key-mismatch')
  assert.is(keyless.counters.snapshot().lastWrongKey, 0)
})

test('R8: takes keys up to 4294967295', () => {
  assert.is(new Receiver({ keyIn: 0xffff_ffff }).verdict(packetOf({ key: 0xffff_ffff })), 'frame')
  assert.is(new Receiver({ keyIn: 0x8000_0000 }).verdict(packetOf({ key: 0x8000_0000 })), 'frame')
})

test('R8: counts a shortened packet of another key as key-mismatch, not as truncated or a wrong checksum', () => {
  const receiver = new Receiver({ keyIn: 42, checksum: true })
  const whole = packetOf({ checksum: 0, key: 43, sequence: 5 }, plainFrame(1514))
  for (const size of [70, 30, 16]) assert.is(receiver.verdict(whole.subarray(0, size)), 'key-mismatch', `${size} bytes`)
  assert.is(receiver.counters.snapshot().lastWrongKey, 43)
})

test('R9: with sequence drops what is older than the newest, and passes over gaps', () => {
  const receiver = new Receiver({ sequence: true })
  const verdicts = [0, 1, 3, 2, 3, 4].map((sequence) => receiver.verdict(packetOf({ sequence })))
  assert.equal(verdicts, ['frame', 'frame', 'frame', 'out-of-sequence', 'out-of-sequence', 'frame'])
})

test('R9: with sequence takes packets without a number', () => {
  const receiver = new Receiver({ sequence: true })
  assert.is(receiver.verdict(packetOf({ sequence: 7 })), 'frame')
  assert.is(receiver.verdict(packetOf()), 'frame')
  assert.is(receiver.verdict(packetOf({ sequence: 7 })), 'out-of-sequence')
})

test('R9: without sequence skips the number', () => {
  const receiver = new Receiver()
  for (const sequence of [5, 4, 5]) assert.is(receiver.verdict(packetOf({ sequence })), 'frame')
})

test('R9: lets the clock decide when a peer that starts again is believed', () => {
  const receiver = new Receiver({ sequence: true })
  assert.is(receiver.verdict(packetOf({ sequence: 900 }), 0, 5000), 'frame')
  assert.is(receiver.verdict(packetOf({ sequence: 0 }), 0, 5999), 'out-of-sequence')
  assert.is(receiver.verdict(packetOf({ sequence: 0 }), 0, 6000), 'frame')
})

test('does not let a packet it drops move the sequence', () => {
  const receiver = new Receiver({ sequence: true, keyIn: 42 })
  assert.is(receiver.verdict(packetOf({ key: 42, sequence: 1 })), 'frame')
  const bad = packetOf({ checksum: 0, key: 42, sequence: 1000 })
  assert.is(receiver.verdict(changed(bad, { 30: bad[30] ^ 1 })), 'checksum')
  assert.is(receiver.verdict(packetOf({ key: 43, sequence: 1000 })), 'key-mismatch')
  assert.is(receiver.verdict(packetOf({ key: 42, sequence: 1000 }).subarray(0, 20)), 'truncated')
  assert.is(receiver.verdict(packetOf({ key: 42, sequence: 2 })), 'frame')
})

test('names a packet with several faults by the first check it meets', () => {
  const receiver = new Receiver({ keyIn: 42, sequence: true })
  assert.is(receiver.verdict(packetOf({ key: 42, sequence: 50 })), 'frame')
  // version, reserved bits, protocol, key, length, checksum, sequence: each row mends the fault named before
  const late = packetOf({ checksum: 0, key: 42, sequence: 50 })
  const wrongSum = changed(late, { 4: late[4] ^ 1 })
  const short = wrongSum.subarray(0, 16 + 13)
  const wrongKey = changed(short, { 11: 43 })
  const wrongProtocol = changed(wrongKey, { 3: 0 })
  const reserved = changed(wrongProtocol, { 0: 0xb0 | 0x40 })
  const version = changed(reserved, { 1: 1 })
  const verdicts = [version, reserved, wrongProtocol, wrongKey, short, wrongSum, late].map((it) => receiver.verdict(it))
  assert.equal(verdicts, [
    'bad-version',
    'reserved-bits',
    'unknown-protocol',
    'key-mismatch',
    'truncated',
    'checksum',
    'out-of-sequence',
  ])
})

test('closes the gaps that drops leave, in order', () => {
  const frames = [60, 61, 62, 63].map((size) => plainFrame(size))
  const good = frames.map((frame) => packetOf({ key: 42 }, frame))
  const bad = packetOf({ key: 1 })
  const { frames: delivered, dropped } = new Receiver({ keyIn: 42 }).take([
    bad,
    good[0],
    good[1],
    bad,
    bad,
    good[2],
    good[3],
  ])
  assert.equal(delivered, frames)
  assert.equal(dropped, ['key-mismatch', 'key-mismatch', 'key-mismatch'])
})

test.run()
