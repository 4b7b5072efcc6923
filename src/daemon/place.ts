// Where in this host the tunnel ends: which bridge, which device routes point at; and the routes that would make the
// tunnel carry its own packets. Reads only.

import { ConfigError } from '../errors.js'
import { isBridge, linkKind } from '../host/links.js'
import { listRoutes, parseCidr, type RouteAnswer, routeTo } from '../host/routes.js'
import { shown } from '../tunnel/values.js'
import { refuseAround, refuseSetup } from './options/contradictions.js'

/** The bridge containers hang on where nobody names another. */
const DEFAULT_BRIDGE = 'docker0'

export interface Place {
  readonly tap: string
  readonly bridge: string | undefined
  /** What routes to the other host's networks point at: the bridge, or the TAP itself. */
  readonly device: string
  /** How the bridge was chosen: 'named', 'found' (docker0), 'none' (as asked), 'missing' (no docker0). */
  readonly chosen: 'named' | 'found' | 'none' | 'missing'
}

/** What is asked of this host besides its TAP. */
export interface WantedPlace {
  /** A bridge, 'none', or undefined for docker0 where there is one. */
  bridge?: string | undefined
  /** Networks behind the other host, as CIDR. */
  routes: readonly string[]
  /** False: frames are carried, and nothing but the TAP is touched. Default true. */
  hostSetup?: boolean | undefined
}

/**
 * Chooses the bridge.
 * @throws ConfigError TSGRE_CONFLICT; TSGRE_BAD_BRIDGE when the named one is none, TSGRE_BAD_TAP when the TAP's name is another device's
 */
export async function place(wanted: WantedPlace, tap: string): Promise<Place> {
  const { bridge } = wanted
  refuseSetup(wanted)
  await refuseTaken(tap)
  if (bridge === 'none' || wanted.hostSetup === false) return { tap, bridge: undefined, device: tap, chosen: 'none' }
  if (bridge === undefined) {
    return (await isBridge(DEFAULT_BRIDGE))
      ? { tap, bridge: DEFAULT_BRIDGE, device: DEFAULT_BRIDGE, chosen: 'found' }
      : { tap, bridge: undefined, device: tap, chosen: 'missing' }
  }
  if (!(await isBridge(bridge))) {
    const kind = await linkKind(bridge)
    const why = kind === undefined ? 'there is no such device' : `that is no bridge (${kind || 'a plain device'})`
    const wayOut =
      'name a bridge (`ip link show type bridge` lists them), make one with `ip link add NAME type bridge`, or say --bridge none'
    throw new ConfigError('TSGRE_BAD_BRIDGE', 'bridge', bridge, `--bridge ${shown(bridge)}: ${why}; ${wayOut}`)
  }
  return { tap, bridge, device: bridge, chosen: 'named' }
}

/** Opening the TAP would say the same, but only after the routes through the device of that name were found wanting. */
async function refuseTaken(tap: string): Promise<void> {
  const kind = await linkKind(tap)
  if (kind === undefined || kind === 'tun') return
  const why = 'a device of that name exists and is no TAP; choose another name'
  throw new ConfigError('TSGRE_BAD_TAP', 'tap', tap, `--tap ${JSON.stringify(tap)}: ${why}`)
}

/** A remote and the device its packets are bound to. */
export interface RemoteRoute {
  readonly text: string
  readonly dev: string | undefined
}

/** The device of the tunnel that packets of this route would go into; undefined when they go elsewhere or nowhere. */
export function leadsInto(route: RouteAnswer | undefined, where: Place): string | undefined {
  return route && (route.dev === where.bridge || route.dev === where.tap) ? route.dev : undefined
}

/**
 * Refuses a tunnel that would carry itself.
 * @throws ConfigError TSGRE_ROUTE_LOOP, TSGRE_BAD_ROUTE
 */
export async function refuseRoutes(remote: RemoteRoute, where: Place, routes: readonly string[]): Promise<void> {
  const device = leadsInto(await routeTo(remote.text, remote.dev), where)
  const loop = 'the tunnel would carry itself'
  if (device) {
    const wayOut = `give the remote a route outside it, or choose another --bridge`
    throw new ConfigError(
      'TSGRE_ROUTE_LOOP',
      'remote',
      remote.text,
      `--remote ${remote.text}: its route leads into ${device}, where ${loop}; ${wayOut}`,
    )
  }
  const own = (await listRoutes()).filter(({ protocol }) => protocol === 'kernel')
  for (const route of routes) {
    refuseAround(route, remote.text)
    const { network } = parseCidr(route)
    const mine = own.find(({ destination }) => destination === network)
    if (mine) {
      const why = `that is this host's own network, on ${mine.dev}; name the network of the other host's containers`
      throw new ConfigError('TSGRE_BAD_ROUTE', 'route', route, `--route ${route}: ${why}`)
    }
  }
}
