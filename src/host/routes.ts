// Routes of this host's main table and its addresses: asked, listed, planned, undone. A route that somebody else
// made is never changed and never taken away.

import { HostError } from '../errors.js'
import type { Change, Undo } from './change.js'
import { familyOf, parseCidr } from './cidr.js'
import { type Execute, execute, typed } from './execute.js'
import { ipJson } from './ip-json.js'

export { type Cidr, overlap, parseCidr } from './cidr.js'

/** Where the kernel would send a packet. */
export interface RouteAnswer {
  /** The device; '' where the route refuses. */
  readonly dev: string
  /** The address of this host such a packet would carry. */
  readonly source?: string
  /** The router it would be handed to; absent where the address is on the link itself. */
  readonly gateway?: string
  /** 'unicast', 'local', 'broadcast', 'multicast', 'anycast', or a refusal: 'unreachable', 'prohibit', 'blackhole'. */
  readonly type: string
}

/** A route of the main table. */
export interface Route {
  /** A network, `10.103.200.0/24`; of the default route 0.0.0.0/0 or ::/0. */
  readonly destination: string
  /** Absent where the route refuses, or has several next hops. */
  readonly dev?: string
  readonly gateway?: string
  readonly type: string
  /** 'kernel' where it came with an address, 'dhcp', …; 'boot' where somebody typed it. */
  readonly protocol: string
  /** As `ip route` prints it. */
  readonly text: string
}

export interface HostAddress {
  readonly address: string
  readonly prefixLength: number
  readonly family: 4 | 6
  readonly dev: string
}

interface RouteJson {
  readonly type?: string
  readonly dst: string
  readonly gateway?: string
  readonly via?: { readonly family: string; readonly host: string }
  readonly dev?: string
  readonly protocol?: string
  readonly prefsrc?: string
  readonly metric?: number
  readonly nexthops?: readonly { readonly gateway?: string; readonly dev?: string }[]
}

/** How `ip route get` fails for each refusing route: the kernel answers with an errno (ip-route(8), fib_props). */
const REFUSALS: Readonly<Record<string, string>> = {
  'No route to host': 'unreachable',
  'Permission denied': 'prohibit',
  'Invalid argument': 'blackhole',
}

/** The route to an address, through `dev` if named; a `%zone` names it too. undefined when there is none, or no such device. */
export async function routeTo(address: string, dev?: string, run: Execute = execute): Promise<RouteAnswer | undefined> {
  const [plain = '', zone] = address.split('%')
  const device = dev ?? zone
  const words = ['route', 'get', plain, ...(device ? ['dev', device] : [])]
  try {
    const [answer] = await ipJson<RouteJson>(run, words)
    if (!answer?.dev) return undefined
    const source = answer.prefsrc === undefined ? {} : { source: answer.prefsrc }
    const gateway = gatewayOf(answer)
    return { dev: answer.dev, ...source, ...(gateway === undefined ? {} : { gateway }), type: answer.type ?? 'unicast' }
  } catch (error) {
    const said = error instanceof HostError ? error.stderr : ''
    if (/Network is unreachable|Cannot find device/.test(said)) return undefined
    const type = REFUSALS[/RTNETLINK answers: (.*)/.exec(said)?.[1] ?? '']
    if (type === undefined) throw error
    return { dev: '', type }
  }
}

/**
 * What is left to do for `cidr` to be routed to `dev`, in the main table: nothing where somebody made that route already.
 * @throws ConfigError TSGRE_BAD_ROUTE; HostError TSGRE_BAD_ROUTE when the destination is routed elsewhere
 */
export async function planRoute(cidr: string, dev: string, run: Execute = execute): Promise<Change[]> {
  const { network, family } = parseCidr(cidr)
  const present = await routesOf(network, family, run)
  const inTheWay = present.find((route) => !leadsTo(route, dev))
  if (inTheWay) throw conflict(network, dev, inTheWay)
  if (present.length > 0) return []
  return [
    {
      what: `route ${network} dev ${dev}`,
      action: { run: ['ip', 'route', 'add', network, 'dev', dev] },
      undo: { kind: 'route', network, dev },
    },
  ]
}

