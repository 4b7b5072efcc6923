// The arrays of a recvmmsg(2): of every packet who sent it, the outer TOS where the kernel tells it beside, and the size of the
// datagrams that the kernel may have put together in it (UDP_GRO). Wired once; a call resets what the one before wrote over.

import { IOVEC, MMSGHDR, MSGHDR, SOCKADDR_IN, SOCKADDR_IN6 } from '../sys/abi.js'
import { IP_TOS, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP, IPV6_TCLASS, UDP_GRO } from '../sys/constants.js'
import { putPointer, type Slab, slab } from '../sys/memory.js'
import { findControl } from './control-messages.js'
import { NAME_BYTES, type PeerWays } from './peer-ways.js'

const MESSAGE_BYTES = MMSGHDR.size
/** Two control messages of an int or less: UDP_GRO, and TOS or traffic class. */
const CONTROL_BYTES = 48

export class ReceiveVector {
  readonly address: number
  readonly #memory: Slab
  readonly #names: number
  readonly #controls: number
  readonly #iovecs: number
  readonly #nameBytes: number
  readonly #controlBytes: number
  /** Where in a sockaddr the address is. */
  readonly #addressAt: number

  /** `wanted`: what the kernel is to tell besides the packets; what is not wanted costs nothing. */
  constructor(capacity: number, family: 4 | 6, wanted: { names: boolean; controls: boolean }) {
    this.#addressAt = family === 4 ? SOCKADDR_IN.at.sin_addr.offset : SOCKADDR_IN6.at.sin6_addr.offset
    this.#nameBytes = wanted.names ? NAME_BYTES : 0
    this.#controlBytes = wanted.controls ? CONTROL_BYTES : 0
    this.#iovecs = capacity * MESSAGE_BYTES
    this.#names = this.#iovecs + capacity * IOVEC.size
    this.#controls = this.#names + capacity * NAME_BYTES
    this.#memory = slab(this.#controls + capacity * CONTROL_BYTES)
    this.address = this.#memory.address
    const { view, address } = this.#memory
    for (let i = 0; i < capacity; i++) {
      const header = i * MESSAGE_BYTES
      if (wanted.names) putPointer(view, header + MSGHDR.at.msg_name.offset, address + this.#names + i * NAME_BYTES)
      putPointer(view, header + MSGHDR.at.msg_iov.offset, address + this.#iovecs + i * IOVEC.size)
      putPointer(view, header + MSGHDR.at.msg_iovlen.offset, 1)
      putPointer(view, header + MSGHDR.at.msg_control.offset, address + this.#controls + i * CONTROL_BYTES)
    }
    this.reset(capacity)
  }

  /** Message i is received into `length` bytes at `address`. */
  setPayload(i: number, address: number, length: number): void {
    const at = this.#iovecs + i * IOVEC.size
    putPointer(this.#memory.view, at + IOVEC.at.iov_base.offset, address)
    this.#memory.view.setUint32(at + IOVEC.at.iov_len.offset, length, true)
  }

  /** Gives the first `count` messages back what recvmmsg writes over: room for name and control, flags. */
  reset(count: number): void {
    if (this.#nameBytes + this.#controlBytes === 0) return // nothing was written over but what is written anew each time
    const { view } = this.#memory
    for (let i = 0; i < count; i++) {
      const at = i * MESSAGE_BYTES
      view.setUint32(at + MSGHDR.at.msg_namelen.offset, this.#nameBytes, true)
      view.setUint32(at + MSGHDR.at.msg_controllen.offset, this.#controlBytes, true)
      view.setInt32(at + MSGHDR.at.msg_flags.offset, 0, true)
    }
  }

  /** Bytes received into message i. */
  lengthOf(i: number): number {
    return this.#memory.view.getUint32(i * MESSAGE_BYTES + MMSGHDR.at.msg_len.offset, true)
  }

  /** MSG_TRUNC and others. */
  flagsOf(i: number): number {
    return this.#memory.view.getInt32(i * MESSAGE_BYTES + MSGHDR.at.msg_flags.offset, true)
  }

  /** Size of the datagrams in message i; 0 where it is one. */
  segmentOf(i: number): number {
    const at = this.#control(i, IPPROTO_UDP, UDP_GRO)
    return at < 0 ? 0 : this.#memory.view.getInt32(at, true)
  }

  /** Outer TOS or traffic class of message i; 0 where the kernel was not asked for it. IPv4's is an octet, IPv6's an int. */
  tosOf(i: number): number {
    const at = this.#control(i, IPPROTO_IP, IP_TOS)
    if (at >= 0) return this.#memory.bytes[at]
    const at6 = this.#control(i, IPPROTO_IPV6, IPV6_TCLASS)
    return at6 < 0 ? 0 : this.#memory.bytes[at6]
  }

  /** Where the data of a control message of message i lies, or -1. */
  #control(i: number, level: number, type: number): number {
    const { view } = this.#memory
    const from = this.#controls + i * CONTROL_BYTES
    const end = from + view.getUint32(i * MESSAGE_BYTES + MSGHDR.at.msg_controllen.offset, true)
    return findControl(view, from, end, level, type)
  }

  /** Whether message i came from the address of these octets, whatever its port. */
  isFrom(i: number, address: Uint8Array): boolean {
    const at = this.#names + i * NAME_BYTES + this.#addressAt
    return address.every((octet, k) => this.#memory.bytes[at + k] === octet)
  }

  /** Which of `ways` message i came from, whatever its port; -1 for none of them. */
  peerOf(i: number, ways: PeerWays): number {
    return ways.find(this.#memory.bytes, this.#names + i * NAME_BYTES + this.#addressAt)
  }
}
