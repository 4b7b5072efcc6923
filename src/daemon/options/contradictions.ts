// Wishes of one tunnel that cannot be true together, whatever this host is like: so a configuration file is told of them where it
// is written. What speaks against a tunnel on this host alone, its start says.

import { ConfigError } from '../../errors.js'
import { parseCidr } from '../../host/cidr.js'
import { parseAddress } from '../../sys/address.js'
import { resolveEncapsulation } from '../../tunnel/encapsulation.js'
import { refuseBusyLoop, resolveFragment, resolveOffload } from '../../tunnel/options.js'
import { listRemotes } from '../../tunnel/resolve-peers.js'
import { attempt, type Refuse } from './refuse.js'
import type { TunnelWishes } from './wanted.js'

interface Contradiction {
  /** The options that it looks at: of one that was refused nothing more can be said. */
  readonly of: readonly string[]
  /** @throws ConfigError */
  readonly refuse: (wishes: Partial<TunnelWishes>) => void
}

const CONTRADICTIONS: readonly Contradiction[] = [
  { of: ['ignore-df', 'pmtudisc'], refuse: resolveFragment },
  { of: ['offload', 'io'], refuse: ({ offload, io }) => resolveOffload(offload, io ?? 'mmsg') },
  { of: ['busy-poll', 'io'], refuse: ({ busyPoll, io }) => refuseBusyLoop(busyPoll ?? 0, io ?? 'mmsg') },
  { of: ['encap', 'io', 'udp-port', 'udp-source-port', 'udp6zerocsumrx', 'remote'], refuse: refuseEncapsulation },
  { of: ['host-setup', 'bridge', 'route'], refuse: refuseSetup },
  { of: ['local', 'remote'], refuse: refuseLocalFamily },
  { of: ['route', 'remote'], refuse: refuseEnclosing },
]

/** Tells of all but the carrier, which whoever reads wishes is told of. @param wrong options that were refused already */
export function refuseContradictions(wishes: TunnelWishes, wrong: ReadonlySet<string>, refuse: Refuse): void {
  for (const contradiction of CONTRADICTIONS)
    if (!contradiction.of.some((option) => wrong.has(option))) attempt(() => contradiction.refuse(wishes), refuse)
}

/** @throws ConfigError */
export function refuseOwnBridge({ name, bridge }: Partial<TunnelWishes>): void {
  if (bridge === undefined || bridge === 'none' || bridge !== name) return
  const why = `that is the TAP, and a TAP cannot be its own bridge; name the bridge that it becomes a port of, or none`
  throw new ConfigError('TSGRE_CONFLICT', 'bridge', bridge, `--bridge ${bridge}: ${why}`)
}

function refuseEncapsulation(wishes: Partial<TunnelWishes>): void {
  // Of names alone the family is not known: what is said of IPv4 is not said of them.
  resolveEncapsulation(wishes, wishes.io ?? 'mmsg', addressed(wishes)[0]?.family ?? 6)
}

/** What asks for a change of the host contradicts the wish that there be none. @throws ConfigError */
export function refuseSetup({ bridge, routes = [], hostSetup }: Partial<TunnelWishes>): void {
  if (hostSetup !== false) return
  const words = (option: string) =>
    `--no-host-setup leaves bridges, routes and firewall alone, and --${option} asks for one: leave one of the two away`
  if (bridge !== undefined && bridge !== 'none')
    throw new ConfigError('TSGRE_CONFLICT', 'bridge', bridge, words('bridge'))
  if (routes[0] !== undefined) throw new ConfigError('TSGRE_CONFLICT', 'route', routes[0], words('route'))
}

function refuseLocalFamily(wishes: Partial<TunnelWishes>): void {
  const local = parseAddress(wishes.local ?? '')
  const [remote] = addressed(wishes)
  if (!local || !remote || local.family === remote.family) return
  const why = `IPv${local.family}, but --remote ${remote.text} is IPv${remote.family}; both must be of one family`
  throw new ConfigError('TSGRE_FAMILY_MISMATCH', 'local', wishes.local, `--local ${wishes.local}: ${why}`)
}

function refuseEnclosing(wishes: Partial<TunnelWishes>): void {
  for (const route of wishes.routes ?? []) for (const { text } of addressed(wishes)) refuseAround(route, text)
}

/** Refuses a route that a remote lies in. @throws ConfigError TSGRE_ROUTE_LOOP */
export function refuseAround(route: string, remote: string): void {
  if (!parseCidr(route).contains(remote)) return
  const why = `the remote ${remote} lies in it, and the tunnel would carry itself; name only the network of the other host's containers`
  throw new ConfigError('TSGRE_ROUTE_LOOP', 'route', route, `--route ${route}: ${why}`)
}

/** The remotes that are no names. */
function addressed({ remote }: Partial<TunnelWishes>) {
  return listRemotes(remote).flatMap((one) => parseAddress(one.remote) ?? [])
}
