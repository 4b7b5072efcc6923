// The underlay port: raw IP sockets of protocol 47, a batch a system call. The kernel writes the outer IP header.
// One socket serves all peers: it is bound to our address, and filtered by the peers' addresses and keys, so that foreign packets
// never come here. On IPv4 a read gives the outer header too (skipped here, its TOS kept); on IPv6 the kernel has taken it off.
// Two other sockets only send: one for all packets, one, which clears DF, where frames ask for it, and what was cut for a path that
// has become narrower. They are connected, to ourselves: to packets with DF of one that is not the kernel gives the id 0
// (ip_select_ident_segs of include/net/ip.h), and Linux's own tunnels never send that.

import { DROP, type DropCounters, dropAt } from '../drops.js'
import type { Address } from '../sys/address.js'
import { MSG_DONTWAIT, MSG_TRUNC } from '../sys/constants.js'
import { ERRNO } from '../sys/errno.js'
import { systemError } from '../sys/fail.js'
import { close, errno, recvmmsg, sendmmsg } from '../sys/libc.js'
import { BATCH_ENTRIES, type Batch, SLOT_BYTES } from './batch.js'
import { ErrorQueue } from './error-queue.js'
import { MessageVector } from './message-vector.js'
import { NAME_BYTES, type PeerWay, PeerWays } from './peer-ways.js'
import type { Port } from './port.js'
import { ReceiveVector } from './receive-vector.js'
import { isFatal, sendDropCode } from './underlay-errors.js'
import { UnderlayPort } from './underlay-port.js'

const TOO_BIG = DROP['too-big']
const UNKNOWN_PEER = DROP['unknown-peer']
/** Where an IPv4 header has the source. */
const IPV4_SOURCE = 12
/** Packets handed to the kernel in one call. */
const SEND_ENTRIES = 256
const { EAGAIN, EINTR, EMSGSIZE, ENOBUFS } = ERRNO

/** What a RawSocketPort stands on: plain data, so that it can travel to the pump's thread. */
export interface RawSocketHandle {
  readonly kind: 'raw'
  readonly fd: number
  /** The socket that sends, and the one that lets the outer packet be fragmented. */
  readonly sendFd: number
  readonly fragmentingFd: number
  readonly local: Address
  readonly dev: string | undefined
  readonly ways: readonly PeerWay[]
  /** What the sockets send with when a frame asks for nothing else. */
  readonly tos: number
}

export class RawSocketPort extends UnderlayPort implements Port {
  readonly fd: number
  readonly handle: RawSocketHandle
  readonly #family: 4 | 6
  readonly #send: MessageVector
  readonly #receive: ReceiveVector
  readonly #errors: ErrorQueue
  #receiveInto: Batch | undefined
  #toReset = 0
  #retried = false
  #closed = false

  constructor(handle: RawSocketHandle) {
    super(new PeerWays(handle, handle.ways))
    this.fd = handle.fd
    this.handle = handle
    this.#family = handle.local.family
    this.#errors = new ErrorQueue(this.#family)
    this.#send = new MessageVector(SEND_ENTRIES, this.#family)
    // IPv4 has source and TOS in the header.
    this.#receive = new ReceiveVector(BATCH_ENTRIES, this.#family, {
      names: this.#family === 6,
      controls: this.#family === 6,
    })
  }

  get sendFd(): number {
    return this.handle.sendFd
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
    if (this.#errors.drain(fd, this.ways, drops)) this.look()
  }

  #take(i: number, into: Batch, drops: DropCounters): void {
    const { bytes } = into.memory
    const at = i * SLOT_BYTES
    const outer = this.#family === 4 ? (bytes[at] & 0x0f) << 2 : 0
    const peer = this.#family === 4 ? this.ways.find(bytes, at + IPV4_SOURCE) : this.#receive.peerOf(i, this.ways)
    if (peer < 0 || this.#receive.flagsOf(i) & MSG_TRUNC) {
      drops[dropAt(peer, peer < 0 ? UNKNOWN_PEER : TOO_BIG)]++
      return
    }
    const entry = into.count++
    into.offset[entry] = at + outer
    into.length[entry] = this.#receive.lengthOf(i) - outer
    into.tos[entry] = this.#family === 4 ? bytes[at + 1] : this.#receive.tosOf(i)
    into.peer[entry] = peer
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
      const toCut = fragment === 1 && this.ways.isToCut(from, from.head)
      if (toCut && !this.ways.sendNext(from, drops)) break
      if (toCut) continue
      const most = Math.min(from.count, from.head + SEND_ENTRIES)
      let end = from.head + 1
      while (end < most && from.fragment[end] === fragment) {
        if (fragment === 1 && this.ways.isToCut(from, end)) break
        end++
      }
      const fd = fragment === 1 ? this.handle.fragmentingFd : this.sendFd
      this.#prepare(from, end)
      const result = sendmmsg(fd, this.#send.address, end - from.head, MSG_DONTWAIT)
      if (result > 0) {
        for (let i = 0; i < result; i++) from.advance()
        this.#retried = false
      } else if (!this.#recover(fd, from, drops)) break
    }
  }

  /** Points a message at each entry from the head up to `end`. */
  #prepare(from: Batch, end: number): void {
    const vector = this.#send
    const { address } = from.memory
    const headers = from.headers.address
    const names = this.ways.names.address
    const { nameLength } = this.ways
    for (let i = from.head; i < end; i++) {
      const message = i - from.head
      const payload = address + from.offset[i]
      const header = from.headerLength[i]
      vector.setName(message, names + from.peer[i] * NAME_BYTES, nameLength)
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
    if (error === EMSGSIZE && fd === this.sendFd) {
      this.ways.lookAt(from.peer[from.head])
      if (from.letFragment(this.rooms)) return true
    }
    // An ICMP error that was pending failed the call in the packet's stead: it is sent again. ENOBUFS is none.
    if (this.#retried || error === ENOBUFS) {
      drops[dropAt(from.peer[from.head], sendDropCode(error))]++
      from.head++
    }
    this.#retried = !this.#retried && error !== ENOBUFS
    return true
  }

  release(): void {
    this.ways.close()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.release()
    close(this.handle.fragmentingFd)
    close(this.handle.sendFd)
    close(this.fd)
  }
}