/** The kernel drops a device's routes itself when the device goes down or away. */
export async function undoRoute({ network, dev }: Extract<Undo, { kind: 'route' }>, run: Execute): Promise<void> {
  try {
    await run('ip', ['route', 'del', network, 'dev', dev])
  } catch (error) {
    if ((await routesOf(network, parseCidr(network).family, run)).some((route) => leadsTo(route, dev))) throw error
  }
}

/** The routes of the main table, IPv4 then IPv6. */
export async function listRoutes(run: Execute = execute): Promise<Route[]> {
  const four = await ipJson<RouteJson>(run, ['-4', 'route', 'show'])
  const six = await ipJson<RouteJson>(run, ['-6', 'route', 'show'])
  return [...four.map((route) => readRoute(route, 4)), ...six.map((route) => readRoute(route, 6))]
}

/** The addresses of this host. */
export async function listAddresses(run: Execute = execute): Promise<HostAddress[]> {
  const links = await ipJson<{ ifname: string; addr_info?: { family: string; local?: string; prefixlen: number }[] }>(
    run,
    ['address', 'show'],
  )
  return links.flatMap(({ ifname, addr_info = [] }) =>
    addr_info.flatMap(({ local = '', prefixlen }) => {
      const family = familyOf(local)
      return family ? [{ address: local, prefixLength: prefixlen, family, dev: ifname }] : []
    }),
  )
}

async function routesOf(network: string, family: 4 | 6, run: Execute): Promise<Route[]> {
  const routes = await ipJson<RouteJson>(run, [`-${family}`, 'route', 'show', 'to', 'exact', network])
  return routes.map((route) => readRoute(route, family))
}

function leadsTo(route: Route, dev: string): boolean {
  return route.dev === dev && route.gateway === undefined && route.type === 'unicast'
}

function conflict(network: string, dev: string, route: Route): HostError {
  const wayOut = `take it away (ip route del ${route.text}) or leave --route ${network} out`
  const message = `${network} cannot be routed to ${dev}: there is already a route "${route.text}"; ${wayOut}`
  return new HostError('TSGRE_BAD_ROUTE', typed('ip', ['route', 'add', network, 'dev', dev]), '', message)
}

function readRoute(json: RouteJson, family: 4 | 6): Route {
  const type = json.type ?? 'unicast'
  const gateway = gatewayOf(json)
  return {
    destination: destinationOf(json.dst, family),
    ...(json.dev === undefined ? {} : { dev: json.dev }),
    ...(gateway === undefined ? {} : { gateway }),
    type,
    protocol: json.protocol ?? 'boot',
    text: routeText(json),
  }
}

/** An IPv6 one of an IPv4 route stands in a field of its own (RFC 5549). */
function gatewayOf({ gateway, via }: RouteJson): string | undefined {
  return gateway ?? via?.host
}

/** `ip` writes default for length 0, and leaves the length of a single address away. */
function destinationOf(dst: string, family: 4 | 6): string {
  if (dst === 'default') return family === 4 ? '0.0.0.0/0' : '::/0'
  return dst.includes('/') ? dst : `${dst}/${family === 4 ? 32 : 128}`
}

function routeText({ type, dst, gateway, via, dev, metric, nexthops = [] }: RouteJson): string {
  const hop = (to?: string, through?: string) => [...(to ? ['via', to] : []), ...(through ? ['dev', through] : [])]
  const words = [
    ...(type ? [type, dst] : [dst]),
    ...hop(gateway ?? (via && `${via.family} ${via.host}`), dev),
    ...(metric === undefined ? [] : ['metric', metric]),
    ...nexthops.flatMap((next) => ['nexthop', ...hop(next.gateway, next.dev)]),
  ]
  return words.join(' ')
}
