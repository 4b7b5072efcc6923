// The ring between the pump's thread and the program: every record comes out as it went in, at every place of the ring and every
// alignment, or is counted as lost.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CaptureReader } from '#tsgre/tunnel/capture-reader.js'
import { captureMemory, FRAME, INNER, OUTER, RecordFields, RX, TX } from '#tsgre/tunnel/capture-record.js'
import { CaptureWriter } from '#tsgre/tunnel/capture-ring.js'
import { octets } from '#tsgre/wire/octets.js'
import { patternOf } from '../../rig/capture-pattern.js'
import { random } from '../../rig/random.js'

const ALL = { sides: INNER, dropsOnly: false, snaplen: 262144 }
const NOTHING = octets(new Uint8Array(4))

/** Both ends of a fresh ring whose first record begins at `position`. */
function ring(bytes: number, wants = ALL, position = 0) {
  const memory = captureMemory(wants, bytes)
  new Int32Array(memory, 0, 2).fill(position) // head and tail
  return { writer: new CaptureWriter(memory), reader: new CaptureReader(memory) }
}

function copyOf(reader: CaptureReader): Uint8Array {
  const bytes = new Uint8Array(reader.captured)
  reader.copyTo(bytes, 0)
  return bytes
}

function fields(given: Partial<RecordFields> = {}): RecordFields {
  return Object.assign(new RecordFields(), { kind: FRAME, direction: TX }, given)
}

test('gives a record back as it was put, its two parts as one', () => {
  const { writer, reader } = ring(4096)
  const source = octets(random(1).bytes(200))
  const record = fields({ direction: RX, drop: 18, flags: 3, peer: -1, tos: 0xb9, ttl: 255, segment: 1448 })
  record.time[0] = 1_700_000_000_123.25
  writer.put(record, source, 1, 7, source, 50, 151)
  assert.ok(reader.next())
  const { kind, direction, drop, flags, peer, tos, ttl, segment, original, captured } = reader
  assert.equal(
    { kind, direction, drop, flags, peer, tos, ttl, segment, original, captured },
    {
      kind: FRAME,
      direction: RX,
      drop: 18,
      flags: 3,
      peer: -1,
      tos: 0xb9,
      ttl: 255,
      segment: 1448,
      original: 108,
      captured: 108,
    },
  )
  assert.is(reader.time[0], 1_700_000_000_123.25)
  assert.equal(copyOf(reader), new Uint8Array([...source.bytes.subarray(1, 8), ...source.bytes.subarray(50, 151)]))
  assert.not.ok(reader.next())
})

test('keeps every octet at every alignment of both parts, and up to the very end of their memory', () => {
  const { writer, reader } = ring(4096)
  const source = octets(random(2).bytes(63)) // ends inside a word
  for (let from = 0; from < 8; from++) {
    for (let first = 0; first < 8; first++) {
      for (let start = 40; start <= 63; start++) {
        writer.put(fields(), source, from, first, source, start, 63)
        assert.ok(reader.next())
        const expected = [...source.bytes.subarray(from, from + first), ...source.bytes.subarray(start, 63)]
        assert.equal([...copyOf(reader)], expected, `${from} ${first} ${start}`)
      }
    }
  }
})

test('keeps records whole wherever in the ring they begin', () => {
  const source = octets(random(3).bytes(4096))
  for (let shift = 0; shift < 4096; shift += 8) {
    const { writer, reader } = ring(4096, ALL, shift)
    for (const size of [700, 1, 333, 64]) {
      writer.put(fields(), source, 8, 3, source, shift & 7, (shift & 7) + size)
      assert.ok(reader.next(), `${shift}`)
      assert.equal(copyOf(reader).subarray(3), source.bytes.subarray(shift & 7, (shift & 7) + size))
    }
  }
})

