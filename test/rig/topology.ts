// The two hosts as text: names, addresses and the lines for `ip -batch`. Runs nothing.
//
//   cA eth0 ── veth0│docker0  A  eth1 ──(mid)── eth1  B  docker0│veth0 ── eth0 cB

export type HostName = 'A' | 'B'
/** Of a mesh (mesh.ts): host 1, the container behind it, and what stands in the middle. */
export type MeshNode = `h${number}` | `c${number}` | 'lan'
export type NodeName = HostName | 'cA' | 'cB' | 'mid' | MeshNode
export type Family = 4 | 6

export interface HostsOptions {
  /**
   * `routed`: each docker0 has its own /24 and its address is the container's gateway, as on two Docker hosts.
   * `flat`: one /16 over both containers, the bridges have no address. `none`: no bridges and no containers.
   */
  overlay?: 'routed' | 'flat' | 'none'
  /** Of the underlay, 1500 unless given. */
  mtu?: number
  /** Of the containers' eth0; unless given, what an IPv4 tunnel without GRE options carries: `mtu` - 38. */
  containerMtu?: number
  /** IPv6 in the containers of a flat overlay. Off unless given: neighbour discovery and MLD would be frames nobody asked for. */
  containerIpv6?: boolean
  /** A router between the hosts, its route MTU settable (`middleMtu`) and its forwarding filtered (`middleRules`). */
  middle?: boolean | { mtu: number }
}

/** What is done in one namespace: kernel settings first, since interfaces copy them when they are made. */
export interface Setup {
  sysctl: string[]
  links: string[]
}

const ETHERNET_MTU = 1500
const UNDERLAY = { A: { 4: '192.168.56.4', 6: 'fd56::4' }, B: { 4: '192.168.56.5', 6: 'fd56::5' } }
const MIDDLE = { 4: '192.168.56.1', 6: 'fd56::1' }
const ROUTED = { A: '10.103.100', B: '10.103.200' }
const FLAT = { A: { 4: '10.103.0.1', 6: 'fd10:103::1' }, B: { 4: '10.103.0.2', 6: 'fd10:103::2' } }
const MAC = { A: '02:00:c0:a8:38:04', B: '02:00:c0:a8:38:05' }
/** Follow from the MACs. */
export const LINK_LOCAL = { A: 'fe80::c0ff:fea8:3804', B: 'fe80::c0ff:fea8:3805' }

const QUIET = ['default.accept_dad', 'all.accept_dad', 'default.accept_ra', 'default.router_solicitations'].map(
  (key) => `net.ipv6.conf.${key}=0`,
)
const redirects = (value: 0 | 1) => ['all', 'default'].map((name) => `net.ipv4.conf.${name}.send_redirects=${value}`)

export function nodesOf(options: HostsOptions): NodeName[] {
  return [
    'A',
    'B',
    ...(overlay(options) === 'none' ? [] : (['cA', 'cB'] as const)),
    ...(options.middle ? ['mid' as const] : []),
  ]
}

export function otherHost(host: HostName): HostName {
  return host === 'A' ? 'B' : 'A'
}

function overlay(options: HostsOptions) {
  return options.overlay ?? 'routed'
}

function containerMtu(options: HostsOptions): number {
  return options.containerMtu ?? (options.mtu ?? ETHERNET_MTU) - 38
}

function isHost(node: NodeName): node is HostName {
  return node === 'A' || node === 'B'
}

/** The address by which a node is spoken to: of eth1 for a host, of eth0 for a container. */
export function addressOf(options: HostsOptions, node: NodeName, family: Family): string {
  if (node === 'mid') return MIDDLE[family]
  if (isHost(node)) return UNDERLAY[node][family]
  const host = node === 'cA' ? 'A' : 'B'
  if (overlay(options) === 'flat') return FLAT[host][family]
  if (family === 6) throw new Error('containers have IPv6 only in a flat overlay with containerIpv6')
  return `${ROUTED[host]}.2`
}

/** The network of a host's containers in a routed overlay, what `--route` on the other host wants. */
export function networkOf(host: HostName): string {
  return `${ROUTED[host]}.0/24`
}

/** For `ip -batch` outside: the namespaces and the cables between them. `name` turns a node into its namespace. */
export function cables(options: HostsOptions, name: (node: NodeName) => string): string[] {
  const cable = (a: NodeName, aDev: string, b: NodeName, bDev: string) =>
    `link add ${aDev} netns ${name(a)} type veth peer name ${bDev} netns ${name(b)}`
  return [
    ...(options.middle
      ? [cable('A', 'eth1', 'mid', 'left'), cable('B', 'eth1', 'mid', 'right')]
      : [cable('A', 'eth1', 'B', 'eth1')]),
    ...(overlay(options) === 'none' ? [] : [cable('A', 'veth0', 'cA', 'eth0'), cable('B', 'veth0', 'cB', 'eth0')]),
  ]
}

