// The underlay port of GRE-in-UDP (RFC 8086). Packets of one size that follow one another are sent as one message and cut by
// the kernel, or the network card (UDP_SEGMENT); what it put together on its way here (UDP_GRO) is taken apart in place.
// One unconnected socket receives, from the peers' addresses and whatever port; it sends too, or a few others that differ in
// their source port. native-notes/udp-socket.md has what the kernel allows.

import { DROP, type DropCounters, dropAt, MOST_PEERS } from '../drops.js'
import type { Address } from '../sys/address.js'
import { IP_PMTUDISC_DO, IP_PMTUDISC_DONT, MSG_DONTWAIT, MSG_TRUNC } from '../sys/constants.js'
import { ERRNO } from '../sys/errno.js'
import { systemError } from '../sys/fail.js'
import { close, errno, recvmmsg, sendmmsg } from '../sys/libc.js'
import { trySetOption } from '../sys/sockets.js'
import { BATCH_ENTRIES, type Batch, SLOT_BYTES } from './batch.js'
import { ErrorQueue } from './error-queue.js'
import { IP_OPTIONS } from './ip-options.js'
import { NAME_BYTES, type PeerWay, PeerWays } from './peer-ways.js'
import type { Port } from './port.js'
import { ReceiveVector } from './receive-vector.js'
import { UdpSendVector } from './udp-send-vector.js'
import { isFatal, sendDropCode } from './underlay-errors.js'
import { UnderlayPort } from './underlay-port.js'

const TOO_BIG = DROP['too-big']
const QUEUE_FULL = DROP['queue-full']
const { EAGAIN, EINTR, EINVAL, EIO, EMSGSIZE, ENOBUFS } = ERRNO

/** Of one message: what a UDP packet over IPv4 holds, and how often the kernel cuts it (UDP_MAX_SEGMENTS, linux/udp.h). */
const MOST_MESSAGE_BYTES = 65507
const MOST_SEGMENTS = 64
const SEND_ENTRIES = 256
/** Neither 0 nor 1, which say whether the kernel may fragment what a socket sends. */
const UNKNOWN = 2

/** What a UdpSocketPort stands on: plain data, so that it can travel to the pump's thread. */
export interface UdpSocketHandle {
  readonly kind: 'udp'
  /** Receives. */
  readonly fd: number
  /** Send: one, or a power of two among which a packet's `flow` chooses. */
  readonly sendFds: readonly number[]
  readonly local: Address
  readonly dev: string | undefined
  readonly ways: readonly PeerWay[]
  /** Of both ends. */
  readonly port: number
  /** What the sockets send with when a frame asks for nothing else. */
  readonly tos: number
}

export class UdpSocketPort extends UnderlayPort implements Port {
  readonly fd: number
  readonly handle: UdpSocketHandle
  readonly #send: UdpSendVector
  readonly #receive: ReceiveVector
  /** Of each message prepared, how many entries of the batch it carries. */
  readonly #carries = new Uint16Array(SEND_ENTRIES)
  readonly #errors: ErrorQueue
  readonly #fragmenting: Uint8Array
  readonly #refused: () => void
  /** By peer: 1 where the kernel would not cut what goes there. */
  readonly #uncut = new Uint8Array(MOST_PEERS)
  #receiveInto: Batch | undefined
  #toReset = 0
  #retried = false
  #closed = false

  /** @param refused is told of every message that the kernel would not cut */
  constructor(handle: UdpSocketHandle, refused: () => void = () => {}) {
    super(new PeerWays(handle, handle.ways))
    this.fd = handle.fd
    this.handle = handle
    this.#refused = refused
    const { family } = handle.local
    this.#send = new UdpSendVector(SEND_ENTRIES, family)
    this.#receive = new ReceiveVector(BATCH_ENTRIES, family, { names: true, controls: true })
    this.#errors = new ErrorQueue(family)
    this.#fragmenting = new Uint8Array(handle.sendFds.length)
  }

  override setLocal(local: Address): void {
    super.setLocal(local)
    this.#fragmenting.fill(UNKNOWN) // other sockets stand behind the numbers now
  }

  override setPeer(peer: number, way: PeerWay | undefined): void {
    super.setPeer(peer, way)
    this.#uncut[peer] = 0
  }

  read(into: Batch, drops: DropCounters): number {
    into.clear()
    if (this.#receiveInto !== into) this.#wireTo(into)
    this.#receive.reset(this.#toReset)
    this.#toReset = 0
    const received = recvmmsg(this.fd, this.#receive.address, BATCH_ENTRIES, MSG_DONTWAIT, 0)
    if (received < 0) {
      const error = errno()
      if (isFatal(error)) throw systemError('recvmmsg')
      if (error !== EINTR) this.#hearErrors(this.fd, drops)
      return 0
    }
    this.#toReset = received
    for (let i = 0; i < received; i++) this.#take(i, into, drops)
    return into.count
  }

  #hearErrors(fd: number, drops: DropCounters): void {
    if (this.#errors.drain(fd, this.ways, drops)) this.look()
  }

  /** Lists the datagrams of message i. */
  #take(i: number, into: Batch, drops: DropCounters): void {
    const peer = this.#receive.peerOf(i, this.ways)
    if (this.#receive.flagsOf(i) & MSG_TRUNC) {
      drops[dropAt(peer, TOO_BIG)]++
      return
    }
    const length = this.#receive.lengthOf(i)
    const segment = this.#receive.segmentOf(i) || length
    const tos = this.#receive.tosOf(i)
    const start = i * SLOT_BYTES
    for (let at = 0; at < length || at === 0; at += segment || 1) {
      if (into.count === into.capacity) {
        drops[dropAt(peer, QUEUE_FULL)]++
        continue
      }
      const entry = into.count++
      into.offset[entry] = start + at
      into.length[entry] = length - at < segment ? length - at : segment
      into.tos[entry] = tos
      into.peer[entry] = peer
    }
  }

  #wireTo(into: Batch): void {
    for (let i = 0; i < BATCH_ENTRIES; i++)
      this.#receive.setPayload(i, into.memory.address + i * SLOT_BYTES, SLOT_BYTES)
    this.#receiveInto = into
  }

