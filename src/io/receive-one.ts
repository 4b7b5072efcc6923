// Takes packets from a socket one by one, each with its sender. For a person's question; ports take them in batches
// (receive-vector.ts). Invariant: what is told of a packet holds until the next one.

import { IOVEC, MMSGHDR, MSGHDR, SOCKADDR_IN6 } from '../sys/abi.js'
import { type Address, readSockaddr } from '../sys/address.js'
import { MSG_DONTWAIT } from '../sys/constants.js'
import { recvmmsg } from '../sys/libc.js'
import { putPointer, type Slab, slab } from '../sys/memory.js'

const NAME_AT = MMSGHDR.size + IOVEC.size

export class OneByOne {
  readonly #fd: number
  readonly #header = slab(NAME_AT + SOCKADDR_IN6.size)

  /** Packets come to the start of `memory`. */
  constructor(fd: number, memory: Slab, bytes: number) {
    this.#fd = fd
    const { view, address } = this.#header
    putPointer(view, MSGHDR.at.msg_name.offset, address + NAME_AT)
    putPointer(view, MSGHDR.at.msg_iov.offset, address + MMSGHDR.size)
    putPointer(view, MSGHDR.at.msg_iovlen.offset, 1)
    putPointer(view, MMSGHDR.size + IOVEC.at.iov_base.offset, memory.address)
    putPointer(view, MMSGHDR.size + IOVEC.at.iov_len.offset, bytes)
  }

  /** Length of the next packet, or -1 with errno set. */
  next(): number {
    const { view, address } = this.#header
    view.setUint32(MSGHDR.at.msg_namelen.offset, SOCKADDR_IN6.size, true)
    if (recvmmsg(this.#fd, address, 1, MSG_DONTWAIT, 0) < 1) return -1
    return view.getUint32(MMSGHDR.at.msg_len.offset, true)
  }

  /** Whether the last packet came from `address`. */
  isFrom({ bytes }: Address): boolean {
    const sender = readSockaddr(this.#header, NAME_AT).bytes
    return sender.length === bytes.length && sender.every((octet, i) => octet === bytes[i])
  }
}
