// The way to the other host: whether there is one, where it leads and what fits it; whether packets that come the other way are
// taken; and a GRE of the kernel's own that answers beside us. Reads only.

import { ConfigError, SystemError } from '../../errors.js'
import type { Device } from '../../host/devices.js'
import { hasModule, kernelSetting, reversePathFilter } from '../../host/kernel-settings.js'
import { type Route, type RouteAnswer, routeTo } from '../../host/routes.js'
import { type UnderlayPath, underlayPath } from '../../io/underlay-path.js'
import type { Address } from '../../sys/address.js'
import { type Finding, fine, found } from './finding.js'
import type { Subject, Target } from './subject.js'

/** How packets leave this host. */
export interface Way {
  readonly dev: string
  readonly local: Address
  /** The remote itself, or the gateway to it; without a zone. */
  readonly nextHop: string
  /** Of the route, in bytes, as the kernel knows it now; and of the device. */
  readonly mtu: number
  readonly deviceMtu: number
}

export interface WayFound {
  readonly findings: Finding[]
  readonly way: Way | undefined
}

/** @param inside devices of the tunnel itself */
export async function checkRoute(
  subject: Subject,
  { address }: Target,
  inside: readonly (string | undefined)[],
  devices: readonly Device[],
): Promise<WayFound> {
  const { text } = address
  const none = (finding: Finding): WayFound => ({ findings: [finding], way: undefined })
  const route = await routeTo(text, subject.dev)
  const path = pathOf(subject, address)
  if (!route || !path)
    return none(found('no-route', `there is no route to ${text}`, 'ip route add NETWORK via GATEWAY; see ip route'))
  if (route.dev === '' || route.type === 'broadcast')
    return none(found('route-refuses', `the route to ${text} is ${route.type}`, `ip route get ${plain(text)}`))
  if (route.type === 'local' || path.local.text === text)
    return none(found('remote-is-local', `${text} is an address of this host`, 'give the address of the other host'))
  if (inside.includes(route.dev)) return none(loop(text, route))
  const device = devices.find(({ name }) => name === route.dev)
  const nextHop = route.gateway ?? plain(text)
  const way = { dev: route.dev, local: path.local, nextHop, mtu: path.mtu, deviceMtu: device?.mtu ?? path.mtu }
  return { findings: [fine('route', `${text} through ${way.dev}, from ${way.local.text}, MTU ${way.mtu}`)], way }
}

function loop(text: string, { dev }: RouteAnswer): Finding {
  const outside = `ip route add ${plain(text)} via GATEWAY dev UNDERLAY-DEVICE`
  return found('route-loop', `the route to ${text} leads into ${dev}: the tunnel would carry itself`, outside)
}

function plain(address: string): string {
  return address.replace(/%.*/, '')
}

function pathOf({ local, dev }: Subject, remote: Address): UnderlayPath | undefined {
  try {
    return underlayPath(remote, { dev, ...(local ? { local } : {}) })
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    if (!error.syscall.startsWith('bind')) return undefined
    const words = `--local ${local!.text}: not an address of this host; see \`ip address\``
    throw new ConfigError('TSGRE_NO_SOURCE', 'local', local!.text, words)
  }
}

/** Where containers are to reach networks behind the other host through the bridge, this host is their router. */
export function checkForwarding(bridge: string | undefined, routes: readonly Route[]): Finding[] {
  if (bridge === undefined) return []
  const through = routes.filter(({ dev, protocol }) => dev === bridge && protocol !== 'kernel')
  for (const [version, setting] of [
    ['.', 'net/ipv4/ip_forward'],
    [':', 'net/ipv6/conf/all/forwarding'],
  ] as const) {
    const route = through.find(({ destination }) => destination.includes(version))
    if (!route || kernelSetting(setting) !== 0) continue
    const text = `containers reach ${route.destination} by this host as their router, and it does not forward`
    return [found('forwarding-off', text, `sysctl -w ${setting.replaceAll('/', '.')}=1`)]
  }
  return []
}

/** Kinds of device that packets do not come in by. */
const INWARD = /^(dummy|vrf|ifb)$/

/** A strict filter drops what comes in by another device than that to which the way back leads (RFC 3704). */
export function checkReversePath({ address }: Target, way: Way, devices: readonly Device[]): Finding[] {
  if (address.family === 6) return []
  const suspects = devices.filter(
    ({ name, loopback, kind, addresses }) =>
      name !== way.dev && !loopback && !INWARD.test(kind) && addresses.some((one) => one.address === way.local.text),
  )
  const strict = suspects.find(({ name }) => reversePathFilter(name) === 1)
  if (!strict) return [fine('rp-filter', `packets from ${address.text} are taken`)]
  const text = `${way.local.text} is on ${strict.name}, where rp_filter is strict, but the way back leads through ${way.dev}: packets that come in by ${strict.name} are dropped`
  const remedy = `sysctl -w net.ipv4.conf.${strict.name}.rp_filter=2, or ip route add ${address.text} dev ${strict.name}`
  return [found('reverse-path-filter', text, remedy)]
}

/** A GRE of the kernel takes the same packets, or says of ours that nobody wants them. */
export function checkKernelGre({ udpPort }: Subject, target: Target, way: Way, devices: readonly Device[]): Finding[] {
  if (udpPort !== undefined) return []
  const { address, keyIn } = target
  const taps = devices.filter(({ gre, kind }) => gre && kind.includes('tap') === true)
  const same = taps.find(
    ({ gre }) =>
      [address.text, 'any'].includes(gre!.remote) &&
      [way.local.text, 'any'].includes(gre!.local) &&
      gre!.ikey === keyIn &&
      gre!.remote !== 'any',
  )
  if (same) {
    const text = `${same.name} (${same.kind}) is a GRE device of the kernel to ${address.text} with the same key: it takes every packet too`
    return [found('kernel-gre-device', text, `ip link del ${same.name}`)]
  }
  const six = address.family === 6
  const module = six ? 'ip6_gre' : 'ip_gre'
  const loaded = hasModule(module) || devices.some(({ name }) => name === (six ? 'ip6gre0' : 'gre0'))
  if (!loaded) return [fine('kernel-gre', 'no GRE of the kernel beside us')]
  const protocol = six ? 'icmpv6' : 'icmp'
  const rule = `nft add rule inet filter output ${six ? 'ip6' : 'ip'} daddr ${plain(address.text)} ${protocol} type destination-unreachable ${protocol} code port-unreachable drop`
  const text = `${module} is loaded: the kernel answers packets of this tunnel with ICMP "port unreachable", beside us`
  return [found('kernel-gre-answers', text, `rmmod ${module}, where nothing needs it; or ${rule}`)]
}
