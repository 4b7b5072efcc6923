// Sockets and their options, with the C plumbing (int in, int out, sockaddr in memory) done once.

import { readFileSync } from 'node:fs'
import { SOCK_FILTER, SOCK_FPROG, SOCKADDR_IN6, SOCKADDR_UN } from './abi.js'
import { type Address, readSockaddr, writeSockaddr } from './address.js'
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  O_CLOEXEC,
  SO_ATTACH_FILTER,
  SO_BINDTODEVICE,
  SO_NETNS_COOKIE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from './constants.js'
import { check, systemError } from './fail.js'
import { bind, close, connect, dup3, getsockname, getsockopt, setsockopt, socket } from './libc.js'
import { putPointer, slab } from './memory.js'

// One scratch slab a thread: cold calls only, none of them re-enters.
const scratch = slab(16384)

/** A non-blocking socket that children do not inherit. */
export function openSocket(family: 4 | 6, type: number, protocol: number): number {
  const domain = family === 4 ? AF_INET : AF_INET6
  const name = `socket(${family === 4 ? 'AF_INET' : 'AF_INET6'})`
  return check(socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), name, SOCKET_HINTS, 'CAP_NET_RAW')
}

const SOCKET_HINTS = {
  EAFNOSUPPORT: 'this kernel has that address family switched off',
}

/** setsockopt with an int; returns 0 or -1 as C does. */
export function trySetOption(fd: number, level: number, name: number, value: number): number {
  scratch.view.setInt32(0, value, true)
  return setsockopt(fd, level, name, scratch.address, 4)
}

/** setsockopt with an int, or a SystemError that carries `label`. */
export function setOption(fd: number, level: number, name: number, value: number, label: string): void {
  check(trySetOption(fd, level, name, value), `setsockopt(${label})`)
}

/** getsockopt of an int, or -1. */
export function getOption(fd: number, level: number, name: number): number {
  scratch.view.setUint32(8, 4, true)
  return getsockopt(fd, level, name, scratch.address, scratch.address + 8) < 0 ? -1 : scratch.view.getInt32(0, true)
}

/** SO_BINDTODEVICE: only this device, or the devices of this VRF. */
export function bindToDevice(fd: number, device: string): void {
  const name = Buffer.from(`${device}\0`)
  scratch.bytes.set(name, 0)
  check(
    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, scratch.address, name.length),
    `setsockopt(SO_BINDTODEVICE, ${device})`,
  )
}

/** bind(2) to a local underlay address. */
export function bindTo(fd: number, address: Address, port = 0): void {
  const length = writeSockaddr(scratch, 0, address, port)
  check(bind(fd, scratch.address, length), `bind(${address.text})`, {
    EADDRNOTAVAIL: 'no address of this host; see `ip address`',
  })
}

/** connect(2); on a datagram or raw socket this sends nothing, it chooses route and source. */
export function connectTo(fd: number, address: Address, port = 0): void {
  const length = writeSockaddr(scratch, 0, address, port)
  check(connect(fd, scratch.address, length), `connect(${address.text})`)
}

/** Has descriptor `fd` stand for what `other` stands for, in one step; what it stood for is closed. */
export function replaceDescriptor(fd: number, other: number): void {
  check(dup3(other, fd, O_CLOEXEC), 'dup3')
}

/** The local address of a bound or connected socket. */
export function localAddress(fd: number): Address {
  scratch.view.setUint32(64, SOCKADDR_IN6.size, true)
  check(getsockname(fd, scratch.address, scratch.address + 64), 'getsockname')
  return readSockaddr(scratch, 0)
}

/** One instruction of a classic BPF program (linux/filter.h): opcode, jump if true, jump if false, constant. */
export type FilterInstruction = readonly [code: number, jt: number, jf: number, k: number]

/** SO_ATTACH_FILTER; replaces a filter that is there in one step. @throws SystemError ENOMEM beyond net.core.optmem_max */
export function attachFilter(fd: number, program: readonly FilterInstruction[]): void {
  const body = SOCK_FPROG.size
  const { view, address } = slab(body + program.length * SOCK_FILTER.size)
  view.setUint16(SOCK_FPROG.at.len.offset, program.length, true)
  putPointer(view, SOCK_FPROG.at.filter.offset, address + body)
  program.forEach(([code, jt, jf, k], index) => {
    const at = body + index * SOCK_FILTER.size
    view.setUint16(at + SOCK_FILTER.at.code.offset, code, true)
    view.setUint8(at + SOCK_FILTER.at.jt.offset, jt)
    view.setUint8(at + SOCK_FILTER.at.jf.offset, jf)
    view.setUint32(at + SOCK_FILTER.at.k.offset, k >>> 0, true)
  })
  check(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, address, SOCK_FPROG.size), 'setsockopt(SO_ATTACH_FILTER)')
}

/**
 * Binds a datagram socket to a name in the abstract Unix namespace (unix(7)), which belongs to the network namespace and
 * frees itself when the holder dies. Returns the fd that holds it, undefined when somebody else does.
 */
export function holdAbstractName(name: string): number | undefined {
  const fd = check(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket(AF_UNIX)')
  const path = SOCKADDR_UN.at.sun_path.offset
  const text = Buffer.from(name).subarray(0, SOCKADDR_UN.at.sun_path.size - 1)
  scratch.view.setUint16(SOCKADDR_UN.at.sun_family.offset, AF_UNIX, true)
  scratch.bytes[path] = 0 // the leading NUL is what makes a name abstract
  scratch.bytes.set(text, path + 1)
  if (bind(fd, scratch.address, path + 1 + text.length) === 0) return fd
  const error = systemError('bind(AF_UNIX)')
  close(fd)
  if (error.code === 'EADDRINUSE') return undefined
  throw error
}

/** The names that are held in this network namespace. Only read: a try to hold one would refuse it to whom it belongs. */
export function heldAbstractNames(): string[] {
  // proc shows the leading NUL as `@`.
  const names = readFileSync('/proc/net/unix', 'utf8').matchAll(/ @(\S+)$/gm)
  return [...names].map(([, name]) => name!)
}

/** A number no other network namespace has had since the boot; undefined before Linux 5.14. Inode numbers are used again. */
export function namespaceCookie(): bigint | undefined {
  const fd = check(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket(AF_UNIX)')
  scratch.view.setUint32(8, 8, true)
  const failed = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, scratch.address, scratch.address + 8) < 0
  close(fd)
  return failed ? undefined : scratch.view.getBigUint64(0, true)
}
