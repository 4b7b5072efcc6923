// Where the packets of each peer go, and which peer a packet came from: addresses, sockaddrs, MTU of each way, what ICMP said
// last, and the outer fragments made here. Shared by the underlay ports. Peers come and go while packets are carried.
// Invariant: no two peers have the same address; finding allocates nothing.

import { type DropCounters, MOST_PEERS } from '../drops.js'
import { type Address, writeSockaddr } from '../sys/address.js'
import { type Slab, slab } from '../sys/memory.js'
import { read32 } from '../wire/network-order.js'
import type { Batch } from './batch.js'
import { OUTER_BYTES, UDP_BYTES } from './ip-options.js'
import { OuterFragments } from './outer-fragments.js'
import { pathMtu } from './underlay-path.js'

/** A peer as an underlay port knows it: plain data, so that it can travel to the pump's thread. */
export interface PeerWay {
  readonly peer: number
  readonly address: Address
  /** MTU of the way there, in bytes, as it is known at first. */
  readonly mtu: number
}

/** What all ways of a port have in common. */
export interface WaysBase {
  readonly fd: number
  readonly local: Address
  readonly dev: string | undefined
  /** Of GRE-in-UDP; undefined for GRE on protocol 47. */
  readonly port?: number | undefined
}

/** Room for a sockaddr in `names`. */
export const NAME_BYTES = 32
const BUCKETS = 2 * MOST_PEERS
const NONE = -1

export class PeerWays {
  /** By peer: bytes of GRE and frame that fit one packet now; 0 where there is no peer. */
  readonly rooms = new Int32Array(MOST_PEERS)
  /** Grows whenever one of them changes. */
  changes = 0
  /** By peer: the errno that ICMP told last, less than 0 where this host itself said so; whoever takes it sets it back to 0. */
  readonly errors = new Int32Array(MOST_PEERS)
  /** The sockaddr of each peer, NAME_BYTES apart, each `nameLength` long. */
  readonly names: Slab = slab(MOST_PEERS * NAME_BYTES)
  nameLength = 0
  #base: WaysBase
  readonly #overhead: number
  readonly #mtus = new Int32Array(MOST_PEERS)
  readonly #addresses: (Address | undefined)[] = new Array(MOST_PEERS).fill(undefined)
  readonly #fragments: (OuterFragments | undefined)[] = new Array(MOST_PEERS).fill(undefined)
  /** Address words by peer, as read32 reads them; and peers by hash of the last word. */
  readonly #words: Int32Array
  readonly #size: number
  readonly #buckets = new Int16Array(BUCKETS)

  constructor(base: WaysBase, ways: readonly PeerWay[]) {
    const { family } = base.local
    this.#base = base
    this.#overhead = OUTER_BYTES[family] + (base.port === undefined ? 0 : UDP_BYTES)
    this.#size = family === 4 ? 1 : 4
    this.#words = new Int32Array(MOST_PEERS * this.#size)
    this.#index()
    for (const way of ways) this.set(way.peer, way)
  }

  /** Gives peer `peer` this way, in place of what it had; undefined takes it away. */
  set(peer: number, way: PeerWay | undefined): void {
    this.#fragments[peer]?.close()
    this.#fragments[peer] = undefined
    this.#addresses[peer] = way?.address
    this.errors[peer] = 0
    this.#setMtu(peer, way?.mtu ?? 0)
    if (way) {
      this.#fragments[peer] = new OuterFragments({ ...this.#base, remote: way.address }, this.#base.port)
      this.nameLength = writeSockaddr(this.names, peer * NAME_BYTES, way.address, this.#base.port ?? 0)
      for (let word = 0; word < this.#size; word++)
        this.#words[peer * this.#size + word] = read32(way.address.bytes, 4 * word)
    }
    this.#index()
  }

  /** Packets leave from another address of this host from now on; the sockets do so already. */
  setLocal(local: Address): void {
    this.#base = { ...this.#base, local }
    this.#addresses.forEach((address, peer) => {
      if (!address) return
      const { most } = this.#fragments[peer]!
      this.set(peer, { peer, address, mtu: this.#mtus[peer]! })
      this.fragmentAt(peer, most)
    })
    this.look()
  }

  #setMtu(peer: number, mtu: number): void {
    if (mtu !== this.#mtus[peer]) this.changes++
    this.#mtus[peer] = mtu
    this.rooms[peer] = Math.max(0, mtu - this.#overhead)
  }

  #index(): void {
    this.#buckets.fill(NONE)
    for (let peer = 0; peer < MOST_PEERS; peer++) {
      if (this.#addresses[peer] === undefined) continue
      let at = bucketOf(this.#words[peer * this.#size + this.#size - 1])
      while (this.#buckets[at] !== NONE) at = (at + 1) % BUCKETS
      this.#buckets[at] = peer
    }
  }

  /** MTU of the way to the first peer there is, in bytes; 0 without any. */
  get mtu(): number {
    return this.#mtus.find((mtu) => mtu > 0) ?? 0
  }

  /** Which peer has the address whose octets start at `at`; -1 for none. */
  find(bytes: Uint8Array, at: number): number {
    const size = this.#size
    const last = read32(bytes, at + 4 * (size - 1))
    for (let bucket = bucketOf(last); ; bucket = (bucket + 1) % BUCKETS) {
      const peer = this.#buckets[bucket]
      if (peer === NONE || this.#isAt(peer, bytes, at, last)) return peer
    }
  }

  /** Whether the octets from `at` on, which end before `end`, are the address that packets leave from. */
  isLocal(octets: Uint8Array, at: number, end: number): boolean {
    const { bytes } = this.#base.local
    if (at + bytes.length > end) return false
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== octets[at + i]) return false
    return true
  }

  #isAt(peer: number, bytes: Uint8Array, at: number, last: number): boolean {
    const words = this.#words
    const base = peer * this.#size
    if (words[base + this.#size - 1] !== last) return false
    for (let word = 0; word < this.#size - 1; word++)
      if (words[base + word] !== read32(bytes, at + 4 * word)) return false
    return true
  }

  /** Sees anew what fits each way. */
  look(): void {
    for (let peer = 0; peer < MOST_PEERS; peer++) this.lookAt(peer)
  }

  /** The same of one. */
  lookAt(peer: number): void {
    const { local, dev } = this.#base
    const remote = this.#addresses[peer]
    if (remote) this.#setMtu(peer, pathMtu({ local, remote, dev }, this.#mtus[peer]))
  }

  fragmentAt(peer: number, octets: number): void {
    const fragments = this.#fragments[peer]
    if (fragments) fragments.most = octets
  }

  /** Of packet i, which may be fragmented: whether the kernel would make too large ones of it. */
  isToCut(from: Batch, i: number): boolean {
    const peer = from.peer[i]
    return this.#fragments[peer]?.isToCut(from, i, this.rooms[peer]) ?? false
  }

  /** Sends the packet at the head of `from` in fragments, or drops and counts it; false where the kernel's queue is full. */
  sendNext(from: Batch, drops: DropCounters): boolean {
    return this.#fragments[from.peer[from.head]]!.sendNext(from, drops)
  }

  close(): void {
    for (const fragments of this.#fragments) fragments?.close()
  }
}

function bucketOf(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> 24 // 8 bits: BUCKETS is 256
}
