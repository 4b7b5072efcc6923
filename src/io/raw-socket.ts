// The underlay port: raw IP sockets of protocol 47, a batch a system call. The kernel writes the outer IP header.
// The socket is bound and connected, so the kernel delivers only what the remote sends to our address, and filtered by
// key. On IPv4 a read gives the outer header too (skipped here, its TOS kept); on IPv6 the kernel has taken it off.
// A second socket, which clears DF, only sends: where frames ask for it, and what was cut for a path that has become narrower.

import { DROP, type DropCounters } from '../drops.js'
import type { Address } from '../sys/address.js'
import { MSG_DONTWAIT, MSG_TRUNC } from '../sys/constants.js'
import { ERRNO } from '../sys/errno.js'
import { systemError } from '../sys/fail.js'
import { close, errno, recvmmsg, sendmmsg } from '../sys/libc.js'
import { BATCH_ENTRIES, type Batch, SLOT_BYTES } from './batch.js'
import { ErrorQueue } from './error-queue.js'
import { OUTER_BYTES } from './ip-options.js'
import { MessageVector } from './message-vector.js'
import { OuterFragments } from './outer-fragments.js'
import type { Port } from './port.js'
import { ReceiveVector } from './receive-vector.js'
import { isFatal, sendDropCode } from './underlay-errors.js'
import { pathMtu } from './underlay-path.js'

const TOO_BIG = DROP['too-big']
/** Packets handed to the kernel in one call. */
const SEND_ENTRIES = 256
const { EAGAIN, EINTR, EMSGSIZE, ENOBUFS } = ERRNO

/** What a RawSocketPort stands on: plain data, so that it can travel to the pump's thread. */
export interface RawSocketHandle {
  readonly kind: 'raw'
  readonly fd: number
  /** The socket that lets the outer packet be fragmented. */
  readonly fragmentingFd: number
  readonly local: Address
  readonly remote: Address
  readonly dev: string | undefined
  /** The remote as a sockaddr. */
  readonly sockaddr: Uint8Array
  /** What the sockets send with when a frame asks for nothing else. */
  readonly tos: number
  readonly mtu: number
}

export class RawSocketPort implements Port {
  readonly fd: number
  readonly handle: RawSocketHandle
  readonly #family: 4 | 6
  readonly #send: MessageVector
  readonly #sendFragmenting: MessageVector
  readonly #receive: ReceiveVector
  readonly #errors = new ErrorQueue()
  readonly #fragments: OuterFragments
  #mtu: number
  #receiveInto: Batch | undefined
  #toReset = 0
  #retried = false
  #closed = false

  constructor(handle: RawSocketHandle) {
    this.fd = handle.fd
    this.handle = handle
    this.#family = handle.local.family
    this.#mtu = handle.mtu
    this.#fragments = new OuterFragments(handle)
    this.#send = new MessageVector(SEND_ENTRIES, this.#family)
    this.#sendFragmenting = new MessageVector(SEND_ENTRIES, this.#family, handle.sockaddr)
    // The socket is connected, and IPv4's TOS is in the header.
    this.#receive = new ReceiveVector(BATCH_ENTRIES, { names: false, controls: this.#family === 6 })
  }

  get mtu(): number {
    return this.#mtu
  }

  get room(): number {
    return this.#mtu - OUTER_BYTES[this.#family]
  }

  look(): void {
    this.#mtu = pathMtu(this.handle, this.#mtu)
  }

  fragmentAt(octets: number): void {
    this.#fragments.most = octets
  }

