// Opens a TAP: makes it or takes over one that is there, asks the kernel for as much offload as it has, and leaves a foreign
// one as it was found. A TAP of ours lives as long as its descriptor.

import { ConfigError } from '../errors.js'
import { OFFLOADS, type Offload, reaches } from '../offload/gso.js'
import {
  IFF_NO_PI,
  IFF_TAP,
  IFF_VNET_HDR,
  IFNAMSIZ,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  TUN_F_CSUM,
  TUN_F_TSO_ECN,
  TUN_F_TSO4,
  TUN_F_TSO6,
  TUN_F_USO4,
  TUN_F_USO6,
  TUNGETVNETHDRSZ,
  TUNSETIFF,
  TUNSETOFFLOAD,
  TUNSETVNETHDRSZ,
} from '../sys/constants.js'
import { check, systemError } from '../sys/fail.js'
import { close, ioctl, open } from '../sys/libc.js'
import { Link } from '../sys/link.js'
import { slab } from '../sys/memory.js'
import { hasVnetHeader, resetTap } from '../sys/tap-state.js'
import { TapPort } from './tap.js'
import { VNET_HEADER_BYTES } from './vnet-header.js'

export interface TapOptions {
  /** At most 15 bytes, as the kernel names devices. */
  name: string
  /** Layer-3 MTU in bytes; as found, or 1500 for a new TAP, when absent. */
  mtu?: number
  /** `02:00:00:00:00:01`; a new TAP gets a random one starting `fe:` when absent. */
  mac?: string
  /** Whether to set the TAP up. Default true; false leaves it to the caller (bridge first, then up). */
  up?: boolean
  /** The most to ask the kernel for. Default 'off': whole frames, as a program reads them that knows nothing of offload. */
  offload?: Offload
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
    const hadHeader = existed && hasVnetHeader(name)
    const fd = attach(name, options.offload !== undefined && options.offload !== 'off' ? IFF_VNET_HDR : 0)
    const undo: (() => void)[] = []
    try {
      const offload = negotiate(fd, options.offload ?? 'off', existed, undo)
      if (offload === undefined) {
        close(fd)
        return openTap({ ...options, offload: 'off' })
      }
      if (options.mtu !== undefined && link.mtu !== options.mtu) undo.push(link.setMtu(options.mtu))
      if (options.mac ?? !existed) undo.push(link.setMac(options.mac ?? randomMac()))
      if (options.up !== false) undo.push(link.setUp())
      return new TapPort(fd, name, mtuOf(link), offload, () => leave(fd, link, existed, undo, hadHeader))
    } catch (error) {
      leave(fd, link, existed, undo, hadHeader)
      throw error
    }
  } catch (error) {
    link.close()
    throw error
  }
}

/** The MTU as it is now; as it was last where the device is gone. */
function mtuOf(link: Link): () => number {
  let { mtu } = link
  return () => {
    try {
      mtu = link.mtu
    } catch {
      // the one known
    }
    return mtu
  }
}

/** Lets go of the TAP. One that was there gets its settings back, and its header or none. */
function leave(fd: number, link: Link, existed: boolean, undo: (() => void)[], hadHeader: boolean): void {
  const taken = existed && link.exists()
  if (taken) for (const step of undo.reverse()) step()
  close(fd)
  if (taken) resetTap(link.name, hadHeader)
  link.close()
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

/** TUNSETOFFLOAD's flags by level. USO4 and USO6 go together and need CSUM (drivers/net/tun.c, from Linux 6.2 on). */
const FLAGS: Readonly<Record<Offload, number>> = {
  off: 0,
  csum: TUN_F_CSUM,
  tso: TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
  uso: TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6,
}

/**
 * Sets the most offload up to `wanted` that the kernel takes, and says which; undefined where it takes none. On a TAP that
 * was there the last program may have left anything, so nothing is left unset.
 */
function negotiate(fd: number, wanted: Offload, existed: boolean, undo: (() => void)[]): Offload | undefined {
  if (wanted !== 'off') {
    const before = headerSize(fd, TUNGETVNETHDRSZ)
    headerSize(fd, TUNSETVNETHDRSZ, VNET_HEADER_BYTES)
    if (existed && before !== VNET_HEADER_BYTES) undo.push(() => headerSize(fd, TUNSETVNETHDRSZ, before))
  }
  const levels = OFFLOADS.filter(
    (level) => reaches(wanted, level) && (level === 'off') === (wanted === 'off'),
  ).reverse()
  const granted = levels.find((level) => ioctl(fd, TUNSETOFFLOAD, FLAGS[level]) === 0)
  return granted
}

/** Asks for the size of the virtio_net_hdr, or sets it; returns it. */
function headerSize(fd: number, request: number, bytes = 0): number {
  const int = slab(8)
  int.view.setInt32(0, bytes, true)
  check(ioctl(fd, request, int.address), 'ioctl(VNETHDRSZ)')
  return int.view.getInt32(0, true)
}

function attach(name: string, flags: number): number {
  const fd = check(
    open('/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC),
    'open(/dev/net/tun)',
    OPEN_HINTS,
    'CAP_NET_ADMIN',
  )
  if (ioctl(fd, TUNSETIFF, Link.request(name, IFF_TAP | IFF_NO_PI | flags)) === 0) return fd
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
