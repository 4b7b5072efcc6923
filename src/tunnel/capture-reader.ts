// The other end of a capture: `next` until there is no more. The fields are those of the record at hand.
// Invariant: a record stays as it is until the next `next`, which gives its room back to the writer.

import type { Octets } from '../wire/octets.js'
import { CLOSED, HEAD, LOST, RECORD_BYTES, REST, RecordFields, TAIL, TIME, viewsOf } from './capture-record.js'

export class CaptureReader extends RecordFields {
  readonly memory: SharedArrayBuffer
  /** Octets of the record, and of the frame or packet. */
  captured = 0
  original = 0
  readonly #capacity: number
  readonly #control: Int32Array
  readonly #data: Octets
  readonly #times: Float64Array
  #at = 0
  #size = 0
  #parts: [from: number, octets: number][] = []
  #lostBefore = 0
  #lost = 0

  constructor(memory: SharedArrayBuffer) {
    super()
    this.memory = memory
    const { capacity, control, data, times } = viewsOf(memory)
    this.#capacity = capacity
    this.#control = control
    this.#data = data
    this.#times = times
    this.#at = Atomics.load(control, TAIL) >>> 0
  }

  /** Goes on to the next record, and gives the room of the one before back; false where none has come yet. */
  next(): boolean {
    this.#release()
    if (Atomics.load(this.#control, HEAD) >>> 0 === this.#at) return false
    let at = this.#at & (this.#capacity - 1)
    const { words } = this.#data
    if ((words[(at >>> 2) + 1] & 0xff) === REST) {
      this.#size = words[at >>> 2]
      this.#release()
      at = 0
    }
    this.#size = words[at >>> 2]
    this.#read(at)
    return true
  }

  #release(): void {
    if (this.#size === 0) return
    this.#at = (this.#at + this.#size) >>> 0
    this.#size = 0
    Atomics.store(this.#control, TAIL, this.#at | 0)
  }

  #read(at: number): void {
    const { words } = this.#data
    const word = at >>> 2
    const what = words[word + 1]
    const whom = words[word + 2]
    const first = words[word + 5]
    const second = words[word + 6]
    this.kind = what & 0xff
    this.direction = (what >>> 8) & 0xff
    this.drop = (what >>> 16) & 0xff
    this.flags = what >>> 24
    this.peer = (whom << 16) >> 16
    this.tos = (whom >>> 16) & 0xff
    this.ttl = whom >>> 24
    this.segment = words[word + 3]
    this.original = words[word + 4]
    this.time[0] = this.#times[(at + TIME) >>> 3]
    const begin = at + RECORD_BYTES + (first >>> 24)
    const behind = (begin + (first & 0xffffff) + 3) & ~3
    this.#parts = [
      [begin, first & 0xffffff],
      [behind + (second >>> 24), second & 0xffffff],
    ]
    this.captured = this.#parts[0][1] + this.#parts[1][1]
  }

  /** Copies the octets of the record to `at`. */
  copyTo(target: Uint8Array, at: number): void {
    let to = at
    for (const [from, length] of this.#parts) {
      target.set(this.#data.bytes.subarray(from, from + length), to)
      to += length
    }
  }

  /** Records lost so far. */
  get lost(): number {
    const now = Atomics.load(this.#control, LOST)
    this.#lost += (now - this.#lostBefore) >>> 0
    this.#lostBefore = now
    return this.#lost
  }

  /** Tells the writer that nobody reads any more. */
  close(): void {
    Atomics.store(this.#control, CLOSED, 1)
  }
}
