// From the tunnels that run to those that the configuration wants now. All or nothing: what is wrong with the new one is found
// before anything is touched, and what a running tunnel need not be ended for it is not.

import { isDeepStrictEqual } from 'node:util'
import type { CarriedTunnel } from './carried-tunnel.js'
import { remotesOf, type TunnelChange, tunnelChange } from './config/tunnel-change.js'
import type { TunnelWishes, Wanted } from './options/wanted.js'
import type { DaemonOptions, Report } from './run-daemon.js'

/** How new tunnels come to be. */
export type Carry = (options: DaemonOptions) => CarriedTunnel

/**
 * Brings `running`, which is what runs at every moment, to `after`. Returns what changed, as sentences.
 * @throws ConfigError when something is wrong with it; nothing has changed then. Any other error of a start, after what ran before
 * was started again
 */
export async function applyConfig(
  before: Wanted,
  after: Wanted,
  running: CarriedTunnel[],
  carry: Carry,
  report: Report,
): Promise<string[]> {
  const { gone, kept, fresh } = await planned(after, running, carry)
  const changed = waiting(before, after)
  for (const tunnel of gone) {
    await tunnel.stop()
    running.splice(running.indexOf(tunnel), 1)
    changed.push(`${tunnel.options.name} is ended`)
  }
  for (const { tunnel, wishes, change, next } of kept) {
    if (next) await restart(running, tunnel, next, carry, report)
    else await applyLive(tunnel, wishes)
    const keys = `${change.keys.join(', ')} changed`
    changed.push(next ? `${wishes.name} is started anew: ${keys}` : `${wishes.name}: ${keys}`)
  }
  for (const tunnel of fresh) {
    await tunnel.start()
    running.push(tunnel)
    changed.push(`${tunnel.options.name} is started`)
  }
  return changed
}

interface Kept {
  readonly tunnel: CarriedTunnel
  readonly wishes: TunnelWishes
  readonly change: TunnelChange
  /** What is started in its stead, where it has to be. */
  readonly next: CarriedTunnel | undefined
}

interface Plan {
  readonly gone: readonly CarriedTunnel[]
  readonly kept: readonly Kept[]
  readonly fresh: readonly CarriedTunnel[]
}

/** Finds out all that could be wrong; changes nothing. */
async function planned({ tunnels }: Wanted, running: readonly CarriedTunnel[], carry: Carry): Promise<Plan> {
  const kept: Kept[] = []
  const fresh: CarriedTunnel[] = []
  for (const wishes of tunnels) {
    const tunnel = running.find(({ options }) => options.name === wishes.name)
    const asked = tunnel?.names.list.map((remote) => remote.asked) ?? []
    const change = tunnel && tunnelChange(tunnel.options, wishes, asked)
    if (tunnel && !change) continue
    const next = carry(wishes)
    await next.findNamesOnce()
    if (!tunnel) next.refuseTaken()
    if (next.names.resolved.length > 0) await next.check()
    if (tunnel && change) kept.push({ tunnel, wishes, change, next: change.live ? undefined : next })
    else fresh.push(next)
  }
  const gone = running.filter(({ options }) => !tunnels.some(({ name }) => name === options.name))
  return { gone, kept, fresh }
}

/** What a process is asked for at its start alone. */
function waiting(before: Wanted, after: Wanted): string[] {
  const keys = ['metrics', 'logFormat', 'logLevel', 'json'] as const
  const later = keys.filter((key) => !isDeepStrictEqual(before[key], after[key]))
  return later.length === 0 ? [] : [`${later.join(', ')} changed, which counts from the next start on`]
}

/** Remotes come, go and change while frames are carried. */
async function applyLive(tunnel: CarriedTunnel, wishes: TunnelWishes): Promise<void> {
  const { names } = tunnel
  const wanted = remotesOf(wishes)
  tunnel.setOptions(wishes)
  for (const { asked } of [...names.list]) {
    if (!wanted.some(({ remote }) => remote === asked.remote)) names.remove(asked.remote)
  }
  for (const remote of wanted) {
    const there = names.list.find(({ asked }) => asked.remote === remote.remote)
    if (!there) await tunnel.addPeer(remote)
    else if (!isDeepStrictEqual(there.asked, remote)) names.change(remote)
  }
}

async function restart(
  running: CarriedTunnel[],
  tunnel: CarriedTunnel,
  next: CarriedTunnel,
  carry: Carry,
  report: Report,
): Promise<void> {
  const at = running.indexOf(tunnel)
  await tunnel.stop()
  try {
    running[at] = next
    await next.start()
  } catch (error) {
    report.warn(`${tunnel.options.name} could not be started with its new options, and is started with those it had`)
    const again = carry(tunnel.options)
    running[at] = again
    await again.findNamesOnce()
    await again.start()
    throw error
  }
}
