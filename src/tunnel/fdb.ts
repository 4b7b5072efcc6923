// The forwarding database: behind which port a MAC address was last seen, as bridge(8) has it. Learnt from source addresses,
// forgotten after a while of silence, bounded. When it is full, the port that holds most entries loses its oldest, so a flood
// of addresses from one peer pushes out that peer's own and never brings another below its fair share.
// Not a reader for other threads (fdb-reader.ts is). Invariant: every record in use stands in one bucket and in the list of its
// port, which is in the order of renewal.

import { read32 } from '../wire/network-order.js'
import { AGEING_MS, CHAIN, FdbMemory, HIGH, LOCAL, LOW, NEWER, OLDER, PORT, PORTS, RECORD, SEEN } from './fdb-memory.js'

/** What `lookup` says where nothing is known: the frame goes to all. */
export const UNKNOWN = -2

/** What `learn` says: known there already; not known before; known behind another port (`movedFrom`); no sender's address. */
export const SAME = 0
export const NEW = 1
export const MOVED = 2
export const IGNORED = 3

/** An entry is renewed once in so long at most: each renewal writes five places in memory. */
const RENEW_MS = 1000
/** Addresses forgotten in one call of `age`. */
const AGED_AT_ONCE = 256
const NONE = -1

export class Fdb {
  readonly memory: SharedArrayBuffer
  /** Behind which port it was before, after `learn` said MOVED. */
  movedFrom = LOCAL
  readonly #counts: Int32Array
  readonly #words: Int32Array
  readonly #seen: Float64Array
  readonly #ageing: number
  readonly #renew: number
  /** First record of every bucket. */
  readonly #buckets: Int32Array
  // Tabulation hashing: random words for each value of each octet, so that no sender can tell which addresses share a bucket.
  readonly #random = new Int32Array(6 * 256)
  /** By port + 1. */
  readonly #oldest = new Int32Array(PORTS)
  readonly #newest = new Int32Array(PORTS)
  /** The record of the port's last sender, and of the last receiver: runs of one address are long. */
  readonly #lastSender = new Int32Array(PORTS)
  #lastReceiver = 0
  #free = NONE
  #generation = 0
  #agePort = 0