export function setupOf(options: HostsOptions, node: NodeName): Setup {
  if (node === 'mid') return middle(options)
  return isHost(node) ? host(options, node) : container(options, node === 'cA' ? 'A' : 'B')
}

function underlay(options: HostsOptions, node: HostName): string[] {
  const { 4: v4, 6: v6 } = UNDERLAY[node]
  const up = ['link set lo up', `link set eth1 address ${MAC[node]} mtu ${options.mtu ?? 1500} up`]
  if (!options.middle) return [...up, `address add ${v4}/24 dev eth1`, `address add ${v6}/64 dev eth1 nodad`]
  return [
    ...up,
    `address add ${v4}/32 dev eth1`,
    `route add ${MIDDLE[4]} dev eth1`,
    `route add 192.168.56.0/24 via ${MIDDLE[4]} dev eth1`,
    `address add ${v6}/128 dev eth1 nodad`,
    `route add ${MIDDLE[6]}/128 dev eth1`,
    `route add fd56::/64 via ${MIDDLE[6]} dev eth1`,
  ]
}

function host(options: HostsOptions, node: HostName): Setup {
  if (overlay(options) === 'none') return { sysctl: QUIET, links: underlay(options, node) }
  const routed = overlay(options) === 'routed'
  const bridge = [
    'link add docker0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
    `link set docker0 address ${MAC[node].replace('02:00', '02:42')} addrgenmode none up`,
    // A veth drops what is larger than the MTU of its other end.
    `link set veth0 addrgenmode none mtu ${Math.max(ETHERNET_MTU, containerMtu(options))} master docker0 up`,
    ...(routed ? [`address add ${ROUTED[node]}.1/24 dev docker0`] : []),
  ]
  // As the kernel has it. In a routed overlay a packet leaves docker0 by docker0, and its sender would be sent redirects.
  const sysctl = routed ? [...QUIET, ...redirects(1), 'net.ipv4.ip_forward=1'] : QUIET
  return { sysctl, links: [...underlay(options, node), ...bridge] }
}

function container(options: HostsOptions, of: HostName): Setup {
  const flat = overlay(options) === 'flat'
  const ipv6 = flat && options.containerIpv6 === true
  return {
    sysctl: [...QUIET, `net.ipv6.conf.default.disable_ipv6=${ipv6 ? 0 : 1}`],
    links: [
      'link set lo up',
      `link set eth0 address ${MAC[of].replace('02:00:c0:a8', '02:42:0a:67')} mtu ${containerMtu(options)} up`,
      flat ? `address add ${FLAT[of][4]}/16 dev eth0` : `address add ${ROUTED[of]}.2/24 dev eth0`,
      ...(flat ? [] : [`route add default via ${ROUTED[of]}.1`]),
      ...(ipv6 ? [`address add ${FLAT[of][6]}/64 dev eth0 nodad`] : []),
    ],
  }
}

function middle(options: HostsOptions): Setup {
  const mtu = options.mtu ?? 1500
  const side = (dev: string) => [
    `link set ${dev} mtu ${mtu} up`,
    `address add ${MIDDLE[4]}/32 dev ${dev}`,
    `address add ${MIDDLE[6]}/128 dev ${dev} nodad`,
  ]
  const hop = typeof options.middle === 'object' ? options.middle.mtu : mtu
  return {
    // Path MTU tests count on every "too big": no rate limit.
    sysctl: [
      ...QUIET,
      ...redirects(0),
      'net.ipv4.ip_forward=1',
      'net.ipv6.conf.all.forwarding=1',
      'net.ipv4.icmp_ratelimit=0',
      'net.ipv6.icmp.ratelimit=0',
    ],
    links: ['link set lo up', ...side('left'), ...side('right'), ...middleRoutes(hop)],
  }
}

/** A locked route MTU binds forwarded packets in both directions; an interface MTU would silently drop those coming in. */
export function middleRoutes(mtu: number): string[] {
  return [
    `route replace ${UNDERLAY.A[4]} dev left mtu lock ${mtu}`,
    `route replace ${UNDERLAY.B[4]} dev right mtu lock ${mtu}`,
    `route replace ${UNDERLAY.A[6]}/128 dev left mtu lock ${mtu}`,
    `route replace ${UNDERLAY.B[6]}/128 dev right mtu lock ${mtu}`,
  ]
}
