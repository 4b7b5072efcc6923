// The error queue of an underlay socket (IP_RECVERR, IPV6_RECVERR): what ICMP says of packets that were sent. Until it is empty
// poll(2) returns at once. native-notes/error-queue.md has what the kernel puts there.

import { type DropCounters, dropAt } from '../drops.js'
import { IOVEC, MMSGHDR, MSGHDR, SOCK_EXTENDED_ERR, SOCKADDR_IN, SOCKADDR_IN6 } from '../sys/abi.js'
import { MSG_DONTWAIT, MSG_ERRQUEUE } from '../sys/constants.js'
import { ERRNO } from '../sys/errno.js'
import { recvmmsg } from '../sys/libc.js'
import { putPointer, slab } from '../sys/memory.js'
import { findIcmpError } from './control-messages.js'
import { NAME_BYTES, type PeerWays } from './peer-ways.js'
import { sendDropCode } from './underlay-errors.js'

const MESSAGES = 16
const MESSAGE_BYTES = MMSGHDR.size
/** A sock_extended_err, the sockaddr of who complains, and room for a TOS or a TTL in front. */
const CONTROL_BYTES = 128
/** Messages that are read without end are somebody's flood: the rest waits for the next turn. */
const MOST_READS = 8

export class ErrorQueue {
  readonly #memory = slab(MESSAGES * (MESSAGE_BYTES + CONTROL_BYTES + NAME_BYTES) + IOVEC.size + 8)
  readonly #controls = MESSAGES * MESSAGE_BYTES
  readonly #names = this.#controls + MESSAGES * CONTROL_BYTES
  /** Where in a sockaddr the address is. */
  readonly #addressAt: number

  constructor(family: 4 | 6) {
    this.#addressAt = family === 4 ? SOCKADDR_IN.at.sin_addr.offset : SOCKADDR_IN6.at.sin6_addr.offset
    const { view, address } = this.#memory
    const piece = this.#names + MESSAGES * NAME_BYTES
    // What was sent comes back with each error; nobody needs it.
    putPointer(view, piece + IOVEC.at.iov_base.offset, address + piece + IOVEC.size)
    putPointer(view, piece + IOVEC.at.iov_len.offset, 8)
    for (let i = 0; i < MESSAGES; i++) {
      const at = i * MESSAGE_BYTES
      putPointer(view, at + MSGHDR.at.msg_name.offset, address + this.#names + i * NAME_BYTES)
      putPointer(view, at + MSGHDR.at.msg_iov.offset, address + piece)
      putPointer(view, at + MSGHDR.at.msg_iovlen.offset, 1)
      putPointer(view, at + MSGHDR.at.msg_control.offset, address + this.#controls + i * CONTROL_BYTES)
    }
  }

  /**
   * Empties the queue of `fd`, counts and notes what ICMP said of packets to one of `ways`; the errors of other programs' packets
   * come here too. Returns whether one of them was that a packet was too large.
   */
  drain(fd: number, ways: PeerWays, drops: DropCounters): boolean {
    let tooBig = false
    for (let reads = 0; reads < MOST_READS; reads++) {
      for (let i = 0; i < MESSAGES; i++) this.#reset(i)
      const count = recvmmsg(fd, this.#memory.address, MESSAGES, MSG_ERRQUEUE | MSG_DONTWAIT, 0)
      for (let i = 0; i < count; i++) {
        const error = this.#icmpErrorOf(i)
        const peer = error === 0 ? -1 : ways.find(this.#memory.bytes, this.#names + i * NAME_BYTES + this.#addressAt)
        if (peer < 0) continue
        drops[dropAt(peer, sendDropCode(error))]++
        ways.errors[peer] = this.#isFromHere(i, ways) ? -error : error
        if (error === ERRNO.EMSGSIZE) tooBig = true
      }
      if (count < MESSAGES) break
    }
    return tooBig
  }

  #reset(i: number): void {
    const { view } = this.#memory
    view.setUint32(i * MESSAGE_BYTES + MSGHDR.at.msg_namelen.offset, NAME_BYTES, true)
    view.setUint32(i * MESSAGE_BYTES + MSGHDR.at.msg_controllen.offset, CONTROL_BYTES, true)
    view.setInt32(i * MESSAGE_BYTES + MSGHDR.at.msg_flags.offset, 0, true)
  }

  /** The errno of message i, if ICMP brought it; 0 for what our own kernel refused, which the call that failed has said. */
  #icmpErrorOf(i: number): number {
    const { view } = this.#memory
    const from = this.#controls + i * CONTROL_BYTES
    const end = from + view.getUint32(i * MESSAGE_BYTES + MSGHDR.at.msg_controllen.offset, true)
    const at = findIcmpError(view, from, end)
    return at < 0 ? 0 : view.getInt32(at + SOCK_EXTENDED_ERR.at.ee_errno.offset, true)
  }

  /** Whether it was this host itself that complained in message i: the address of SO_EE_OFFENDER is the one we send from. */
  #isFromHere(i: number, ways: PeerWays): boolean {
    const { view, bytes } = this.#memory
    const from = this.#controls + i * CONTROL_BYTES
    const end = from + view.getUint32(i * MESSAGE_BYTES + MSGHDR.at.msg_controllen.offset, true)
    const offender = findIcmpError(view, from, end) + SOCK_EXTENDED_ERR.size
    return ways.isLocal(bytes, offender + this.#addressAt, end)
  }
}
