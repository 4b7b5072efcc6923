// The peers of a running pump, in columns by number: what is sent to each, what is taken from each, which of them frames go to.
// Numbers stay with their peer until it is taken away, and are used again then. Not what was counted (peer-counters.ts).
// Invariant: `all` lists every peer there is, `open` those that frames may be flooded to, which is where `shut` is 0.

import { DROP, MOST_PEERS } from '../drops.js'
import { GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE } from '../wire/gre.js'
import { greBytes, greFlags } from './gre-bytes.js'
import type { PeerSettings, PumpSettings } from './settings.js'

const PEER_DOWN = DROP['peer-down']
const LOOP_GUARD = DROP['loop-guard']
const LOOP = DROP.loop
const ADDRESS_BYTES = 16
const WHATEVER_FITS = 0x7fff_ffff

export class Peers {
  /** GRE flags of what is sent, octets of that header, key, next sequence number. */
  readonly flags = new Uint16Array(MOST_PEERS)
  readonly greBytes = new Uint8Array(MOST_PEERS)
  readonly keyOut = new Int32Array(MOST_PEERS)
  readonly sequence = new Uint32Array(MOST_PEERS)
  /** Of a received header: the flags that are looked at, what they have to be, and the key. */
  readonly lookAt = new Uint16Array(MOST_PEERS)
  readonly expected = new Uint16Array(MOST_PEERS)
  readonly keyIn = new Int32Array(MOST_PEERS)
  /** GRE_SEQUENCE where numbers count. */
  readonly sequenced = new Uint16Array(MOST_PEERS)
  /** Octets of GRE and frame that fit a packet, as the underlay says; and the longest frame anybody else allows. */
  rooms: Int32Array = new Int32Array(MOST_PEERS)
  readonly limits = new Int32Array(MOST_PEERS).fill(WHATEVER_FITS)
  /** Why no frame goes to this peer: a drop code, or 0 where frames do. */
  readonly shut = new Uint8Array(MOST_PEERS).fill(PEER_DOWN)
  /** 1 where a frame was sent to the peer since somebody looked. */
  readonly served = new Uint8Array(MOST_PEERS)
  /** 1 where the loop guard has shut the way: no frame of the peer's is delivered either. */
  readonly guarded = new Uint8Array(MOST_PEERS)
  readonly all = new Int16Array(MOST_PEERS)
  readonly open = new Int16Array(MOST_PEERS)
  count = 0
  openCount = 0
  readonly #down = new Uint8Array(MOST_PEERS)
  /** 1 where packets to the peer would come back as frames. */
  readonly #paused = new Uint8Array(MOST_PEERS)
  readonly #addresses = new Uint8Array(MOST_PEERS * ADDRESS_BYTES)
  readonly #known = new Uint8Array(MOST_PEERS)

  constructor(settings: PumpSettings) {
    const { peers = [settings] } = settings
    peers.forEach((peer, number) => {
      this.set(number, peer)
    })
  }

  /** Gives number `peer` to this one, as if it had just begun, but for a pause, which belongs to the address; undefined takes it away. */
  set(peer: number, settings: PeerSettings | undefined): void {
    const { remote } = settings ?? {}
    if (!remote || !this.#isAt(peer * ADDRESS_BYTES, remote, 0, remote.length)) this.#paused[peer] = 0
    if (this.#known[peer] === 1) this.sequence[peer] = 0
    this.#known[peer] = settings ? 1 : 0
    this.#down[peer] = 0
    this.guarded[peer] = 0
    this.served[peer] = 0
    this.limits[peer] = WHATEVER_FITS
    if (settings) this.#describe(peer, settings)
    this.#list()
  }

  #describe(peer: number, settings: PeerSettings): void {
    const { keyOut, keyIn, receiveChecksum, sequence, remote } = settings
    this.flags[peer] = greFlags(settings)
    this.greBytes[peer] = greBytes(settings)
    this.keyOut[peer] = keyOut ?? 0
    this.lookAt[peer] = GRE_KEY | (receiveChecksum === 'accept' ? 0 : GRE_CHECKSUM)
    this.expected[peer] = (keyIn === undefined ? 0 : GRE_KEY) | (receiveChecksum === 'require' ? GRE_CHECKSUM : 0)
    this.keyIn[peer] = keyIn ?? 0
    this.sequenced[peer] = sequence ? GRE_SEQUENCE : 0
    this.#addresses.fill(0, peer * ADDRESS_BYTES, (peer + 1) * ADDRESS_BYTES)
    this.#addresses.set(remote, peer * ADDRESS_BYTES)
  }

  /** The peer is there, or is not. Returns whether that is news. */
  setDown(peer: number, down: boolean): boolean {
    return this.#put(this.#down, peer, down)
  }

  /** Whether some peer is there, as far as anybody knows; also while there is none at all. */
  get anyThere(): boolean {
    if (this.count === 0) return true
    for (let i = 0; i < this.count; i++) if (this.#down[this.all[i]] === 0) return true
    return false
  }

  /** The loop guard shuts the way to the peer, or opens it. */
  setGuarded(peer: number, guarded: boolean): void {
    this.#put(this.guarded, peer, guarded)
  }

  /** Not even probes go to a peer that is paused. */
  setPaused(peer: number, paused: boolean): void {
    this.#put(this.#paused, peer, paused)
  }

  isPaused(peer: number): boolean {
    return this.#paused[peer] === 1
  }

  #put(column: Uint8Array, peer: number, value: boolean): boolean {
    const before = column[peer] === 1
    column[peer] = value ? 1 : 0
    if (before !== value) this.#list()
    return before !== value
  }

  #list(): void {
    this.count = 0
    this.openCount = 0
    for (let peer = 0; peer < MOST_PEERS; peer++) {
      const absent = this.#known[peer] === 0 || this.#down[peer] === 1
      const shut = this.#paused[peer] === 1 ? LOOP : this.guarded[peer] === 1 ? LOOP_GUARD : 0
      this.shut[peer] = absent ? PEER_DOWN : shut
      if (this.#known[peer] === 1) this.all[this.count++] = peer
      if (this.shut[peer] === 0) this.open[this.openCount++] = peer
    }
  }

  /** The longest frame that the underlay says fits one packet to the peer, in octets. */
  ceiling(peer: number): number {
    return this.rooms[peer] - this.greBytes[peer]
  }

  /** The longest frame that is known to fit, in octets. */
  longest(peer: number): number {
    return Math.min(this.rooms[peer] - this.greBytes[peer], this.limits[peer])
  }

  /** Whether a peer has the address of `size` octets at `at`. */
  hasAddress(bytes: Uint8Array, at: number, size: number): boolean {
    for (let i = 0; i < this.count; i++) if (this.#isAt(this.all[i] * ADDRESS_BYTES, bytes, at, size)) return true
    return false
  }

  #isAt(base: number, bytes: Uint8Array, at: number, size: number): boolean {
    for (let i = 0; i < size; i++) if (this.#addresses[base + i] !== bytes[at + i]) return false
    return true
  }
}
