// What the kernel's routing says about the way to a remote, without sending anything: connect(2) on a UDP socket picks
// route and source address, and IP_MTU tells the route's MTU.

import type { Address } from '../sys/address.js'
import { IP_MTU, IPPROTO_IP, IPPROTO_IPV6, IPV6_MTU, SOCK_DGRAM } from '../sys/constants.js'
import { close } from '../sys/libc.js'
import { bindTo, bindToDevice, connectTo, getOption, localAddress, openSocket } from '../sys/sockets.js'

export interface UnderlayPath {
  /** The source address the kernel would choose. */
  readonly local: Address
  /** MTU of the route in bytes. */
  readonly mtu: number
}

const DISCARD_PORT = 9 // any port does: nothing is sent

/**
 * Asks the kernel for the way to `remote`.
 * @throws SystemError ENETUNREACH where there is none, EACCES for a broadcast address
 */
export function underlayPath(remote: Address, options: { local?: Address; dev?: string | undefined }): UnderlayPath {
  const fd = openSocket(remote.family, SOCK_DGRAM, 0)
  try {
    if (options.dev) bindToDevice(fd, options.dev)
    if (options.local) bindTo(fd, options.local)
    connectTo(fd, remote, DISCARD_PORT)
    const found = localAddress(fd)
    const local = remote.zone ? { ...found, zone: remote.zone, text: `${found.text}%${remote.zone}` } : found
    const mtu = remote.family === 4 ? getOption(fd, IPPROTO_IP, IP_MTU) : getOption(fd, IPPROTO_IPV6, IPV6_MTU)
    return { local, mtu }
  } finally {
    close(fd)
  }
}

/** MTU of the way to `remote` now; `before` where there is none: what is sent then says so itself. */
export function pathMtu(
  { local, remote, dev }: { local: Address; remote: Address; dev: string | undefined },
  before: number,
): number {
  try {
    return underlayPath(remote, { local, dev }).mtu
  } catch {
    return before
  }
}
