// The forwarding database: its rules one by one, fairness, floods, and all of it against the naive twin. TSGRE_SEED repeats a run.

import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Fdb, IGNORED, MOVED, NEW, SAME, UNKNOWN } from '#tsgre/tunnel/fdb.js'
import { CHAIN, FdbMemory, LOCAL, RECORD } from '#tsgre/tunnel/fdb-memory.js'
import { FdbReader } from '#tsgre/tunnel/fdb-reader.js'
import { NaiveFdb } from '../../rig/naive/naive-fdb.js'
import { random } from '../../rig/random.js'

const OFFSET = 5

/** The address 02:…:number, at OFFSET. */
function mac(number: number): Uint8Array {
  const bytes = new Uint8Array(OFFSET + 6)
  bytes[OFFSET] = 2
  new DataView(bytes.buffer).setUint32(OFFSET + 2, number)
  return bytes
}

class Table {
  readonly fdb: Fdb
  readonly reader: FdbReader

  constructor(entries = 64, ageing = 300_000) {
    this.fdb = new Fdb(FdbMemory.of(entries), ageing)
    this.reader = new FdbReader(this.fdb.memory)
  }

  learn(number: number, port: number, now = 0): number {
    return this.fdb.learn(mac(number), OFFSET, port, now)
  }

  lookup(number: number, now = 0): number {
    return this.fdb.lookup(mac(number), OFFSET, now)
  }

  /** Numbers of the addresses that stand behind a port. */
  behind(port: number, now = 0): number[] {
    const entries = this.reader.entries(now).filter((entry) => entry.port === port)
    return entries.map(({ mac }) => Number.parseInt(mac.replaceAll(':', '').slice(4), 16)).sort((a, b) => a - b)
  }
}

test('knows where a sender was seen, on this side and behind peers', () => {
  const table = new Table()
  assert.is(table.lookup(1), UNKNOWN)
  for (const port of [LOCAL, 0, 127]) assert.is(table.learn(port + 10, port), NEW)
  for (const port of [LOCAL, 0, 127]) assert.is(table.lookup(port + 10), port)
  assert.is(table.learn(10, 0), SAME)
  assert.is(table.fdb.size, 3)
})

test('says from where an address moved, once for every move', () => {
  const table = new Table()
  table.learn(1, LOCAL)
  assert.is(table.learn(1, 5), MOVED)
  assert.is(table.fdb.movedFrom, LOCAL)
  assert.is(table.learn(1, 5), SAME)
  assert.is(table.learn(1, LOCAL), MOVED)
  assert.is(table.fdb.movedFrom, 5)
  assert.is(table.lookup(1), LOCAL)
  assert.equal([table.fdb.count(LOCAL), table.fdb.count(5)], [1, 0])
})

test('is not misled by what it remembers of the last sender of a port', () => {
  const table = new Table(2)
  table.learn(1, 0)
  table.learn(1, 1)
  assert.is(table.learn(1, 0), MOVED)
  table.fdb.flush(0)
  assert.is(table.learn(1, 0), NEW)
  table.learn(2, 1)
  table.learn(3, 1) // in the place of 2
  assert.is(table.learn(2, 1), NEW)
  table.fdb.flushAll()
  assert.is(table.lookup(2), UNKNOWN)
  assert.is(table.lookup(3), UNKNOWN)
})

test('learns no group address and no address of zeros, and finds none', () => {
  const table = new Table()
  for (const octets of [[1, 0, 0x5e, 0, 0, 1], Array(6).fill(255), [3, 0, 0, 0, 0, 1], Array(6).fill(0)]) {
    assert.is(table.fdb.learn(Uint8Array.from(octets), 0, 3, 0), IGNORED)
    assert.is(table.fdb.lookup(Uint8Array.from(octets), 0, 0), UNKNOWN)
  }
  assert.is(table.fdb.size, 0)
  assert.is(table.fdb.learn(Uint8Array.of(0, 0, 0, 0, 0, 1), 0, 3, 0), NEW)
  assert.is(table.fdb.learn(new Uint8Array(6), 0, 3, 0), IGNORED)
})

