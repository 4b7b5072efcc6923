// Opens the sockets of the underlay port, in the order that lets nothing foreign slip in: filter shut, bind, empty the queue,
// filter open.

import type { SystemError } from '../errors.js'
import type { Address } from '../sys/address.js'
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
  type FilterInstruction,
  getOption,
  openSocket,
  setOption,
  trySetOption,
} from '../sys/sockets.js'
import { DROP_ALL, type FilteredPeer, greFilter, PASS_ALL, senderFilter } from './gre-filter.js'
import { IP_OPTIONS } from './ip-options.js'
import type { PeerWay } from './peer-ways.js'
import { RawSocketPort } from './raw-socket.js'

/** Asked of the kernel for each direction: about 3 600 packets of 1500 bytes (measured; the kernel doubles what is asked). */
export const SOCKET_BUFFER_BYTES = 4 << 20

/** A remote of an underlay port. */
export interface Remote extends PeerWay {
  /** Key expected on its packets; undefined for none. */
  readonly keyIn?: number | undefined
}

export interface UnderlayOptions {
  readonly local: Address
  /** At most MOST_PEERS, of one family, no two with one address. */
  readonly remotes: readonly Remote[]
  /** Bind to this device or VRF. */
  readonly dev?: string | undefined
  /** Outer TTL or hop limit, 1–255. Default 64. */
  readonly ttl?: number
  /** Outer TOS or traffic class. Default 0. */
  readonly tos?: number
}

/**
 * Opens, binds and filters the sockets.
 * @param warn is told, in one sentence, when the kernel grants smaller buffers than asked
 * @throws SystemError EPERM without CAP_NET_RAW, EADDRNOTAVAIL when `local` is not of this host
 */
export function openRawSocket(options: UnderlayOptions, warn: (message: string) => void = () => {}): RawSocketPort {
  const { local, remotes, dev, tos = 0 } = options
  const opened: number[] = []
  const open = (discover: number) => {
    const fd = openOne(options, discover)
    opened.push(fd)
    return fd
  }
  try {
    const fd = open(IP_PMTUDISC_DO)
    const numbers = IP_OPTIONS[local.family]
    growSocketBuffers(fd, warn)
    setOption(fd, numbers.level, numbers.errors, 1, 'RECVERR')
    if (local.family === 6) setOption(fd, numbers.level, numbers.tellTos, 1, 'IPV6_RECVTCLASS') // IPv4's is in the header
    filterRemotes(fd, local.family, remotes)
    const sendFd = open(IP_PMTUDISC_DO)
    const fragmentingFd = open(IP_PMTUDISC_DONT)
    growSocketBuffers(sendFd, () => {}) // it was told
    // Of what the remotes send the kernel would make a copy for each socket, to drop it there.
    for (const sender of [sendFd, fragmentingFd]) connectTo(sender, local)
    return new RawSocketPort({ kind: 'raw', fd, sendFd, fragmentingFd, local, dev, ways: remotes.map(wayOf), tos })
  } catch (error) {
    for (const fd of opened) close(fd)
    throw error
  }
}

/**
 * Lets packets of these remotes through to the socket, and no others, as far as the kernel has room for a program that tells them
 * (net.core.optmem_max; the one that is there counts beside the one that is to come). What a shorter one lets through besides, the
 * port drops.
 */
export function filterRemotes(fd: number, family: 4 | 6, remotes: readonly Remote[]): void {
  const peers = remotes.map(({ address, keyIn }): FilteredPeer => ({ address: address.bytes, keyIn }))
  const programs = [greFilter(family, peers), senderFilter(family, peers), PASS_ALL]
  let finest = programs.findIndex((program) => fits(fd, program))
  // Now that a short one is there, there may be room for a longer one.
  while (finest > 0 && fits(fd, programs[finest - 1]!)) finest--
}

/** Whether the kernel has room for the filter; where it has none for the shortest either, that is an error. */
function fits(fd: number, program: readonly FilterInstruction[]): boolean {
  try {
    attachFilter(fd, program)
    return true
  } catch (error) {
    if (program === PASS_ALL || (error as SystemError).code !== 'ENOMEM') throw error
    return false
  }
}

/** What travels to the pump's thread of a remote. */
export function wayOf({ peer, address, mtu }: Remote): PeerWay {
  return { peer, address, mtu }
}

/** A socket that sends, and receives nothing until it is given another filter. */
function openOne(options: UnderlayOptions, discover: number): number {
  const { local, dev, ttl = 64, tos = 0 } = options
  const fd = openSocket(local.family, SOCK_RAW, IPPROTO_GRE)
  try {
    attachFilter(fd, DROP_ALL)
    if (dev) bindToDevice(fd, dev)
    const numbers = IP_OPTIONS[local.family]
    setOption(fd, numbers.level, numbers.discover, discover, 'MTU_DISCOVER')
    setOption(fd, numbers.level, numbers.ttl, ttl, 'TTL')
    setOption(fd, numbers.level, numbers.tos, tos, 'TOS')
    bindTo(fd, local)
    drain(fd)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

/** What came between socket() and the shut filter was anybody's. */
export function drain(fd: number): void {
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
