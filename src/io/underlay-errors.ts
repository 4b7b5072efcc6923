// What an errno of the underlay means for the frame that met it, and the three that end the tunnel (measured on a raw
// socket: link down ENETUNREACH, blackhole route EINVAL, prohibit route EACCES, firewall EPERM).

import { DROP } from '../drops.js'
import { ERRNO } from '../sys/errno.js'

/** The descriptor or our memory is wrong: nothing will ever pass again. */
export function isFatal(error: number): boolean {
  return error === ERRNO.EBADF || error === ERRNO.ENOTSOCK || error === ERRNO.EFAULT
}

const codes = new Map<number, number>([
  [ERRNO.EMSGSIZE, DROP['too-big']],
  [ERRNO.EPERM, DROP.firewall],
  [ERRNO.ENOBUFS, DROP['queue-full']],
  [ERRNO.ENOMEM, DROP['queue-full']],
  [ERRNO.EAGAIN, DROP['queue-full']],
  [ERRNO.ECONNREFUSED, DROP['peer-refused']],
  [ERRNO.ENOPROTOOPT, DROP['peer-refused']],
  [ERRNO.EPROTO, DROP['peer-refused']], // ICMPv6 parameter problem: nobody there takes next header 47
])

/** The drop code for a frame whose packet met `error`; what is not listed is a route that does not carry. */
export function sendDropCode(error: number): number {
  return codes.get(error) ?? DROP['no-route']
}
