// Where a forwarding database lies: one piece of shared memory, which the pump writes and the program reads without asking it.
// A record is 8 words: the address's last four octets, its first two, port, next of the bucket, older and newer of the port,
// and a double: when it was last renewed. How many entries each port has stands in front.
// Invariant: a record holds an address only while its HIGH word is not 0, and that word is never the same twice in a row.

import { MOST_PEERS } from '../drops.js'

/** This side, behind the TAP; peers are 0 to 127. */
export const LOCAL = -1
/** The local side and 128 peers. */
export const PORTS = MOST_PEERS + 1
export const FDB_ENTRIES = 16384
export const AGEING_MS = 300_000

export const RECORD = 8
export const LOW = 0
/** The address's first two octets, and above them a count, so that a reader sees it when the record changes hands. */
export const HIGH = 1
export const PORT = 2
export const CHAIN = 3
export const OLDER = 4
export const NEWER = 5
/** Where the double of record r lies: `seen[(r >> 1) + SEEN]`. */
export const SEEN = 3

const AGEING = PORTS
const HEADER_WORDS = 144

export class FdbMemory {
  readonly memory: SharedArrayBuffer
  /** By port + 1. */
  readonly counts: Int32Array
  /** Records; one is named by its first word. */
  readonly words: Int32Array
  readonly seen: Float64Array
  readonly #header: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.#header = new Int32Array(memory, 0, HEADER_WORDS)
    this.counts = new Int32Array(memory, 0, PORTS)
    this.words = new Int32Array(memory, 4 * HEADER_WORDS)
    this.seen = new Float64Array(memory, 4 * HEADER_WORDS)
  }

  /** Fresh memory for so many addresses. */
  static of(entries = FDB_ENTRIES): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * (HEADER_WORDS + RECORD * entries))
  }

  /** Milliseconds after which an address that sent nothing is forgotten. */
  get ageing(): number {
    return this.#header[AGEING]
  }

  set ageing(ms: number) {
    this.#header[AGEING] = ms
  }
}
