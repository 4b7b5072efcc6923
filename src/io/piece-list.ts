// The iovec array of one writev(2) or one message: pieces that lie anywhere in pinned memory.

import { IOVEC } from '../sys/abi.js'
import { putPointer, slab } from '../sys/memory.js'

/** UIO_MAXIOV of linux/uio.h: more pieces a call are refused. */
export const MOST_PIECES = 1024

export class PieceList {
  readonly address: number
  readonly #view: DataView

  constructor(capacity = MOST_PIECES) {
    const { address, view } = slab(capacity * IOVEC.size)
    this.address = address
    this.#view = view
  }

  /** Piece i is `length` bytes at `address`. */
  set(i: number, address: number, length: number): void {
    const at = i * IOVEC.size
    putPointer(this.#view, at + IOVEC.at.iov_base.offset, address)
    this.#view.setUint32(at + IOVEC.at.iov_len.offset, length, true)
  }

  /** Where piece i lies. */
  addressOf(i: number): number {
    return this.address + i * IOVEC.size
  }
}