test('loses and counts what finds no room, whole, and takes records again when there is room', () => {
  const { writer, reader } = ring(4096)
  const source = octets(random(4).bytes(1000))
  for (let i = 0; i < 10; i++) writer.put(fields({ peer: i }), NOTHING, 0, 0, source, 0, 1000)
  assert.is(reader.lost, 7)
  for (let i = 0; i < 3; i++) {
    assert.ok(reader.next())
    assert.is(reader.peer, i)
    assert.equal(copyOf(reader), source.bytes)
  }
  assert.not.ok(reader.next())
  writer.put(fields({ peer: 99 }), NOTHING, 0, 0, source, 0, 1000)
  assert.ok(reader.next())
  assert.is(reader.peer, 99)
  assert.is(reader.lost, 7)
})

test('loses a record larger than the ring, and goes on', () => {
  const { writer, reader } = ring(4096)
  const source = octets(new Uint8Array(65536))
  writer.put(fields(), NOTHING, 0, 0, source, 0, 65536)
  assert.is(reader.lost, 1)
  writer.put(fields(), NOTHING, 0, 0, source, 0, 10)
  assert.ok(reader.next())
})

test('keeps what the snaplen says, of both parts together, and the length there was', () => {
  const source = octets(random(5).bytes(300))
  for (const snaplen of [1, 19, 20, 21, 100, 219, 220, 221]) {
    const { writer, reader } = ring(4096, { ...ALL, snaplen })
    writer.put(fields(), source, 3, 20, source, 100, 300)
    assert.ok(reader.next())
    assert.is(reader.original, 220)
    const whole = [...source.bytes.subarray(3, 23), ...source.bytes.subarray(100, 300)]
    assert.equal([...copyOf(reader)], whole.slice(0, snaplen))
  }
})

test('wants its side, and with dropsOnly what was dropped', () => {
  const both = ring(4096).writer
  assert.ok(both.wants(INNER, 0))
  assert.not.ok(both.wants(OUTER, 5))
  const { writer } = ring(4096, { ...ALL, sides: OUTER, dropsOnly: true })
  assert.not.ok(writer.wants(OUTER, 0))
  assert.ok(writer.wants(OUTER, 5))
  assert.not.ok(writer.wants(INNER, 5))
})

test('goes on where positions pass 2^32', () => {
  const { writer, reader } = ring(4096, ALL, -512)
  const source = octets(random(6).bytes(200))
  for (let i = 0; i < 20; i++) {
    writer.put(fields({ peer: i }), NOTHING, 0, 0, source, i, 200)
    assert.ok(reader.next())
    assert.is(reader.peer, i)
    assert.equal(copyOf(reader), source.bytes.subarray(i, 200))
  }
  assert.is(reader.lost, 0)
})

test('between two threads that do not wait, every record is whole and in order, or counted', async () => {
  const memory = captureMemory(ALL, 1 << 16)
  const reader = new CaptureReader(memory)
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL('../../rig/capture-writer.js', import.meta.url), { workerData: { memory, stop } })
  let written = -1
  worker.once('message', (count: number) => {
    written = count
  })
  const bytes = new Uint8Array(70_000)
  let [read, last] = [0, -1]
  // The last pass is one that began after the worker had told its count.
  for (let over = false, told = false; !over; told = written >= 0) {
    over = told
    for (let n = 0; n < 5000 && reader.next(); n++) {
      over = false
      const number = reader.time[0]
      assert.ok(number > last, `${number} after ${last}`)
      last = number
      reader.copyTo(bytes, 0)
      const { first, second } = patternOf(number)
      assert.is(reader.captured, first + second)
      for (let i = 0; i < reader.captured; i++) {
        if (bytes[i] !== ((number + i) & 0xff)) assert.unreachable(`record ${number}, octet ${i}`)
      }
      read++
    }
    if (read > 100_000 && reader.lost > 0) Atomics.store(stop, 0, 1)
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (worker.threadId > 0) await once(worker, 'exit')
  assert.is(read + reader.lost, written)
})

test.run()
