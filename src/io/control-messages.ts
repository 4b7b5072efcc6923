// What the kernel says beside a message that was received (cmsg(3)): where the data of a control message lies. Allocates nothing.

import { CMSGHDR, SOCK_EXTENDED_ERR } from '../sys/abi.js'
import {
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  SO_EE_ORIGIN_ICMP,
  SO_EE_ORIGIN_ICMP6,
} from '../sys/constants.js'

const NONE = -1

/** Where the data of that level and type begins, of the control messages from `from` to `end`; -1 where there is none. */
export function findControl(view: DataView, from: number, end: number, level: number, type: number): number {
  let at = from
  while (at + CMSGHDR.size < end) {
    if (
      view.getInt32(at + CMSGHDR.at.cmsg_level.offset, true) === level &&
      view.getInt32(at + CMSGHDR.at.cmsg_type.offset, true) === type
    )
      return at + CMSGHDR.size
    const length = view.getUint32(at + CMSGHDR.at.cmsg_len.offset, true)
    if (length === 0) return NONE
    at += (length + 7) & ~7
  }
  return NONE
}

/** Of a message from an error queue, where its SOCK_EXTENDED_ERR begins, if ICMP brought it; -1 for what our own kernel refused, which the call that failed has said. */
export function findIcmpError(view: DataView, from: number, end: number): number {
  const four = findControl(view, from, end, IPPROTO_IP, IP_RECVERR)
  const at = four < 0 ? findControl(view, from, end, IPPROTO_IPV6, IPV6_RECVERR) : four
  if (at < 0 || at + SOCK_EXTENDED_ERR.size > end) return NONE
  const origin = view.getUint8(at + SOCK_EXTENDED_ERR.at.ee_origin.offset)
  return origin === SO_EE_ORIGIN_ICMP || origin === SO_EE_ORIGIN_ICMP6 ? at : NONE
}
