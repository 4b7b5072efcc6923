// The remotes of a running tunnel as the program sees them: which there are, how one is added, taken away or moved while frames are
// carried. The pump has them by number; what it counts of each is read here.
// Invariant: the kernel lets a remote's packets through before the pump knows it, and not after the pump has forgotten it.

import { MOST_PEERS } from '../drops.js'
import { ConfigError } from '../errors.js'
import { claim } from '../io/claim.js'
import type { Remote } from '../io/open-raw-socket.js'
import type { Address } from '../sys/address.js'
import type { PeerOptions } from './peer-options.js'
import type { PeerStats } from './peer-stats.js'
import type { PumpCommand } from './pump-command.js'
import { type PeerBase, type ResolvedPeer, resolvePeer } from './resolve-peers.js'
import type { Counters } from './stats.js'

/** What a tunnel's remotes stand on. */
export interface RemotesBase extends PeerBase {
  readonly counters: Counters
  /** Whether each remote and key is claimed for this tunnel alone. */
  readonly claimed: boolean
  /** Lets packets of these through to the sockets, and no others. */
  readonly filter: (remotes: readonly Remote[]) => void
  readonly command: (command: PumpCommand) => void
}

interface Entry {
  readonly options: PeerOptions
  readonly peer: ResolvedPeer
  /** Gives back the claim. */
  readonly release: () => void
}

export class Remotes {
  #base: RemotesBase
  #entries: (Entry | undefined)[] = []

  /** Claims all of `peers`, by number. @throws ConfigError TSGRE_IN_USE, after it gave back the others */
  constructor(
    base: RemotesBase,
    remotes: readonly (PeerOptions | undefined)[],
    peers: readonly (ResolvedPeer | undefined)[],
  ) {
    this.#base = base
    try {
      peers.forEach((peer, number) => {
        this.#entries[number] = peer && { options: remotes[number]!, peer, release: this.#claim(peer) }
      })
    } catch (error) {
      this.release()
      throw error
    }
  }

  #claim({ address, settings }: ResolvedPeer): () => void {
    const { claimed, local, options } = this.#base
    if (!claimed) return () => {}
    return claim({ local: local.text, remote: address.text, keyIn: settings.keyIn, dev: options.dev })
  }

  /** As underlay ports take them. */
  list(): Remote[] {
    return this.#entries.flatMap((entry, peer) =>
      entry ? [{ peer, address: entry.peer.address, mtu: entry.peer.mtu, keyIn: entry.peer.settings.keyIn }] : [],
    )
  }

  /** What is known of each, in the order in which they were given. */
  stats(fdbEntries: (peer: number) => number): PeerStats[] {
    const { counters } = this.#base
    return this.#entries.flatMap((entry, peer) => {
      if (!entry) return []
      const { keyOut, keyIn } = entry.peer.settings
      const identity = { peer, remote: entry.peer.address.text, keyOut, keyIn }
      return [counters.peers.snapshot(identity, counters.drops, fdbEntries(peer))]
    })
  }

  /** The address of number `peer`; undefined where nobody has it. */
  at(peer: number): Address | undefined {
    return this.#entries[peer]?.peer.address
  }

  /** Which number an address has. @throws ConfigError TSGRE_CONFLICT when it is no remote of this tunnel */
  numberOf(remote: string): number {
    const number = this.#entries.findIndex((entry) => entry && is(entry, remote))
    if (number >= 0) return number
    const known = this.list().map(({ address }) => address.text)
    const words = `--remote ${remote}: no remote of this tunnel; it has ${known.join(', ') || 'none'}`
    throw new ConfigError('TSGRE_CONFLICT', 'remote', remote, words)
  }

  /** The canonical address of a remote; undefined when it is none. */
  spelling(remote: string): string | undefined {
    return this.#entries.find((entry) => entry && is(entry, remote))?.peer.address.text
  }

  /** @throws ConfigError as openTunnel does; nothing has changed then */
  add(options: PeerOptions): void {
    const others = this.#entries.flatMap((entry) => entry?.peer ?? [])
    if (others.length === MOST_PEERS) {
      const words = `--remote ${options.remote}: the tunnel has ${MOST_PEERS} remotes already, which is the most`
      throw new ConfigError('TSGRE_CONFLICT', 'remote', options.remote, words)
    }
    const free = this.#entries.indexOf(undefined)
    this.#put(free < 0 ? this.#entries.length : free, options, resolvePeer(options, this.#base, others))
  }

  remove(remote: string): void {
    const number = this.numberOf(remote)
    const { release } = this.#entries[number]!
    this.#entries[number] = undefined
    this.#base.filter(this.list())
    this.#base.command({ kind: 'peer', peer: number, settings: undefined, way: undefined })
    release()
  }

  /**
   * Gives a remote another address, or other settings; what was learnt from it, and counted of it, is forgotten.
   * @throws as add
   */
  change(remote: string, options: PeerOptions): void {
    const number = this.numberOf(remote)
    const others = this.#entries.flatMap((entry, other) => (entry && other !== number ? [entry.peer] : []))
    this.#put(number, options, resolvePeer(options, this.#base, others))
  }

  optionsOf(remote: string): PeerOptions {
    return this.#entries[this.numberOf(remote)]!.options
  }

  /** All claims are for packets to `local` from now on; `move` moves the sockets. @throws ConfigError TSGRE_IN_USE, and what `move` throws; nothing has changed then */
  moveLocal(local: Address, move: () => void): void {
    const there = new Remotes(
      { ...this.#base, local },
      this.#entries.map((entry) => entry?.options),
      this.#entries.map((entry) => entry?.peer),
    )
    try {
      move()
    } catch (error) {
      there.release()
      throw error
    }
    this.release()
    this.#base = there.#base
    this.#entries = there.#entries
  }

  /** Number `number` is this remote from now on. Where something fails, it is what it was. */
  #put(number: number, options: PeerOptions, peer: ResolvedPeer): void {
    const before = this.#entries[number]
    const stays = before !== undefined && claimedAlike(before.peer, peer)
    const release = stays ? before.release : this.#claim(peer)
    this.#entries[number] = { options, peer, release }
    try {
      this.#base.filter(this.list())
    } catch (error) {
      this.#entries[number] = before
      if (!stays) release()
      throw error
    }
    const way = { peer: number, address: peer.address, mtu: peer.mtu }
    this.#base.command({ kind: 'peer', peer: number, settings: peer.settings, way })
    if (!stays) before?.release()
  }

  /** Gives back all claims. */
  release(): void {
    for (const entry of this.#entries) entry?.release()
  }
}

/** Whether one claim serves both. */
function claimedAlike(one: ResolvedPeer, other: ResolvedPeer): boolean {
  return one.address.text === other.address.text && one.settings.keyIn === other.settings.keyIn
}

function is({ options, peer }: Entry, remote: string): boolean {
  return peer.address.text === remote || options.remote === remote
}
