// What a persistent TAP keeps of its last program: whether frames have a virtio_net_hdr, and which offload is on. Seen by
// `ip -details link`; set only by attaching, which needs the TAP to be free.

import { readFileSync } from 'node:fs'
import { IFF_NO_PI, IFF_TAP, IFF_VNET_HDR, O_CLOEXEC, O_RDWR, TUNSETIFF, TUNSETOFFLOAD } from './constants.js'
import { close, ioctl, open } from './libc.js'
import { Link } from './link.js'

/** Whether the TAP `name` has the header now; false where there is none, or no sysfs to ask. */
export function hasVnetHeader(name: string): boolean {
  try {
    return (Number(readFileSync(`/sys/class/net/${name}/tun_flags`, 'latin1')) & IFF_VNET_HDR) !== 0
  } catch {
    return false
  }
}

/** Switches all offload of the TAP `name` off, and its header on or off. A TAP that somebody holds is left: it is theirs. */
export function resetTap(name: string, vnetHeader: boolean): void {
  const fd = open('/dev/net/tun', O_RDWR | O_CLOEXEC)
  if (fd < 0) return
  if (ioctl(fd, TUNSETIFF, Link.request(name, IFF_TAP | IFF_NO_PI | (vnetHeader ? IFF_VNET_HDR : 0))) === 0) {
    ioctl(fd, TUNSETOFFLOAD, 0)
  }
  close(fd)
}
