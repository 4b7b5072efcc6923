// For an overlay that takes whole frames only: a received frame whose checksum was left to hardware (the peer is on this
// host, or the network card put packets together) gets it here, and is cut where it is larger than what the tunnel carries.
// All other frames pass as they are. Works like Encapsulator: begin, then fill as long as there is more.

import { type Batch, HEADER_BYTES } from '../io/batch.js'
import { FOUND, findLayers, IPPROTO_TCP, layers } from '../offload/layers.js'
import { Segmenter } from '../offload/segment.js'
import { checksumField, completeChecksum, isPartial } from '../offload/transport-checksum.js'

export class Finisher {
  readonly #segmenter = new Segmenter()
  readonly #at = layers()
  #from: Batch | undefined
  #taken = 0

  begin(from: Batch): void {
    this.#from = from
    this.#taken = 0
  }

  get more(): boolean {
    return this.#segmenter.more || (this.#from !== undefined && this.#taken < this.#from.count)
  }

  /** Lists frames in `to`, a batch over the same memory with headers, until it is full. `longest`: octets of a frame. */
  fill(to: Batch, longest: number): void {
    to.clear()
    while (to.count < to.capacity && this.more) {
      if (this.#segmenter.more) this.#listSegment(to)
      else this.#take(to, longest)
    }
  }

  #take(to: Batch, longest: number): void {
    const from = this.#from!
    const { memory } = from
    const i = this.#taken++
    const start = from.offset[i]
    const end = start + from.length[i]
    const at = this.#at
    if (findLayers(memory.bytes, start, end, at) === FOUND && isPartial(memory, at)) {
      const merged = at.protocol === IPPROTO_TCP && at.stop - start > longest
      if (merged && this.#segmenter.begin(memory, start, end, at.stop - at.payload, longest)) return
      completeChecksum(memory, at.transport, at.stop, at.transport + checksumField(at))
    }
    this.#list(to, start, end, 0)
  }

  #listSegment(to: Batch): void {
    const segmenter = this.#segmenter
    const at = to.count * HEADER_BYTES
    to.headerOffset[to.count] = at
    const header = segmenter.next(to.headers, at)
    this.#list(to, segmenter.payload, segmenter.payload + segmenter.payloadLength, header)
  }

  #list(to: Batch, start: number, end: number, header: number): void {
    const entry = to.count++
    to.offset[entry] = start
    to.length[entry] = end - start
    to.headerLength[entry] = header
    to.peer[entry] = this.#from!.peer[this.#taken - 1]
    to.setWhole(entry)
  }
}
