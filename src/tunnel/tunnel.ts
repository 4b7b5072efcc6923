// A running tunnel as its program sees it: counters, three events, one way to end. Closing twice is closing once.

import { EventEmitter } from 'node:events'
import { StateError, type TsgreError } from '../errors.js'
import type { Offload } from '../offload/gso.js'
import type { Address } from '../sys/address.js'
import { readAddress, refuseOtherFamily } from './addresses.js'
import type { Engine } from './engine.js'
import { LOCAL } from './fdb-memory.js'
import { FdbReader } from './fdb-reader.js'
import type { PeerOptions } from './peer-options.js'
import type { FdbEntry, Liveness, PeerStats } from './peer-stats.js'
import type { Remotes } from './remotes.js'
import type { Counters, TunnelStats } from './stats.js'
import { Told } from './told.js'
import type { Underlay } from './underlay.js'

export interface TunnelEvents {
  /** Frames are carried. */
  up: []
  /** The tunnel MTU is another now: the way to a remote has become narrower or wider. */
  tunnelMtu: [now: number, before: number]
  /** A remote answers, or answers no more (with `keepalive`). */
  peer: [remote: string, liveness: Liveness]
  /** The loop guard has shut the way to a remote, or opened it again. */
  loop: [remote: string, blocked: boolean]
  /** The tunnel ended by itself; `closed` follows. As with every EventEmitter, an error nobody listens to is thrown. */
  error: [TsgreError]
  /** Everything was given back. */
  closed: []
}

export interface TunnelDescription {
  /** Name of the TAP, empty on ports of one's own. */
  readonly name: string
  /** Underlay address, canonical; empty on ports of one's own. */
  readonly local: string
  /** MTU of the overlay now, in bytes: layer 3, as `ip link` shows it. */
  readonly mtu: number
  /** Largest layer-3 payload that fits one packet of the underlay to every remote now, in bytes. */
  readonly tunnelMtu: number
  /** What the kernel and the tunnel leave to each other at the TAP. */
  readonly offload: Offload
  /** Port of GRE-in-UDP; undefined for GRE on protocol 47, and on ports of one's own. */
  readonly udpPort: number | undefined
}

/** What a Tunnel is made of. */
export interface TunnelBase {
  readonly description: TunnelDescription
  readonly counters: Counters
  readonly engine: Engine
  /** undefined on ports of one's own. */
  readonly remotes: Remotes | undefined
  readonly underlay: Underlay | undefined
  /** Gives back what the engine stood on. */
  readonly release: () => void
}

export class Tunnel extends EventEmitter<TunnelEvents> implements TunnelDescription, AsyncDisposable {
  readonly name: string
  readonly offload: Offload
  readonly udpPort: number | undefined
  readonly #base: TunnelBase
  readonly #fdb: FdbReader
  readonly #told: Told
  #local: string
  #closing: Promise<void> | undefined

  /** Made by openTunnel and runTunnel. */
  constructor(base: TunnelBase) {
    super()
    const { description, counters } = base
    this.#base = base
    this.#fdb = new FdbReader(counters.fdb)
    this.name = description.name
    this.#local = description.local
    this.offload = description.offload
    this.udpPort = description.udpPort
    this.#told = new Told(counters.tunnelMtu)
  }

  get local(): string {
    return this.#local
  }

  /** Address of the first remote, empty without any. */
  get remote(): string {
    return this.remotes[0] ?? ''
  }

  /** Underlay addresses, canonical, in the order in which they were given. */
  get remotes(): string[] {
    return this.#base.remotes?.list().map(({ address }) => address.text) ?? []
  }

  get mtu(): number {
    return this.#base.description.mtu
  }

  get tunnelMtu(): number {
    return this.#base.counters.tunnelMtu
  }

