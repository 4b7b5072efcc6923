// What ICMP says of packets that a socket has sent, one by one: who says it, type and code. For a person's question; the port of
// a tunnel counts them in bulk (error-queue.ts). native-notes/error-queue.md has what the kernel puts there.

import { MMSGHDR, MSGHDR, SOCK_EXTENDED_ERR } from '../sys/abi.js'
import { type Address, readSockaddr } from '../sys/address.js'
import { MSG_DONTWAIT, MSG_ERRQUEUE, SO_EE_ORIGIN_ICMP } from '../sys/constants.js'
import { errnoName } from '../sys/errno.js'
import { recvmmsg } from '../sys/libc.js'
import { putPointer, type Slab, slab } from '../sys/memory.js'
import { findIcmpError } from './control-messages.js'

const CONTROL_BYTES = 128
/** A flood of errors is read no further. */
const MOST = 64

export interface IcmpError {
  readonly family: 4 | 6
  readonly type: number
  readonly code: number
  /** What the kernel makes of it, as a name: ECONNREFUSED, ENOPROTOOPT, … */
  readonly errno: string
  /** Who says so: this host itself, where nobody answers for the address. */
  readonly from: string
}

/** Empties the error queue of `fd`, which has RECVERR on. */
export function readIcmpErrors(fd: number): IcmpError[] {
  const memory = slab(MMSGHDR.size + CONTROL_BYTES)
  const { view, address } = memory
  const found: IcmpError[] = []
  for (let i = 0; i < MOST; i++) {
    putPointer(view, MSGHDR.at.msg_control.offset, address + MMSGHDR.size)
    putPointer(view, MSGHDR.at.msg_controllen.offset, CONTROL_BYTES)
    if (recvmmsg(fd, address, 1, MSG_ERRQUEUE | MSG_DONTWAIT, 0) < 1) break
    const error = errorIn(memory)
    if (error) found.push(error)
  }
  return found
}

/** The one of a message; undefined for what our own kernel refused, which the call that failed has said. */
function errorIn(memory: Slab): IcmpError | undefined {
  const { view } = memory
  const end = MMSGHDR.size + view.getUint32(MSGHDR.at.msg_controllen.offset, true)
  const at = findIcmpError(view, MMSGHDR.size, end)
  return at < 0 ? undefined : readError(memory, at)
}

function readError(memory: Slab, at: number): IcmpError {
  const { view } = memory
  const field = (name: 'ee_origin' | 'ee_type' | 'ee_code') => view.getUint8(at + SOCK_EXTENDED_ERR.at[name].offset)
  const offender: Address = readSockaddr(memory, at + SOCK_EXTENDED_ERR.size) // SO_EE_OFFENDER
  return {
    family: field('ee_origin') === SO_EE_ORIGIN_ICMP ? 4 : 6,
    type: field('ee_type'),
    code: field('ee_code'),
    errno: errnoName(view.getInt32(at + SOCK_EXTENDED_ERR.at.ee_errno.offset, true)),
    from: offender.text,
  }
}
