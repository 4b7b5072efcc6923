// The TAP: the tunnel's end in the overlay. One read or write a frame, no packet information (IFF_NO_PI).
// A TAP of ours lives as long as its descriptor; one made by `ip tuntap add` is taken over and left as it was found.

import { DROP, type DropCounters } from '../drops.js'
import { ConfigError, type SystemError } from '../errors.js'
import { IFF_NO_PI, IFF_TAP, IFNAMSIZ, O_CLOEXEC, O_NONBLOCK, O_RDWR, TUNSETIFF } from '../sys/constants.js'
import { ERRNO } from '../sys/errno.js'
import { check, systemError } from '../sys/fail.js'
import { close, errno, ioctl, open, read, write } from '../sys/libc.js'
import { Link } from '../sys/link.js'
import { type Batch, HEADROOM, SLOT_BYTES } from './batch.js'
import type { Port } from './port.js'

const TOO_BIG = DROP['too-big']
const TAP_DOWN = DROP['tap-down']
const QUEUE_FULL = DROP['queue-full']
const { EAGAIN, EBADF, EBADFD, EFAULT, EINTR, EMSGSIZE, ENOBUFS, ENOMEM } = ERRNO

export interface TapOptions {
  /** At most 15 bytes, as the kernel names devices. */
  name: string
  /** Layer-3 MTU in bytes; as found, or 1500 for a new TAP, when absent. */
  mtu?: number
  /** `02:00:00:00:00:01`; a new TAP gets a random one starting `fe:` when absent. */
  mac?: string
  /** Whether to set the TAP up. Default true; false leaves it to the caller (bridge first, then up). */
  up?: boolean
}

/** The data path of a TAP; also made from a bare descriptor in the pump's thread. */
export class TapPort implements Port {
  readonly fd: number
  readonly name: string
  readonly mtu: number
  readonly #leave: () => void
  #closed = false

  constructor(fd: number, name: string, mtu: number, leave: () => void = () => {}) {
    this.fd = fd
    this.name = name
    this.mtu = mtu
    this.#leave = leave
  }

  read(into: Batch, _drops: DropCounters): number {
    const { address } = into.memory
    const { offset, length, capacity } = into
    into.clear()
    for (let i = 0; i < capacity; i++) {
      const at = i * SLOT_BYTES + HEADROOM
      const size = read(this.fd, address + at, SLOT_BYTES - HEADROOM)
      if (size < 0) {
        const error = errno()
        if (error === EBADFD || error === EBADF || error === EFAULT) throw this.#gone('read')
        break
      }
      offset[i] = at
      length[i] = size
      into.count = i + 1
    }
    return into.count
  }

  write(from: Batch, drops: DropCounters): void {
    const { address } = from.memory
    const { offset, length, count } = from
    while (from.head < count) {
      const i = from.head
      if (write(this.fd, address + offset[i], length[i]) >= 0) {
        from.advance()
        continue
      }
      const error = errno()
      if (error === EINTR) continue
      drops[this.#dropCode(error)]++
      from.head++
    }
  }

  #dropCode(error: number): number {
    if (error === EBADFD || error === EBADF || error === EFAULT) throw this.#gone('write')
    if (error === ENOBUFS || error === ENOMEM || error === EAGAIN) return QUEUE_FULL
    return error === EMSGSIZE ? TOO_BIG : TAP_DOWN // EIO: not up (drivers/net/tun.c)
  }

  #gone(call: string): SystemError {
    return systemError(`${call}(${this.name})`, { EBADFD: 'the TAP was deleted' })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#leave()
    close(this.fd)
  }
}

/**
 * Opens the TAP `name`, making it where there is none.
 * @throws ConfigError TSGRE_BAD_TAP for a name that is too long, malformed, or taken by something that is no TAP
 * @throws SystemError EPERM without CAP_NET_ADMIN, ENOENT without /dev/net/tun, EBUSY when another program holds it
 */
export function openTap(options: TapOptions): TapPort {
  const { name } = options
  refuseTapName(name)
  const link = new Link(name)
  try {
    const existed = link.exists()
    const fd = attach(name)
    const undo: (() => void)[] = []
    try {
      if (options.mtu !== undefined && link.mtu !== options.mtu) undo.push(link.setMtu(options.mtu))
      if (options.mac ?? !existed) undo.push(link.setMac(options.mac ?? randomMac()))
      if (options.up !== false) undo.push(link.setUp())
      return new TapPort(fd, name, link.mtu, () => {
        if (existed && link.exists()) for (const step of undo.reverse()) step()
        link.close()
      })
    } catch (error) {
      if (existed) for (const step of undo.reverse()) step()
      close(fd)
      throw error
    }
  } catch (error) {
    link.close()
    throw error
  }
}

/**
 * What dev_valid_name() of net/core/dev.c refuses, what TUNSETIFF would take for a pattern, the end of a C string, and what
 * every command that is given the name would take for an option, `--tap` of tsgre too.
 */
export function refuseTapName(name: string): void {
  if (name === '') refuse(name, 'give the device a name, such as tap0')
  const size = Buffer.byteLength(name)
  if (size >= IFNAMSIZ) refuse(name, `a device name has at most ${IFNAMSIZ - 1} bytes, this one has ${size}`)
  if (name === '.' || name === '..' || /[/:\s%]/.test(name) || name.includes('\0')) {
    refuse(name, 'a device name has no "/", ":", "%" or space in it, and is neither "." nor ".."')
  }
  if (name.startsWith('-'))
    refuse(name, 'commands would take a name that starts with "-" for an option; choose another')
}

const OPEN_HINTS = {
  EACCES: 'the mode of /dev/net/tun forbids it: chmod 666 /dev/net/tun, or run as root',
  ENOENT: 'no /dev/net/tun: load the tun module, or give a container --device /dev/net/tun',
  ENODEV: 'no /dev/net/tun: load the tun module, or give a container --device /dev/net/tun',
}

function attach(name: string): number {
  const fd = check(
    open('/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC),
    'open(/dev/net/tun)',
    OPEN_HINTS,
    'CAP_NET_ADMIN',
  )
  if (ioctl(fd, TUNSETIFF, Link.request(name, IFF_TAP | IFF_NO_PI)) === 0) return fd
  const error = systemError(`ioctl(TUNSETIFF, ${name})`, {}, 'CAP_NET_ADMIN')
  close(fd)
  // tun_set_iff() of drivers/net/tun.c: EINVAL for a device of another kind, EBUSY for a TAP that is attached already
  if (error.code === 'EINVAL')
    refuse(name, 'a device of that name exists and is no TAP (or one made with multi_queue); choose another name')
  if (error.code === 'EBUSY') refuse(name, 'another program holds that TAP; choose another name')
  throw error
}

function refuse(name: string, why: string): never {
  throw new ConfigError('TSGRE_BAD_TAP', 'tap', name, `--tap ${JSON.stringify(name)}: ${why}`)
}

/** A locally administered unicast address above every hardware one, so that a bridge never takes it for its own. */
function randomMac(): string {
  const tail = Array.from({ length: 5 }, () =>
    Math.floor(Math.random() * 256)
      .toString(16)
      .padStart(2, '0'),
  )
  return ['fe', ...tail].join(':')
}
