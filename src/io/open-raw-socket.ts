// Opens the sockets of the underlay port, in the order that lets nothing foreign slip in: filter shut, bind, connect,
// empty the queue, filter open.

import { type Address, writeSockaddr } from '../sys/address.js'
import {
  IP_PMTUDISC_DO,
  IP_PMTUDISC_DONT,
  IPPROTO_GRE,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_RAW,
  SOL_SOCKET,
} from '../sys/constants.js'
import { close, read } from '../sys/libc.js'
import { slab } from '../sys/memory.js'
import {
  attachFilter,
  bindTo,
  bindToDevice,
  connectTo,
  getOption,
  openSocket,
  setOption,
  trySetOption,
} from '../sys/sockets.js'
import { DROP_ALL, greFilter } from './gre-filter.js'
import { IP_OPTIONS } from './ip-options.js'
import { RawSocketPort } from './raw-socket.js'

/** Asked of the kernel for each direction: about 3 600 packets of 1500 bytes (measured; the kernel doubles what is asked). */
export const SOCKET_BUFFER_BYTES = 4 << 20

export interface RawSocketOptions {
  readonly local: Address
  readonly remote: Address
  /** Key expected on received packets; undefined for none. */
  readonly keyIn?: number | undefined
  /** Bind to this device or VRF. */
  readonly dev?: string | undefined
  /** Outer TTL or hop limit, 1–255. Default 64. */
  readonly ttl?: number
  /** Outer TOS or traffic class. Default 0. */
  readonly tos?: number
  /** MTU of the underlay towards the remote, in bytes. */
  readonly mtu: number
}

/**
 * Opens, binds, connects and filters the sockets.
 * @param warn is told, in one sentence, when the kernel grants smaller buffers than asked
 * @throws SystemError EPERM without CAP_NET_RAW, EADDRNOTAVAIL when `local` is not of this host
 */
export function openRawSocket(options: RawSocketOptions, warn: (message: string) => void = () => {}): RawSocketPort {
  const { local, remote, dev, tos = 0, mtu } = options
  const fd = openOne(options, IP_PMTUDISC_DO)
  try {
    const numbers = IP_OPTIONS[local.family]
    growSocketBuffers(fd, warn)
    setOption(fd, numbers.level, numbers.errors, 1, 'RECVERR')
    if (local.family === 6) setOption(fd, numbers.level, numbers.tellTos, 1, 'IPV6_RECVTCLASS') // IPv4's is in the header
    attachFilter(fd, greFilter(local.family, options.keyIn))
    // Connected to ourselves: of what the remote sends the kernel would make a copy for each socket, to drop it there.
    const fragmentingFd = openOne({ ...options, remote: local }, IP_PMTUDISC_DONT)
    const memory = slab(32)
    const sockaddr = memory.bytes.slice(0, writeSockaddr(memory, 0, remote))
    return new RawSocketPort({ kind: 'raw', fd, fragmentingFd, local, remote, dev, sockaddr, tos, mtu })
  } catch (error) {
    close(fd)
    throw error
  }
}

/** A socket that sends, and receives nothing until it is given another filter. */
function openOne(options: RawSocketOptions, discover: number): number {
  const { local, remote, dev, ttl = 64, tos = 0 } = options
  const fd = openSocket(local.family, SOCK_RAW, IPPROTO_GRE)
  try {
    attachFilter(fd, DROP_ALL)
    if (dev) bindToDevice(fd, dev)
    const numbers = IP_OPTIONS[local.family]
    setOption(fd, numbers.level, numbers.discover, discover, 'MTU_DISCOVER')
    setOption(fd, numbers.level, numbers.ttl, ttl, 'TTL')
    setOption(fd, numbers.level, numbers.tos, tos, 'TOS')
    bindTo(fd, local)
    connectTo(fd, remote)
    drain(fd)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

/** What came between socket() and the shut filter was anybody's. */
function drain(fd: number): void {
  const octet = slab(1)
  while (read(fd, octet.address, 1) >= 0);
}

/** What growBuffers needs of a socket. */
export interface BufferOptions {
  /** Whether the kernel took it. */
  set(name: number, bytes: number): boolean
  get(name: number): number
}

/** Asks for larger socket buffers, and tells by `warn` when the kernel grants less. */
export function growBuffers(socket: BufferOptions, warn: (message: string) => void): void {
  for (const [name, force, label, sysctl] of [
    [SO_RCVBUF, SO_RCVBUFFORCE, 'receive', 'net.core.rmem_max'],
    [SO_SNDBUF, SO_SNDBUFFORCE, 'send', 'net.core.wmem_max'],
  ] as const) {
    // The forced form needs CAP_NET_ADMIN in the initial user namespace; the other is capped by the sysctl.
    if (!socket.set(force, SOCKET_BUFFER_BYTES)) socket.set(name, SOCKET_BUFFER_BYTES)
    const granted = socket.get(name) / 2 // the kernel doubles what was asked, for its own bookkeeping
    if (granted < SOCKET_BUFFER_BYTES) {
      warn(`the kernel grants a ${label} buffer of ${granted} bytes, not ${SOCKET_BUFFER_BYTES}: raise ${sysctl}`)
    }
  }
}

/** growBuffers of a descriptor. */
export function growSocketBuffers(fd: number, warn: (message: string) => void): void {
  growBuffers(bufferOptions(fd), warn)
}

function bufferOptions(fd: number): BufferOptions {
  return {
    set: (name, bytes) => trySetOption(fd, SOL_SOCKET, name, bytes) === 0,
    get: (name) => getOption(fd, SOL_SOCKET, name),
  }
}