  /** Takes over `memory` and forgets what was in it. */
  constructor(memory: SharedArrayBuffer = FdbMemory.of(), ageing = AGEING_MS) {
    const table = new FdbMemory(memory)
    table.ageing = ageing
    this.memory = memory
    this.#counts = table.counts
    this.#words = table.words
    this.#seen = table.seen
    this.#ageing = ageing
    this.#renew = Math.min(RENEW_MS, ageing / 64)
    const entries = table.words.length / RECORD
    this.#buckets = new Int32Array(2 ** Math.ceil(Math.log2(2 * entries)))
    crypto.getRandomValues(this.#random)
    this.flushAll()
  }

  get size(): number {
    let size = 0
    for (let i = 0; i < PORTS; i++) size += this.#counts[i]
    return size
  }

  count(port: number): number {
    return this.#counts[port + 1]
  }

  /** The address at `bytes[at]` has sent a frame out of `port` at `now`, in milliseconds, monotonic. */
  learn(bytes: Uint8Array, at: number, port: number, now: number): number {
    const high = (bytes[at] << 8) | bytes[at + 1]
    const low = read32(bytes, at + 2)
    const last = this.#lastSender[port + 1]
    if (
      this.#holds(last, high, low) &&
      this.#words[last + PORT] === port &&
      now - this.#seen[(last >> 1) + SEEN] < this.#renew
    )
      return SAME
    if ((bytes[at] & 1) === 1 || (high | low) === 0) return IGNORED
    const bucket = this.#bucket(high, low)
    const found = this.#find(bucket, high, low)
    if (found !== NONE) return this.#seenAgain(found, port, now)
    this.#add(bucket, high, low, port, now)
    return NEW
  }

  /** The port of the address at `bytes[at]`, or UNKNOWN: not learnt, silent for too long, or of a group. */
  lookup(bytes: Uint8Array, at: number, now: number): number {
    const high = (bytes[at] << 8) | bytes[at + 1]
    const low = read32(bytes, at + 2)
    let found = this.#lastReceiver
    if (!this.#holds(found, high, low)) {
      if ((bytes[at] & 1) === 1) return UNKNOWN
      found = this.#find(this.#bucket(high, low), high, low)
      if (found === NONE) return UNKNOWN
      this.#lastReceiver = found
    }
    return now - this.#seen[(found >> 1) + SEEN] < this.#ageing ? this.#words[found + PORT] : UNKNOWN
  }

  /** Forgets some of those that were silent for too long; returns how many. To be called about once a second. */
  age(now: number, most = AGED_AT_ONCE): number {
    let left = most
    for (let i = 0; i < PORTS && left > 0; i++) {
      let oldest = this.#oldest[this.#agePort]
      while (left > 0 && oldest !== NONE && now - this.#seen[(oldest >> 1) + SEEN] >= this.#ageing) {
        this.#remove(oldest)
        left--
        oldest = this.#oldest[this.#agePort]
      }
      if (left > 0) this.#agePort = (this.#agePort + 1) % PORTS
    }
    return most - left
  }

  /** Forgets what was learnt from one port. */
  flush(port: number): void {
    while (this.#oldest[port + 1] !== NONE) this.#remove(this.#oldest[port + 1])
  }

  flushAll(): void {
    const words = this.#words
    this.#buckets.fill(NONE)
    this.#oldest.fill(NONE)
    this.#newest.fill(NONE)
    this.#counts.fill(0)
    this.#free = NONE
    for (let record = words.length - RECORD; record >= 0; record -= RECORD) this.#release(record)
  }

  #holds(record: number, high: number, low: number): boolean {
    const word = this.#words[record + HIGH]
    return word !== 0 && (word & 0xffff) === high && this.#words[record + LOW] === low
  }

  #bucket(high: number, low: number): number {
    const random = this.#random
    const hash =
      random[high >>> 8] ^
      random[256 + (high & 0xff)] ^
      random[512 + (low >>> 24)] ^
      random[768 + ((low >>> 16) & 0xff)] ^
      random[1024 + ((low >>> 8) & 0xff)] ^
      random[1280 + (low & 0xff)]
    return hash & (this.#buckets.length - 1)
  }

  #find(bucket: number, high: number, low: number): number {
    let record = this.#buckets[bucket]
    while (record !== NONE && !this.#holds(record, high, low)) record = this.#words[record + CHAIN]
    return record
  }

  #seenAgain(record: number, port: number, now: number): number {
    const from = this.#words[record + PORT]
    const silent = now - this.#seen[(record >> 1) + SEEN]
    this.#lastSender[port + 1] = record
    if (from === port && silent < this.#renew) return SAME
    this.#unlist(record)
    this.#list(record, port, now)
    if (silent >= this.#ageing) return NEW
    if (from === port) return SAME
    this.movedFrom = from
    return MOVED
  }

  #add(bucket: number, high: number, low: number, port: number, now: number): void {
    if (this.#free === NONE) this.#evict(port)
    const words = this.#words
    const record = this.#free
    this.#free = words[record + CHAIN]
    words[record + LOW] = low
    words[record + CHAIN] = this.#buckets[bucket]
    this.#buckets[bucket] = record
    this.#list(record, port, now)
    this.#generation = (this.#generation % 0xffff) + 1
    Atomics.store(words, record + HIGH, (this.#generation << 16) | high)
    this.#lastSender[port + 1] = record
  }

  /** Room for one more of `port`, whose own oldest goes where no port holds more than it does. */
  #evict(port: number): void {
    const counts = this.#counts
    let fullest = port + 1
    for (let i = 0; i < PORTS; i++) if (counts[i] > counts[fullest]) fullest = i
    this.#remove(this.#oldest[fullest])
  }

  #remove(record: number): void {
    const words = this.#words
    const bucket = this.#bucket(words[record + HIGH] & 0xffff, words[record + LOW])
    if (this.#buckets[bucket] === record) this.#buckets[bucket] = words[record + CHAIN]
    else {
      let before = this.#buckets[bucket]
      while (words[before + CHAIN] !== record) before = words[before + CHAIN]
      words[before + CHAIN] = words[record + CHAIN]
    }
    this.#unlist(record)
    this.#release(record)
  }

  #release(record: number): void {
    Atomics.store(this.#words, record + HIGH, 0)
    this.#words[record + CHAIN] = this.#free
    this.#free = record
  }

  /** As the newest of its port. */
  #list(record: number, port: number, now: number): void {
    const words = this.#words
    const before = this.#newest[port + 1]
    words[record + PORT] = port
    words[record + OLDER] = before
    words[record + NEWER] = NONE
    if (before === NONE) this.#oldest[port + 1] = record
    else words[before + NEWER] = record
    this.#newest[port + 1] = record
    this.#counts[port + 1]++
    this.#seen[(record >> 1) + SEEN] = now
  }

  #unlist(record: number): void {
    const words = this.#words
    const list = words[record + PORT] + 1
    const older = words[record + OLDER]
    const newer = words[record + NEWER]
    if (older === NONE) this.#oldest[list] = newer
    else words[older + NEWER] = newer
    if (newer === NONE) this.#newest[list] = older
    else words[newer + OLDER] = older
    this.#counts[list]--
  }
}
