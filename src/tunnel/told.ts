// What a program has been told of its tunnel, so that each change is told once.

import type { Liveness, PeerStats } from './peer-stats.js'
import type { Tunnel } from './tunnel.js'

export class Told {
  #tunnelMtu: number
  readonly #liveness = new Map<string, Liveness>()
  readonly #blocked = new Set<string>()

  constructor(tunnelMtu: number) {
    this.#tunnelMtu = tunnelMtu
  }

  /** Emits what is another than before. */
  tell(tunnel: Tunnel, peers: readonly PeerStats[]): void {
    const before = this.#tunnelMtu
    this.#tunnelMtu = tunnel.tunnelMtu
    if (this.#tunnelMtu !== before) tunnel.emit('tunnelMtu', this.#tunnelMtu, before)
    for (const { remote, liveness, blocked } of peers) {
      if ((this.#liveness.get(remote) ?? 'unknown') !== liveness) {
        this.#liveness.set(remote, liveness)
        tunnel.emit('peer', remote, liveness)
      }
      if (this.#blocked.has(remote) === blocked) continue
      if (blocked) this.#blocked.add(remote)
      else this.#blocked.delete(remote)
      tunnel.emit('loop', remote, blocked)
    }
  }
}