test('forgets after 300 s of silence, and what was heard meanwhile is younger', () => {
  const table = new Table()
  table.learn(1, 0, 0)
  table.learn(2, 0, 0)
  table.learn(2, 0, 250_000)
  assert.is(table.lookup(1, 299_999), 0)
  assert.is(table.lookup(1, 300_000), UNKNOWN)
  assert.is(table.lookup(2, 300_000), 0)
  assert.equal(table.reader.entries(301_234), [{ mac: '02:00:00:00:00:02', port: 0, age: 51 }])
  assert.is(table.fdb.size, 2)
  assert.is(table.fdb.age(300_000), 1)
  assert.is(table.fdb.size, 1)
})

test('an address that comes back after it was forgotten is new, and has not moved', () => {
  const table = new Table()
  table.learn(1, 0, 0)
  assert.is(table.learn(1, LOCAL, 300_000), NEW)
  assert.is(table.learn(1, LOCAL, 600_001), NEW)
})

test('forgets no more at once than it is asked to, and all in the end', () => {
  const table = new Table()
  for (let i = 0; i < 60; i++) table.learn(i, i % 7, i)
  table.learn(60, 3, 400_000)
  for (let left = 60; left > 0; left -= 20) {
    assert.is(table.fdb.age(400_000, 20), 20)
    assert.is(table.fdb.size, 1 + left - 20)
  }
  assert.is(table.fdb.age(400_000, 20), 0)
  assert.equal(table.behind(3, 400_000), [60])
})

test('forgets one port, or all', () => {
  const table = new Table()
  for (let i = 0; i < 30; i++) table.learn(i, (i % 3) - 1)
  table.fdb.flush(1)
  assert.equal([table.reader.count(LOCAL), table.reader.count(0), table.reader.count(1)], [10, 10, 0])
  assert.is(table.lookup(2), UNKNOWN)
  assert.is(table.lookup(1), 0)
  table.fdb.flushAll()
  assert.is(table.fdb.size, 0)
  assert.equal(table.reader.entries(0), [])
  for (let i = 0; i < 64; i++) assert.is(table.learn(i, 0), NEW)
  assert.is(table.fdb.size, 64)
})

test('a flood of one port pushes out its own oldest, and nothing of those who hold less', () => {
  const table = new Table(64)
  for (let i = 0; i < 10; i++) table.learn(i, LOCAL)
  for (let i = 10; i < 30; i++) table.learn(i, 1)
  for (let i = 1000; i < 5000; i++) table.learn(i, 7)
  assert.is(table.fdb.count(LOCAL), 10)
  assert.is(table.fdb.count(1), 20)
  assert.equal(
    table.behind(7),
    Array.from({ length: 34 }, (_, i) => 4966 + i),
  )
})

test('who comes late gets a fair share of a table that others filled', () => {
  const table = new Table(60)
  for (let i = 0; i < 1000; i++) table.learn(i, 1)
  for (let i = 1000; i < 2000; i++) table.learn(i, 2)
  for (let i = 2000; i < 2005; i++) table.learn(i, LOCAL)
  for (let i = 3000; i < 4000; i++) for (const port of [1, 2, 3]) table.learn(10 * i + port, port)
  assert.is(table.fdb.count(LOCAL), 5)
  for (const port of [1, 2, 3]) assert.ok(Math.abs(table.fdb.count(port) - 55 / 3) <= 1, `${table.fdb.count(port)}`)
})

test('no port falls below its fair share, whoever floods', () => {
  const source = random(Number(process.env.TSGRE_SEED ?? 31))
  const table = new Table(64)
  const quiet = 64 / 8
  for (let i = 0; i < quiet; i++) table.learn(i, LOCAL)
  for (let i = 0; i < 20_000; i++) table.learn(1000 + source.word() / 16, source.below(7))
  assert.is(table.fdb.size, 64)
  assert.is(table.fdb.count(LOCAL), quiet)
})

/** How many records the fullest bucket has: seen in the memory, where each names the next. */
function spreadOf(addresses: (i: number) => Uint8Array, count: number): number {
  const fdb = new Fdb(FdbMemory.of(count))
  for (let i = 0; i < count; i++) assert.is(fdb.learn(addresses(i), 0, i % 64, 0), NEW)
  const { words } = new FdbMemory(fdb.memory)
  const behind = (record: number): number => (words[record + CHAIN]! < 0 ? 0 : 1 + behind(words[record + CHAIN]!))
  return Math.max(...Array.from({ length: count }, (_, i) => 1 + behind(RECORD * i)))
}