  read(into: Batch, drops: DropCounters): number {
    into.clear()
    if (this.#receiveInto !== into) this.#wireTo(into)
    const received = this.#receiveSome(drops)
    for (let i = 0; i < received; i++) this.#take(i, into, drops)
    return into.count
  }

  #receiveSome(drops: DropCounters): number {
    // An error that waits is reported in place of data; a few in a row are possible, endless ones are not.
    for (let tries = 0; tries < 4; tries++) {
      this.#receive.reset(this.#toReset)
      const received = recvmmsg(this.fd, this.#receive.address, BATCH_ENTRIES, MSG_DONTWAIT, 0)
      this.#toReset = Math.max(0, received)
      if (received > 0) return received
      const error = errno()
      if (isFatal(error)) throw systemError('recvmmsg')
      if (error !== EINTR) this.#hearErrors(this.fd, drops)
      if (error === EAGAIN) return 0
    }
    return 0
  }

  #hearErrors(fd: number, drops: DropCounters): void {
    if (this.#errors.drain(fd, drops)) this.look()
  }

  #take(i: number, into: Batch, drops: DropCounters): void {
    const { bytes } = into.memory
    const at = i * SLOT_BYTES
    const outer = this.#family === 4 ? (bytes[at] & 0x0f) << 2 : 0
    if (this.#receive.flagsOf(i) & MSG_TRUNC) {
      drops[TOO_BIG]++
      return
    }
    const entry = into.count++
    into.offset[entry] = at + outer
    into.length[entry] = this.#receive.lengthOf(i) - outer
    into.tos[entry] = this.#family === 4 ? bytes[at + 1] : this.#receive.tosOf(i)
    into.peer[entry] = 0
  }

  /** Points the vector at the slots once; a pump reads into one batch all its life. */
  #wireTo(into: Batch): void {
    for (let i = 0; i < BATCH_ENTRIES; i++)
      this.#receive.setPayload(i, into.memory.address + i * SLOT_BYTES, SLOT_BYTES)
    this.#receiveInto = into
  }

  write(from: Batch, drops: DropCounters): void {
    while (from.head < from.count) {
      const fragment = from.fragment[from.head]
      const toCut = fragment === 1 && this.#fragments.isToCut(from, from.head, this.room)
      if (toCut && !this.#fragments.sendNext(from, drops)) break
      if (toCut) continue
      const most = Math.min(from.count, from.head + SEND_ENTRIES)
      let end = from.head + 1
      while (end < most && from.fragment[end] === fragment) {
        if (fragment === 1 && this.#fragments.isToCut(from, end, this.room)) break
        end++
      }
      const fd = fragment === 1 ? this.handle.fragmentingFd : this.fd
      const vector = fragment === 1 ? this.#sendFragmenting : this.#send
      this.#prepare(vector, from, end)
      const result = sendmmsg(fd, vector.address, end - from.head, MSG_DONTWAIT)
      if (result > 0) {
        for (let i = 0; i < result; i++) from.advance()
        this.#retried = false
      } else if (!this.#recover(fd, from, drops)) break
    }
  }

  /** Points a message at each entry from the head up to `end`. */
  #prepare(vector: MessageVector, from: Batch, end: number): void {
    const { address } = from.memory
    const headers = from.headers.address
    for (let i = from.head; i < end; i++) {
      const message = i - from.head
      const payload = address + from.offset[i]
      const header = from.headerLength[i]
      if (header === 0) vector.setPayload(message, payload, from.length[i])
      else vector.setHeaderAndPayload(message, headers + from.headerOffset[i], header, payload, from.length[i])
      if (from.ttl[i] === 0 && from.tos[i] === this.handle.tos) vector.setNoControl(message)
      else vector.setControl(message, from.tos[i], from.ttl[i])
    }
  }

  /** After a send that carried nothing; false when the kernel's queue is full and the rest must wait. */
  #recover(fd: number, from: Batch, drops: DropCounters): boolean {
    const error = errno()
    if (error === EAGAIN) return false
    if (error === EINTR) return true
    if (isFatal(error)) throw systemError('sendmmsg')
    if (fd === this.fd) this.#hearErrors(fd, drops)
    if (error === EMSGSIZE && fd === this.fd) {
      this.look()
      if (from.letFragment(this.room)) return true
    }
    // An ICMP error that was pending failed the call in the packet's stead: it is sent again. ENOBUFS is none.
    if (this.#retried || error === ENOBUFS) {
      drops[sendDropCode(error)]++
      from.head++
    }
    this.#retried = !this.#retried && error !== ENOBUFS
    return true
  }

  release(): void {
    this.#fragments.close()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.release()
    close(this.handle.fragmentingFd)
    close(this.fd)
  }
}
