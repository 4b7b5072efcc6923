// What a tunnel of a process is asked for, what is told of it, and whether this host lets it be.

import { type ResolvedOptions, resolveOptions, type TunnelOptions } from '../tunnel/options.js'
import type { TunnelStats } from '../tunnel/stats.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { type Place, place, type RemoteRoute, refuseRoutes, type WantedPlace } from './place.js'
import type { SetupPlan } from './setup.js'

export interface DaemonOptions extends TunnelOptions, WantedPlace {}

/** What the process tells whoever started it. */
export interface Report {
  up(tunnel: Tunnel, place: Place, done: SetupPlan): void
  note(message: string): void
  warn(message: string): void
  tunnelMtu(tunnel: Tunnel, now: number, before: number): void
  down(tunnel: Tunnel, seconds: number, stats: TunnelStats): void
}

/** Options found to be good, and where in this host they put the tunnel. */
export interface Settled {
  readonly resolved: ResolvedOptions
  readonly where: Place
  readonly remotes: readonly RemoteRoute[]
}

/**
 * Asks this host all that could speak against the tunnel; changes nothing.
 * @throws ConfigError
 */
export async function settle(options: DaemonOptions): Promise<Settled> {
  const resolved = resolveOptions(options)
  const where = await place(options, options.name)
  const remotes = resolved.peers.map(({ address }) => ({ text: address.text, dev: options.dev }))
  for (const remote of remotes) await refuseRoutes(remote, where, options.routes)
  return { resolved, where, remotes }
}