  write(from: Batch, drops: DropCounters): void {
    while (from.head < from.count) {
      const { head } = from
      const flow = from.flow[head]
      const fragment = from.fragment[head]
      const toCut = fragment === 1 && this.ways.isToCut(from, head)
      if (toCut && !this.ways.sendNext(from, drops)) return
      if (toCut) continue
      let messages = 0
      this.#send.clear()
      const most = Math.min(from.count, head + SEND_ENTRIES)
      for (let i = head; i < most && from.flow[i] === flow && from.fragment[i] === fragment; messages++) {
        if (fragment === 1 && i > head && this.ways.isToCut(from, i)) break
        this.#carries[messages] = this.#prepare(from, i, messages)
        i += this.#carries[messages]
      }
      this.#letFragment(flow, fragment)
      const sent = sendmmsg(this.handle.sendFds[flow], this.#send.address, messages, MSG_DONTWAIT)
      if (sent > 0) this.#retried = false
      for (let message = 0; message < sent; message++) {
        for (let entries = this.#carries[message]; entries > 0; entries--) from.advance()
      }
      if (sent < 1 && !this.#recover(this.handle.sendFds[flow], from, drops)) return
    }
  }

  /** Makes a message of entry `first` and of those behind it that may be cut from the same message; returns how many. */
  #prepare(from: Batch, first: number, message: number): number {
    const { tos, ttl } = from
    const peer = from.peer[first]
    const size = from.headerLength[first] + from.length[first]
    const cut = this.#uncut[peer] === 0 && size <= this.rooms[peer]
    const most = cut ? Math.min(from.count, first + MOST_SEGMENTS) : first + 1
    let total = 0
    let end = first
    this.#send.begin(message, this.ways.names.address + peer * NAME_BYTES, this.ways.nameLength)
    for (let last = size; end < most && last === size; end++) {
      last = from.headerLength[end] + from.length[end]
      if (end > first) {
        if (last > size || last === 0 || total + last > MOST_MESSAGE_BYTES) break
        if (tos[end] !== tos[first] || ttl[end] !== ttl[first] || from.peer[end] !== peer) break
        if (from.flow[end] !== from.flow[first] || from.fragment[end] !== from.fragment[first]) break
        if (from.fragment[end] === 1 && this.ways.isToCut(from, end)) break
      }
      this.#addEntry(from, end, message)
      total += last
    }
    this.#send.end(message, end - first > 1 ? size : 0, tos[first] === this.handle.tos, tos[first], ttl[first])
    return end - first
  }

  #addEntry(from: Batch, i: number, message: number): void {
    const header = from.headerLength[i]
    if (header > 0) this.#send.add(message, from.headers.address + from.headerOffset[i], header)
    this.#send.add(message, from.memory.address + from.offset[i], from.length[i])
  }

  /** DF belongs to the socket: IPv4 has no control message for it, and a second socket would take packets from the first. */
  #letFragment(flow: number, fragment: number): void {
    if (this.#fragmenting[flow] === fragment) return
    const { level, discover } = IP_OPTIONS[this.handle.local.family]
    trySetOption(this.handle.sendFds[flow], level, discover, fragment ? IP_PMTUDISC_DONT : IP_PMTUDISC_DO)
    this.#fragmenting[flow] = fragment
  }

  /** After a send that carried nothing; false when the kernel's queue is full and the rest must wait. */
  #recover(fd: number, from: Batch, drops: DropCounters): boolean {
    const error = errno()
    if (error === EAGAIN) return false
    if (error === EINTR) return true
    if (isFatal(error)) throw systemError('sendmmsg')
    this.#hearErrors(fd, drops)
    const entries = this.#carries[0]
    const uncut = entries > 1 && (error === EINVAL || error === EIO || error === EMSGSIZE)
    if (uncut) this.#refused()
    if (uncut || error === EMSGSIZE) {
      this.ways.lookAt(from.peer[from.head])
      if (from.letFragment(this.rooms)) return true // the way has become narrower
    }
    // An ICMP error that was pending failed the call in the packets' stead: they are sent again. ENOBUFS is none.
    const again = !this.#retried && error !== ENOBUFS
    this.#retried = again
    if (again && error !== EINVAL && error !== EIO) return true
    const peer = from.peer[from.head]
    if (uncut)
      this.#uncut[peer] = 1 // towards this remote it cannot be done
    else {
      drops[dropAt(peer, sendDropCode(error))] += entries
      from.head += entries
    }
    return true
  }

  release(): void {
    this.ways.close()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.release()
    for (const fd of this.handle.sendFds) if (fd !== this.fd) close(fd)
    close(this.fd)
  }
}
