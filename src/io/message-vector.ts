// The mmsghdr, iovec and cmsghdr arrays of sendmmsg(2) and recvmmsg(2), wired once: message i always points at its pair of
// iovecs and at control buffer i. Per call only addresses and lengths change. One vector belongs to one socket direction.
// Control buffer i holds two messages in a fixed order, TOS then TTL; controllen decides whether none, one or both count.

import { CMSGHDR, IOVEC, MMSGHDR, MSGHDR } from '../sys/abi.js'
import { IP_TOS, IP_TTL, IPPROTO_IP, IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_TCLASS } from '../sys/constants.js'
import { putPointer, type Slab, slab } from '../sys/memory.js'

const PIECES = 2 // headers, and the payload where it lies
const MESSAGE_BYTES = MMSGHDR.size
const INT_CONTROL_BYTES = 24 // CMSG_SPACE(sizeof(int)): 16 of cmsghdr, 4 of int, padded to 8
const INT_CONTROL_LENGTH = 20 // CMSG_LEN(sizeof(int))

export class MessageVector {
  /** Address of message 0; message i lies MESSAGE_BYTES · i further. */
  readonly address: number
  readonly #memory: Slab
  readonly #iovecs: number
  readonly #controls: number

  /** Without setName messages go where the socket is connected to. */
  constructor(capacity: number, family: 4 | 6) {
    this.#iovecs = capacity * MESSAGE_BYTES
    this.#controls = this.#iovecs + capacity * PIECES * IOVEC.size
    this.#memory = slab(this.#controls + capacity * 2 * INT_CONTROL_BYTES)
    this.address = this.#memory.address
    for (let i = 0; i < capacity; i++) this.#wire(i, family)
  }

  /** Message i goes to the sockaddr of `length` bytes at `address`. */
  setName(i: number, address: number, length: number): void {
    const { view } = this.#memory
    putPointer(view, i * MESSAGE_BYTES + MSGHDR.at.msg_name.offset, address)
    view.setUint32(i * MESSAGE_BYTES + MSGHDR.at.msg_namelen.offset, length, true)
  }

  #wire(i: number, family: 4 | 6): void {
    const { view, address } = this.#memory
    const header = i * MESSAGE_BYTES
    const control = this.#controls + i * 2 * INT_CONTROL_BYTES
    putPointer(view, header + MSGHDR.at.msg_iov.offset, address + this.#iovecs + i * PIECES * IOVEC.size)
    putPointer(view, header + MSGHDR.at.msg_iovlen.offset, 1)
    putPointer(view, header + MSGHDR.at.msg_control.offset, address + control)
    const level = family === 4 ? IPPROTO_IP : IPPROTO_IPV6
    const types = family === 4 ? [IP_TOS, IP_TTL] : [IPV6_TCLASS, IPV6_HOPLIMIT]
    types.forEach((type, index) => {
      const at = control + index * INT_CONTROL_BYTES
      putPointer(view, at + CMSGHDR.at.cmsg_len.offset, INT_CONTROL_LENGTH)
      view.setInt32(at + CMSGHDR.at.cmsg_level.offset, level, true)
      view.setInt32(at + CMSGHDR.at.cmsg_type.offset, type, true)
    })
  }

  /** Points message i at `length` bytes at `address`. */
  setPayload(i: number, address: number, length: number): void {
    this.#setPiece(i * PIECES, address, length)
    this.#setPieces(i, 1)
  }

  /** Points message i at two pieces, one after the other on the wire. */
  setHeaderAndPayload(i: number, header: number, headerLength: number, address: number, length: number): void {
    this.#setPiece(i * PIECES, header, headerLength)
    this.#setPiece(i * PIECES + 1, address, length)
    this.#setPieces(i, 2)
  }

  #setPiece(piece: number, address: number, length: number): void {
    const { view } = this.#memory
    const at = this.#iovecs + piece * IOVEC.size
    putPointer(view, at + IOVEC.at.iov_base.offset, address)
    view.setUint32(at + IOVEC.at.iov_len.offset, length, true)
  }

  #setPieces(i: number, count: number): void {
    this.#memory.view.setUint32(i * MESSAGE_BYTES + MSGHDR.at.msg_iovlen.offset, count, true)
  }

  /** Sends message i with the socket's own TOS and TTL. */
  setNoControl(i: number): void {
    this.#memory.view.setUint32(i * MESSAGE_BYTES + MSGHDR.at.msg_controllen.offset, 0, true)
  }

  /** Sends message i with this TOS, and with this TTL unless that is 0. */
  setControl(i: number, tos: number, ttl: number): void {
    const { view } = this.#memory
    const at = this.#controls + i * 2 * INT_CONTROL_BYTES + CMSGHDR.size
    view.setInt32(at, tos, true)
    view.setInt32(at + INT_CONTROL_BYTES, ttl, true)
    const length = ttl === 0 ? INT_CONTROL_BYTES : 2 * INT_CONTROL_BYTES
    view.setUint32(i * MESSAGE_BYTES + MSGHDR.at.msg_controllen.offset, length, true)
  }

  /** Bytes received into message i, and its flags (MSG_TRUNC). */
  receivedLength(i: number): number {
    return this.#memory.view.getUint32(i * MESSAGE_BYTES + MMSGHDR.at.msg_len.offset, true)
  }

  receivedFlags(i: number): number {
    return this.#memory.view.getInt32(i * MESSAGE_BYTES + MSGHDR.at.msg_flags.offset, true)
  }

  /** Where message i's header lies, for a call that starts there. */
  addressOf(i: number): number {
    return this.address + i * MESSAGE_BYTES
  }
}
