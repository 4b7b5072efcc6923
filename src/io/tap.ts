// The TAP: the tunnel's end in the overlay. One read or write a frame, no packet information (IFF_NO_PI). With offload a
// frame has a virtio_net_hdr in front of it, may be a superframe of up to 64 KiB, and may lack its checksum.
// open-tap.ts makes one; the pump's thread makes another on the same descriptor.

import { DROP, type DropCounters } from '../drops.js'
import type { SystemError } from '../errors.js'
import type { Offload } from '../offload/gso.js'
import { TUNSETCARRIER } from '../sys/constants.js'
import { ERRNO } from '../sys/errno.js'
import { systemError } from '../sys/fail.js'
import { close, errno, ioctl, read, write, writev } from '../sys/libc.js'
import { slab } from '../sys/memory.js'
import { type Batch, HEADROOM, SLOT_BYTES } from './batch.js'
import { PieceList } from './piece-list.js'
import type { Port } from './port.js'
import { readVnetHeader, VNET_HEADER_BYTES, writeVnetHeader } from './vnet-header.js'

const TOO_BIG = DROP['too-big']
const TAP_DOWN = DROP['tap-down']
const QUEUE_FULL = DROP['queue-full']
const { EAGAIN, EBADF, EBADFD, EFAULT, EINTR, EMSGSIZE, ENOBUFS, ENOMEM } = ERRNO

/** After so many bytes a read ends: what waits for the other direction waits no longer than these take to be sent. */
const READ_BYTES = 256 << 10

/** The data path of a TAP. */
export class TapPort implements Port {
  readonly fd: number
  readonly name: string
  readonly offload: Offload
  readonly #mtu: () => number
  /** Bytes in front of every frame that are the kernel's. */
  readonly #before: number
  readonly #vnet = slab(VNET_HEADER_BYTES)
  readonly #pieces = new PieceList()
  readonly #leave: () => void
  #closed = false

  /** `mtu` tells it as it is now; `leave` closes the descriptor, and may do more. */
  constructor(
    fd: number,
    name: string,
    mtu: () => number,
    offload: Offload = 'off',
    leave: () => void = () => close(fd),
  ) {
    this.fd = fd
    this.name = name
    this.#mtu = mtu
    this.offload = offload
    this.#before = offload === 'off' ? 0 : VNET_HEADER_BYTES
    this.#leave = leave
  }

  get mtu(): number {
    return this.#mtu()
  }

  read(into: Batch, _drops: DropCounters): number {
    const { address } = into.memory
    const { offset, length, slots } = into
    const before = this.#before
    into.clear()
    for (let i = 0, total = 0; i < slots && total < READ_BYTES; i++) {
      const at = i * SLOT_BYTES + HEADROOM
      const size = read(this.fd, address + at - before, SLOT_BYTES - HEADROOM + before) - before
      if (size < 0) {
        const error = errno()
        if (error === EBADFD || error === EBADF || error === EFAULT) throw this.#gone('read')
        break
      }
      offset[i] = at
      length[i] = size
      if (before === 0) into.setWhole(i)
      else readVnetHeader(into, i)
      total += size
      into.count = i + 1
    }
    return into.count
  }

  write(from: Batch, drops: DropCounters): void {
    while (from.head < from.count) {
      const first = from.head
      let end = first + 1
      while (end < from.count && from.joined[end] > 0) end++
      const written = this.#before === 0 ? this.#writeFrame(from, first) : this.#writeOffloaded(from, first, end)
      if (written >= 0) {
        while (from.head < end) from.advance()
        continue
      }
      const error = errno()
      if (error === EINTR) continue
      drops[this.#dropCode(error)] += end - first
      from.head = end
    }
  }

  #writeFrame(from: Batch, i: number): number {
    const payload = from.memory.address + from.offset[i]
    const header = from.headerLength[i]
    if (header === 0) return write(this.fd, payload, from.length[i])
    this.#pieces.set(0, from.headers.address + from.headerOffset[i], header)
    this.#pieces.set(1, payload, from.length[i])
    return writev(this.fd, this.#pieces.address, 2)
  }

  /** Entry `first`, and the payload of those that go on with it up to `end`, behind one virtio_net_hdr. */
  #writeOffloaded(from: Batch, first: number, end: number): number {
    const { address } = from.memory
    const pieces = this.#pieces
    writeVnetHeader(from, first, this.#vnet.bytes, 0)
    pieces.set(0, this.#vnet.address, VNET_HEADER_BYTES)
    pieces.set(1, from.headers.address + from.headerOffset[first], from.headerLength[first]) // mostly of no length
    for (let i = first; i < end; i++) {
      const skipped = from.joined[i]
      pieces.set(2 + i - first, address + from.offset[i] + skipped, from.length[i] - skipped)
    }
    return writev(this.fd, pieces.address, 2 + end - first)
  }

  /** As `ip link` shows it (NO-CARRIER); a kernel without it (before 4.20) leaves it on. */
  setCarrier(on: boolean): void {
    const flag = slab(4)
    flag.view.setInt32(0, on ? 1 : 0, true)
    ioctl(this.fd, TUNSETCARRIER, flag.address)
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
  }
}
