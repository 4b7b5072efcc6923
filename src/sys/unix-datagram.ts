// One datagram to a Unix socket, by path or by abstract name (unix(7)): what sd_notify(3) speaks, and Node has no socket for.
// Nothing is read. Invariant: it never waits and never throws for what the receiver does; the errno's name is the answer.

import { SOCKADDR_UN } from './abi.js'
import { AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from './constants.js'
import { errnoName } from './errno.js'
import { check } from './fail.js'
import { close, errno, sendto, socket } from './libc.js'
import { slab } from './memory.js'

const PATH = SOCKADDR_UN.at.sun_path

/**
 * The octets of sun_path for `name`: `/run/x` with the NUL that ends it, `@x` with a NUL in place of the `@`.
 * undefined where it is neither, or does not fit.
 */
function pathOctets(name: string): Buffer | undefined {
  const abstract = name.startsWith('@')
  if (!(abstract && name.length > 1) && !name.startsWith('/')) return undefined
  const octets = Buffer.from(abstract ? `\0${name.slice(1)}` : `${name}\0`)
  return octets.length <= PATH.size ? octets : undefined
}

/** Whether `name` can be the address of a Unix socket: an absolute path or `@` and an abstract name, of at most 107 octets. */
export function isUnixAddress(name: string): boolean {
  return pathOctets(name) !== undefined
}

/** Sends `text` to the socket of that name; undefined when it went, else the name of the errno. */
export function sendUnixDatagram(name: string, text: string): string | undefined {
  const path = pathOctets(name)
  if (!path) return 'EINVAL'
  const body = Buffer.from(text)
  const memory = slab(PATH.offset + PATH.size + body.length)
  const length = PATH.offset + path.length
  memory.view.setUint16(SOCKADDR_UN.at.sun_family.offset, AF_UNIX, true)
  memory.bytes.set(path, PATH.offset)
  memory.bytes.set(body, length)
  const fd = check(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), 'socket(AF_UNIX)')
  const sent = sendto(fd, memory.address + length, body.length, 0, memory.address, length)
  const failed = sent < 0 ? errnoName(errno()) : undefined
  close(fd)
  return failed
}
