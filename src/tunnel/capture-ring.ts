// The pump's end of a capture: puts what was carried or dropped into shared memory. One writer and one reader that never wait for
// one another: where the reader is slow records are lost, and counted. Nothing here allocates.
// Invariant: the two parts of a record keep the alignment they had, so that whole words are copied.

import type { Octets } from '../wire/octets.js'
import {
  CLOSED,
  DROPS_ONLY,
  HEAD,
  LOST,
  RECORD_BYTES,
  REST,
  type RecordFields,
  SIDES,
  SNAPLEN,
  TAIL,
  TIME,
  viewsOf,
} from './capture-record.js'

export class CaptureWriter {
  readonly memory: SharedArrayBuffer
  readonly sides: number
  readonly #dropsOnly: boolean
  readonly #snaplen: number
  readonly #capacity: number
  readonly #control: Int32Array
  readonly #data: Octets
  readonly #times: Float64Array
  /** Positions: ours, and the reader's when last looked at. */
  readonly #at = new Uint32Array(2)

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    const { capacity, control, data, times } = viewsOf(memory)
    this.#capacity = capacity
    this.#control = control
    this.#data = data
    this.#times = times
    this.sides = control[SIDES]
    this.#dropsOnly = control[DROPS_ONLY] === 1
    this.#snaplen = control[SNAPLEN]
    this.#at[0] = Atomics.load(control, HEAD)
    this.#at[1] = Atomics.load(control, TAIL)
  }

  /** Whether nobody reads any more. */
  get closed(): boolean {
    return Atomics.load(this.#control, CLOSED) !== 0
  }

  wants(side: number, drop: number): boolean {
    return (this.sides & side) !== 0 && (drop !== 0 || !this.#dropsOnly)
  }

  /** Adds a record of `first` octets of `headers` from `from` on, and [start, end) of `memory` behind them; or loses it. */
  put(
    fields: RecordFields,
    headers: Octets,
    from: number,
    first: number,
    memory: Octets,
    start: number,
    end: number,
  ): void {
    const keepFirst = first < this.#snaplen ? first : this.#snaplen
    const length = end - start
    const keep = length < this.#snaplen - keepFirst ? length : this.#snaplen - keepFirst
    const firstBytes = ((from & 3) + keepFirst + 3) & ~3
    const size = (RECORD_BYTES + firstBytes + (start & 3) + keep + 7) & ~7
    const at = this.#claim(size)
    if (at < 0) {
      Atomics.add(this.#control, LOST, 1)
      return
    }
    const { words } = this.#data
    const word = at >>> 2
    words[word] = size
    words[word + 1] = fields.kind | (fields.direction << 8) | (fields.drop << 16) | (fields.flags << 24)
    words[word + 2] = (fields.peer & 0xffff) | (fields.tos << 16) | (fields.ttl << 24)
    words[word + 3] = fields.segment
    words[word + 4] = first + length
    words[word + 5] = ((from & 3) << 24) | keepFirst
    words[word + 6] = ((start & 3) << 24) | keep
    this.#times[(at + TIME) >>> 3] = fields.time[0]
    copy(headers, from, from + keepFirst, this.#data, at + RECORD_BYTES + (from & 3))
    copy(memory, start, start + keep, this.#data, at + RECORD_BYTES + firstBytes + (start & 3))
    this.#at[0] += size
    Atomics.store(this.#control, HEAD, this.#at[0] | 0)
  }

  /** Where `size` octets in one piece are free, or -1. */
  #claim(size: number): number {
    const at = this.#at[0] & (this.#capacity - 1)
    const rest = this.#capacity - at
    const needed = size <= rest ? size : rest + size
    if (this.#free < needed) {
      this.#at[1] = Atomics.load(this.#control, TAIL)
      if (this.#free < needed) return -1
    }
    if (size <= rest) return at
    this.#data.words[at >>> 2] = rest
    this.#data.words[(at >>> 2) + 1] = REST
    this.#at[0] += rest
    return 0
  }

  get #free(): number {
    return this.#capacity - ((this.#at[0] - this.#at[1]) | 0)
  }
}

/** By words as far as both have them: source and target differ by a multiple of four, and what lies around is free. */
function copy(from: Octets, start: number, end: number, to: Octets, target: number): void {
  if (start === end) return
  const source = from.words
  const copied = to.words
  const shift = (target >>> 2) - (start >>> 2)
  const last = Math.min((end + 3) >>> 2, source.length)
  let i = start >>> 2
  for (const fours = last - 3; i < fours; i += 4) {
    copied[i + shift] = source[i]
    copied[i + shift + 1] = source[i + 1]
    copied[i + shift + 2] = source[i + 2]
    copied[i + shift + 3] = source[i + 3]
  }
  for (; i < last; i++) copied[i + shift] = source[i]
  // memory that does not end on a word
  for (let at = Math.max(start, last << 2); at < end; at++) to.bytes[at - start + target] = from.bytes[at]
}