test('addresses that follow a pattern do not end in one bucket', () => {
  const patterns: ((i: number) => number[])[] = [
    (i) => [2, 0, 0, 0, i >> 8, i & 255],
    (i) => [2, 0, i >> 8, i & 255, 0, 0],
    (i) => [(i >> 6) & 0xfe, 2 * (i & 127), 0, 0, 0, 1],
    (i) => [2, i & 255, i & 255, i & 255, i >> 8, i >> 8],
    (i) => [2, 0, i >> 8, i & 255, i >> 8, i & 255],
  ]
  for (const pattern of patterns) {
    const longest = spreadOf((i) => Uint8Array.from(pattern(i)), 8192)
    assert.ok(longest <= 16, `${longest} in one bucket`)
  }
})

test('agrees with its naive twin on 200 000 random frames', () => {
  const seed = Number(process.env.TSGRE_SEED ?? 32)
  const source = random(seed)
  const [entries, ageing] = [48, 20_000]
  const table = new Table(entries, ageing)
  const twin = new NaiveFdb(entries, ageing)
  const seen: Record<string, number> = {}
  let now = 0
  for (let i = 0; i < 200_000; i++) {
    now += source.oneIn(500) ? source.below(15_000) : source.below(20)
    const about = `seed ${seed}, step ${i} at ${now} ms`
    const bytes = mac(source.below(source.oneIn(3) ? 400 : 30))
    const address = bytes.subarray(OFFSET)
    if (source.oneIn(100)) address[0] = source.below(4)
    const port = source.below(source.oneIn(4) ? 6 : 3) - 1
    const verdict = table.fdb.learn(bytes, OFFSET, port, now)
    const said = verdict === MOVED ? table.fdb.movedFrom : ['same', 'new', '', 'ignored'][verdict]
    assert.is(said, twin.learn(address, port, now), about)
    const wanted = mac(source.below(40))
    assert.is(table.fdb.lookup(wanted, OFFSET, now), twin.lookup(wanted.subarray(OFFSET), now) ?? UNKNOWN, about)
    seen[verdict] = (seen[verdict] ?? 0) + 1
    if (source.oneIn(2000)) {
      table.fdb.flush(port)
      twin.flush(port)
    }
    if (source.oneIn(300)) {
      table.fdb.age(now, 1000)
      twin.age(now)
    }
    if (!source.oneIn(50)) continue
    for (let any = LOCAL; any < 5; any++) assert.is(table.reader.count(any), twin.count(any), about)
    const shown = table.reader.entries(now).map((entry) => `${entry.mac.replaceAll(':', '')} ${entry.port}`)
    assert.equal(shown.sort(), twin.entries(now), about)
  }
  for (const verdict of [SAME, NEW, MOVED, IGNORED]) assert.ok(seen[verdict]! > 100, JSON.stringify(seen))
})

/** Learns, without a pause, addresses whose first two octets repeat in the last two: a torn one would not. */
const WRITER = `
  import { workerData } from 'node:worker_threads'
  const { Fdb } = await import(workerData.module)
  const fdb = new Fdb(workerData.memory)
  const mac = new Uint8Array(6)
  const stop = new Int32Array(workerData.stop)
  for (let i = 0; Atomics.load(stop, 0) === 0; i++) {
    mac[0] = mac[4] = (2 * i) & 0xfe
    mac[1] = mac[5] = (i >> 7) & 0xff
    mac[2] = mac[3] = i & 0x3f
    fdb.learn(mac, 0, i % 5, 0)
  }
`

test('shows no address that was never learnt, whatever another thread writes meanwhile', async () => {
  const memory = FdbMemory.of(256)
  const stop = new SharedArrayBuffer(4)
  const module = import.meta.resolve('#tsgre/tunnel/fdb.js')
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(WRITER)}`), {
    workerData: { module, memory, stop },
  })
  const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
  const reader = new FdbReader(memory)
  try {
    let shown = 0
    let sets = 0
    let last = ''
    while (shown < 200_000 || sets < 100) {
      const entries = reader.entries(0)
      for (const { mac } of entries) assert.is(mac.slice(0, 5), mac.slice(12), mac)
      shown += entries.length
      const all = entries.map(({ mac }) => mac).join()
      if (all !== last) sets++
      last = all
      if (entries.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
  } finally {
    Atomics.store(new Int32Array(stop), 0, 1)
    await ended
  }
})

test.run()
