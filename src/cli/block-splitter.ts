// Cuts a stream of pcapng into its blocks, so that what is written ends with a whole one, whenever the stream ends.

import { StateError } from '../errors.js'
import { blockLength } from '../wire/read-pcapng.js'

export class BlockSplitter {
  #rest: Uint8Array = new Uint8Array(0)

  /**
   * The blocks that `chunk` completes.
   * @throws StateError TSGRE_BAD_ANSWER for what is no pcapng
   */
  push(chunk: Uint8Array): DataView[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const blocks: DataView[] = []
    let at = 0
    for (;;) {
      const length = blockLength(view, at)
      if (length < 0) throw new StateError('TSGRE_BAD_ANSWER', 'what came from the control socket is no capture')
      if (length === 0) break
      blocks.push(new DataView(bytes.buffer, bytes.byteOffset + at, length))
      at += length
    }
    this.#rest = bytes.subarray(at)
    return blocks
  }
}
