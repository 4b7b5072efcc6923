// One network device seen through the classic ioctls (netdevice(7)): MTU, hardware address, up or down.
// Each setter returns the step that puts back what it found.

import { IFREQ, SOCKADDR } from './abi.js'
import {
  AF_INET,
  ARPHRD_ETHER,
  IFF_UP,
  IFNAMSIZ,
  SIOCGIFFLAGS,
  SIOCGIFHWADDR,
  SIOCGIFMTU,
  SIOCSIFFLAGS,
  SIOCSIFHWADDR,
  SIOCSIFMTU,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
} from './constants.js'
import { check } from './fail.js'
import { close, ioctl, socket } from './libc.js'
import { slab } from './memory.js'

const request = slab(IFREQ.size)
const FLAGS = IFREQ.at.ifr_flags.offset
const MTU = IFREQ.at.ifr_mtu.offset
const HWADDR = IFREQ.at.ifr_hwaddr.offset

export class Link {
  readonly name: string
  #socket: number

  constructor(name: string) {
    this.name = name
    this.#socket = check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket(AF_INET)')
  }

  /** An ifreq with this name and flags; its address is valid until the next call of this module. */
  static request(name: string, flags = 0): number {
    request.bytes.fill(0)
    request.bytes.set(Buffer.from(name).subarray(0, IFNAMSIZ - 1), 0)
    request.view.setUint16(FLAGS, flags, true)
    return request.address
  }

  exists(): boolean {
    return ioctl(this.#socket, SIOCGIFFLAGS, Link.request(this.name)) === 0
  }

  get mtu(): number {
    this.#ask(SIOCGIFMTU, 'SIOCGIFMTU')
    return request.view.getInt32(MTU, true)
  }

  setMtu(mtu: number): () => void {
    const before = this.mtu
    this.#putMtu(mtu)
    return () => this.#putMtu(before)
  }

  setMac(mac: string): () => void {
    this.#ask(SIOCGIFHWADDR, 'SIOCGIFHWADDR')
    const at = HWADDR + SOCKADDR.at.sa_data.offset
    const before = request.bytes.slice(at, at + 6)
    const putMac = (octets: Uint8Array) => {
      Link.request(this.name)
      request.view.setUint16(HWADDR, ARPHRD_ETHER, true)
      request.bytes.set(octets, at)
      check(ioctl(this.#socket, SIOCSIFHWADDR, request.address), `ioctl(SIOCSIFHWADDR, ${this.name}, ${mac})`)
    }
    putMac(Uint8Array.from(mac.split(':'), (octet) => Number.parseInt(octet, 16)))
    return () => putMac(before)
  }

  get isUp(): boolean {
    this.#ask(SIOCGIFFLAGS, 'SIOCGIFFLAGS')
    return (request.view.getUint16(FLAGS, true) & IFF_UP) !== 0
  }

  setUp(): () => void {
    this.#ask(SIOCGIFFLAGS, 'SIOCGIFFLAGS')
    const before = request.view.getUint16(FLAGS, true)
    if (before & IFF_UP) return () => {}
    this.#putFlags(before | IFF_UP)
    return () => this.#putFlags(before)
  }

  /** Idempotent: a number that was closed may be another's by then. */
  close(): void {
    if (this.#socket < 0) return
    close(this.#socket)
    this.#socket = -1
  }

  #ask(code: number, label: string): void {
    check(ioctl(this.#socket, code, Link.request(this.name)), `ioctl(${label}, ${this.name})`)
  }

  #putMtu(mtu: number): void {
    Link.request(this.name)
    request.view.setInt32(MTU, mtu, true)
    check(ioctl(this.#socket, SIOCSIFMTU, request.address), `ioctl(SIOCSIFMTU, ${this.name}, ${mtu})`)
  }

  #putFlags(flags: number): void {
    check(ioctl(this.#socket, SIOCSIFFLAGS, Link.request(this.name, flags)), `ioctl(SIOCSIFFLAGS, ${this.name})`)
  }
}

/** Whether a device is up. @throws SystemError ENODEV where there is none */
export function isLinkUp(name: string): boolean {
  const link = new Link(name)
  try {
    return link.isUp
  } finally {
    link.close()
  }
}
