// From the tunnels that run to those that the configuration wants now. All or nothing: what is wrong with the new one is found
// before anything is touched, and what a running tunnel need not be ended for it is not.

import type { CarriedTunnel } from './carried-tunnel.js'
import type { Wanted } from './options/wanted.js'
import type { DaemonOptions } from './run-daemon.js'

export interface Applied {
  readonly wanted: Wanted
  readonly tunnels: CarriedTunnel[]
  /** Sentences. */
  readonly changed: string[]
}

export async function applyConfig(
  wanted: Wanted,
  _load: (() => Promise<Wanted>) | undefined,
  tunnels: CarriedTunnel[],
  _carry: (options: DaemonOptions) => CarriedTunnel,
): Promise<Applied> {
  return { wanted, tunnels, changed: [] }
}
