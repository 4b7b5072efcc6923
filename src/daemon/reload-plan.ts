// What a reload is going to do: which tunnels end, which change while they run, which are started, anew or for the first time. All
// that can be known to be wrong with it is found here. Nothing is changed.

import { ConfigError } from '../errors.js'
import { parseAddress } from '../sys/address.js'
import type { CarriedTunnel } from './carried-tunnel.js'
import { type TunnelChange, tunnelChange } from './config/tunnel-change.js'
import type { TunnelWishes, Wanted } from './options/wanted.js'
import { placing } from './placing.js'
import { refuseShared, type Taker, takerOf } from './refuse-shared.js'
import type { DaemonOptions, Settled } from './run-daemon.js'

/** How new tunnels come to be. */
export interface Carrying {
  /** One that is not started yet. */
  readonly carry: (options: DaemonOptions) => CarriedTunnel
  /** Looks up the names of their remotes, but not for long. @throws StateError when the process is ending */
  readonly findNames: (tunnels: readonly CarriedTunnel[]) => Promise<void>
  /** Starts it: now, or as soon as one of its remotes has an address. */
  readonly begin: (tunnel: CarriedTunnel) => Promise<void>
}

/** A tunnel that is wanted, or wanted otherwise. */
export interface Candidate {
  /** As it is wanted: not started, and never where the one that runs can become it. */
  readonly next: CarriedTunnel
  readonly running: CarriedTunnel | undefined
  /** Of the one that runs. */
  readonly change: TunnelChange | undefined
}

export interface Plan {
  readonly gone: readonly CarriedTunnel[]
  readonly live: readonly Candidate[]
  /** Are started, those of them that run after their end. */
  readonly anew: readonly Candidate[]
}

/** @throws ConfigError; StateError when the process is ending */
export async function planReload(after: Wanted, running: readonly CarriedTunnel[], carrying: Carrying): Promise<Plan> {
  const candidates = after.tunnels.flatMap((wishes) => candidateOf(wishes, running, carrying))
  await carrying.findNames(candidates.map(({ next }) => next))
  const checked: { candidate: Candidate; settled: Settled | undefined }[] = []
  for (const candidate of candidates) {
    const settled = await placing(after, candidate.next.options.name, () => check(candidate))
    checked.push({ candidate, settled })
  }
  const gone = running.filter(({ options }) => !after.tunnels.some(({ name }) => name === options.name))
  const untouched = running.filter(
    (tunnel) => !gone.includes(tunnel) && !candidates.some((candidate) => candidate.running === tunnel),
  )
  const wanted = checked.flatMap(({ candidate, settled }) => (settled ? takes(candidate, settled) : []))
  refuseShared([...untouched.flatMap(runningTakes), ...wanted], running.flatMap(runningTakes), after.placed)
  const live = checked.filter(({ candidate, settled }) => isLive(candidate, settled)).map(({ candidate }) => candidate)
  return { gone, live, anew: candidates.filter((candidate) => !live.includes(candidate)) }
}

/** None where nothing is changed. */
function candidateOf(wishes: TunnelWishes, running: readonly CarriedTunnel[], { carry }: Carrying): Candidate[] {
  const tunnel = running.find(({ options }) => options.name === wishes.name)
  const asked = tunnel?.names.list.map((remote) => remote.asked) ?? []
  const change = tunnel && tunnelChange(tunnel.options, wishes, asked)
  return tunnel && !change ? [] : [{ next: carry(wishes), running: tunnel, change }]
}

/** Asks this host what speaks against it, as far as its remotes have addresses. @throws ConfigError */
async function check({ next, running }: Candidate): Promise<Settled | undefined> {
  if (!running) await next.refuseTaken()
  if (next.names.resolved.length > 0) return await next.check()
  if (running?.tunnel) refuseNobody(next)
  return undefined
}

/** A tunnel that starts waits for names; one that runs is not ended, or emptied, for the sake of what may be a slip. */
function refuseNobody({ names, options }: CarriedTunnel): never {
  const [first] = names.list.map(({ asked }) => asked.remote)
  const words = `--remote ${first}: the name has no address, and ${options.name}, which runs, would be left without any remote; mend the name, or reload again once it has one`
  throw new ConfigError('TSGRE_NOT_AN_ADDRESS', 'remote', first, words)
}

/** One that is not up yet has nothing to go on with; sockets are of one address family. */
function isLive({ running, change }: Candidate, settled: Settled | undefined): boolean {
  if (!running?.tunnel || !change?.live) return false
  return settled === undefined || settled.resolved.local.family === parseAddress(running.tunnel.local)?.family
}

function runningTakes({ tunnel, options }: CarriedTunnel): Taker[] {
  if (!tunnel || tunnel.udpPort !== undefined) return []
  return [{ tap: options.name, dev: options.dev, local: tunnel.local, remotes: tunnel.peers() }]
}

function takes(candidate: Candidate, settled: Settled): Taker[] {
  const { next, running } = candidate
  const { resolved } = settled
  if (resolved.encapsulation) return []
  const taker = takerOf(next.options, resolved)
  // One that goes on keeps the address that it has.
  return [isLive(candidate, settled) ? { ...taker, local: running!.tunnel!.local } : taker]
}
