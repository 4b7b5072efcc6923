// The socket options that IPv4 and IPv6 have alike under other numbers: what the outer header of a packet gets.

import {
  IP_MTU_DISCOVER,
  IP_RECVERR,
  IP_RECVTOS,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MTU_DISCOVER,
  IPV6_RECVERR,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  IPV6_UNICAST_HOPS,
} from '../sys/constants.js'
import { IPV4_BYTES } from '../wire/ipv4.js'
import { IPV6_BYTES } from '../wire/ipv6.js'

/** Level and option numbers by family: DF and path MTU discovery, TTL or hop limit, TOS or traffic class, what is told beside. */
export const IP_OPTIONS = {
  4: {
    level: IPPROTO_IP,
    discover: IP_MTU_DISCOVER,
    ttl: IP_TTL,
    tos: IP_TOS,
    errors: IP_RECVERR,
    tellTos: IP_RECVTOS,
  },
  6: {
    level: IPPROTO_IPV6,
    discover: IPV6_MTU_DISCOVER,
    ttl: IPV6_UNICAST_HOPS,
    tos: IPV6_TCLASS,
    errors: IPV6_RECVERR,
    tellTos: IPV6_RECVTCLASS,
  },
} as const

/** Octets of an outer IP header without options or extensions. */
export const OUTER_BYTES = { 4: IPV4_BYTES, 6: IPV6_BYTES } as const

/** Octets of a UDP header. */
export const UDP_BYTES = 8