  /** Emits what is another than was told. */
  tell(): void {
    if (this.#closing) return
    this.#told.tell(this, this.peers())
  }

  /** What is known of each remote, read from shared memory. */
  peers(): PeerStats[] {
    return this.#base.remotes?.stats((peer) => this.#fdb.count(peer)) ?? []
  }

  /**
   * Adds a remote while frames are carried.
   * @throws ConfigError as openTunnel does; StateError once closed, and on ports of one's own
   */
  addPeer(peer: PeerOptions): void {
    this.#remotes().add(peer)
  }

  /** How the address of a remote of this tunnel is spelt in `remotes`; undefined when it is none. */
  spelling(remote: string): string | undefined {
    return this.#base.remotes?.spelling(remote)
  }

  /** The remote that a peer number of the pump stands for now. */
  remoteAt(peer: number): Address | undefined {
    return this.#base.remotes?.at(peer)
  }

  /** Has the pump write what it carries into a ring (capture-record.ts); without one, look which rings nobody reads any more. */
  capture(ring: SharedArrayBuffer | undefined): void {
    if (!this.#closing) this.#base.engine.command({ kind: 'capture', ring })
  }

  /** Takes a remote away. @throws ConfigError TSGRE_CONFLICT when it is none; StateError as addPeer */
  removePeer(remote: string): void {
    this.#remotes().remove(remote)
  }

  /** Gives a remote another address, or what else is its own; what was counted of it begins anew. @throws as addPeer */
  changePeer(remote: string, peer: PeerOptions): void {
    this.#remotes().change(remote, peer)
  }

  /** A remote has another address from now on. @throws as addPeer */
  movePeer(remote: string, to: string): void {
    const remotes = this.#remotes()
    remotes.change(remote, { ...remotes.optionsOf(remote), remote: to })
  }

  /** Packets leave from another address of this host from now on. @throws ConfigError, SystemError; nothing has changed then */
  moveLocal(local: string): void {
    const remotes = this.#remotes()
    const address = readAddress('local', local, undefined)
    if (address.text === this.#local) return
    refuseOtherFamily('local', address, this.#local)
    remotes.moveLocal(address, () => this.#base.underlay!.rebind(address, remotes.list()))
    this.#local = address.text
    this.#base.engine.command({ kind: 'local', local: address })
  }

  #remotes(): Remotes {
    const { remotes } = this.#base
    if (remotes && !this.#closing) return remotes
    const why = remotes ? 'the tunnel is closed' : 'a tunnel on ports of your own has the peers of its settings'
    throw new StateError('TSGRE_NOT_NOW', why)
  }

  /** Milliseconds since the pump last turned; it does so at least once a second. */
  get silence(): number {
    const { counters } = this.#base
    return this.#closing ? 0 : counters.peers.now - counters.turnedAt
  }

  /** Whether the loop guard has left this LAN to another host. */
  get leftLan(): boolean {
    return this.#base.counters.leftLan
  }

  /** How many MAC addresses are known. */
  get fdbSize(): number {
    return this.#fdb.size
  }

  /** Which MAC addresses are where; read from shared memory. */
  fdb(): FdbEntry[] {
    const { remotes, counters } = this.#base
    return this.#fdb
      .entries(counters.peers.now)
      .map(({ mac, port, age }) => ({ mac, remote: port === LOCAL ? undefined : remotes?.at(port)?.text, age }))
  }

  /** Forgets the MAC addresses learnt from a remote, or all. @throws ConfigError TSGRE_CONFLICT when it is no remote */
  flushFdb(remote?: string): void {
    const port = remote === undefined ? undefined : this.#remotes().numberOf(remote)
    if (!this.#closing) this.#base.engine.command({ kind: 'flush', port })
  }

  /** A snapshot, read from shared memory: no message to the pump, no wait. Valid after close() too. */
  stats(): TunnelStats {
    return this.#base.counters.snapshot()
  }

  /** Emits `up`, unless the end has begun already: an underlay may fail in its first turn. */
  announce(): void {
    if (!this.#closing) this.emit('up')
  }

  /** While paused nothing is sent to a remote, or to all (each frame counts as a `loop` drop); packets are still received. */
  pause(paused: boolean, remote?: string): void {
    const { engine } = this.#base
    if (this.#closing) return
    const peer = remote === undefined ? undefined : this.#remotes().numberOf(remote)
    engine.command({ kind: 'pause', peer, paused })
  }

  /** Ends the tunnel and gives everything back. Every caller gets the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#base.engine.stop()
    try {
      this.#base.release()
    } finally {
      this.emit('closed')
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Ends `tunnel` because of `error`: `error` is emitted, then everything is given back, then `closed`. */
export async function failTunnel(tunnel: Tunnel, error: TsgreError): Promise<void> {
  try {
    tunnel.emit('error', error)
  } finally {
    await tunnel.close()
  }
}
