// A running tunnel as its program sees it: counters, three events, one way to end. Closing twice is closing once.

import { EventEmitter } from 'node:events'
import type { TsgreError } from '../errors.js'
import type { Offload } from '../offload/gso.js'
import type { Engine } from './engine.js'
import type { Counters, TunnelStats } from './stats.js'

export interface TunnelEvents {
  /** Frames are carried. */
  up: []
  /** The tunnel MTU is another now: the way to the remote has become narrower or wider. */
  tunnelMtu: [now: number, before: number]
  /** The tunnel ended by itself; `closed` follows. As with every EventEmitter, an error nobody listens to is thrown. */
  error: [TsgreError]
  /** Everything was given back. */
  closed: []
}

export interface TunnelDescription {
  /** Name of the TAP, empty on ports of one's own. */
  readonly name: string
  /** Underlay addresses, canonical; empty on ports of one's own. */
  readonly local: string
  readonly remote: string
  /** MTU of the overlay now, in bytes: layer 3, as `ip link` shows it. */
  readonly mtu: number
  /** Largest layer-3 payload that fits one packet of the underlay now, in bytes. */
  readonly tunnelMtu: number
  /** What the kernel and the tunnel leave to each other at the TAP. */
  readonly offload: Offload
  /** Port of GRE-in-UDP; undefined for GRE on protocol 47, and on ports of one's own. */
  readonly udpPort: number | undefined
}

export class Tunnel extends EventEmitter<TunnelEvents> implements TunnelDescription, AsyncDisposable {
  readonly name: string
  readonly local: string
  readonly remote: string
  readonly offload: Offload
  readonly udpPort: number | undefined
  readonly #description: TunnelDescription
  #toldMtu: number
  readonly #counters: Counters
  readonly #engine: Engine
  readonly #release: () => void
  #closing: Promise<void> | undefined

  /** Made by openTunnel and runTunnel. `release` gives back what the engine stood on. */
  constructor(description: TunnelDescription, counters: Counters, engine: Engine, release: () => void) {
    super()
    this.name = description.name
    this.local = description.local
    this.remote = description.remote
    this.#description = description
    this.offload = description.offload
    this.udpPort = description.udpPort
    this.#counters = counters
    this.#toldMtu = counters.tunnelMtu
    this.#engine = engine
    this.#release = release
  }

  get mtu(): number {
    return this.#description.mtu
  }

  get tunnelMtu(): number {
    return this.#counters.tunnelMtu
  }

  /** Emits `tunnelMtu` if it is another than was told. */
  tellMtu(): void {
    const before = this.#toldMtu
    this.#toldMtu = this.tunnelMtu
    if (!this.#closing && this.#toldMtu !== before) this.emit('tunnelMtu', this.#toldMtu, before)
  }

  /** A snapshot, read from shared memory: no message to the pump, no wait. Valid after close() too. */
  stats(): TunnelStats {
    return this.#counters.snapshot()
  }

  /** Emits `up`, unless the end has begun already: an underlay may fail in its first turn. */
  announce(): void {
    if (!this.#closing) this.emit('up')
  }

  /** While paused no frame is sent (each counts as a `loop` drop); packets are still received. */
  pause(paused: boolean): void {
    if (!this.#closing) this.#engine.pause(paused)
  }

  /** Ends the tunnel and gives everything back. Every caller gets the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#engine.stop()
    try {
      this.#release()
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
