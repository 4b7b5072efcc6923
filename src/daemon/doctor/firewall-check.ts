// Whether this host's firewall lets the tunnel's packets in and out, and the frames of the bridge through. What conditions of a
// rule cannot be read, or depend on more than the packet, is said to be unclear and is no alarm.

import { type Cidr, readCidr } from '../../host/cidr.js'
import type { Device } from '../../host/devices.js'
import {
  type BaseChain,
  type FilteredPacket,
  type InsertWords,
  type Judgement,
  judge,
} from '../../host/filter-chain.js'
import { kernelSetting } from '../../host/kernel-settings.js'
import type { Filters } from '../../host/read-filters.js'
import { type Finding, fine, found } from './finding.js'
import type { Subject, Target } from './subject.js'
import type { Way } from './way-checks.js'

/** Where packets from the network meet rules, in that order; and those of our own. */
const HOOKS = { input: ['ingress', 'prerouting', 'input'], output: ['output', 'postrouting'] } as const

type Side = keyof typeof HOOKS

interface Verdict extends Judgement {
  readonly chain: BaseChain
}

export function checkUnderlayFirewall(
  subject: Subject,
  { address }: Target,
  way: Way,
  { chains, trouble }: Filters,
): Finding[] {
  const findings = (['input', 'output'] as const).flatMap((side) => {
    const packet = packetOf(subject, address.family, cidrOf(address.text), cidrOf(way.local.text), way.dev, side)
    return checkSide(side, chains, packet, wordsFor(side, packet))
  })
  if (findings.length > 0) return findings
  if (trouble.length > 0)
    return [found('firewall-unreadable', `not all rules can be read: ${trouble[0]}`, notRoot() ? 'run it as root' : '')]
  return [fine('firewall', `${nameOf(subject.udpPort)} from and to ${address.text} passes`)]
}

function notRoot(): boolean {
  return process.geteuid?.() !== 0
}

function nameOf(udpPort: number | undefined): string {
  return udpPort === undefined ? 'protocol 47 (GRE)' : `UDP port ${udpPort}`
}

function cidrOf(address: string): Cidr | undefined {
  const plain = address.replace(/%.*/, '')
  return readCidr(`${plain}/${plain.includes(':') ? 128 : 32}`)
}

function packetOf(
  { udpPort }: Subject,
  family: 4 | 6,
  remote: Cidr | undefined,
  local: Cidr | undefined,
  dev: string,
  side: Side,
): FilteredPacket {
  const inward = side === 'input'
  return {
    family,
    protocol: udpPort === undefined ? 47 : 17,
    port: udpPort,
    state: 'new',
    in: inward ? dev : '',
    out: inward ? '' : dev,
    from: inward ? remote : local,
    to: inward ? local : remote,
    toType: inward ? 'local' : 'unicast',
    bridged: false,
  }
}

/** What a rule says that lets exactly these packets pass. */
function wordsFor(side: Side, { family, port, from, to }: FilteredPacket): InsertWords {
  const remote = (side === 'input' ? from : to)?.address ?? ''
  const [option, field] = side === 'input' ? ['-s', 'saddr'] : ['-d', 'daddr']
  const ip = family === 4 ? 'ip' : 'ip6'
  return {
    iptables: `${port === undefined ? '-p gre' : '-p udp'} ${option} ${remote}${port === undefined ? '' : ` --dport ${port}`}`,
    nft: `${ip} ${field} ${remote} ${port === undefined ? 'meta l4proto gre' : `udp dport ${port}`}`,
  }
}

function checkSide(side: Side, chains: readonly BaseChain[], packet: FilteredPacket, words: InsertWords): Finding[] {
  const on = chains.filter((chain) => HOOKS[side].some((hook) => hook === chain.hook) && concerns(chain, packet))
  const verdict = verdictOf(on, packet)
  const what = `${nameOf(packet.port)} ${side === 'input' ? 'coming in' : 'going out'}`
  if (!verdict) return []
  const { chain, by } = verdict
  const where = `in ${chain.where}: ${by}`
  if (verdict.verdict === 'unclear')
    return [
      found(
        'firewall-unclear',
        `whether ${what} passes cannot be judged, ${where}`,
        `to be sure: ${chain.insert(words)}`,
      ),
    ]
  if (verdictOf(on, { ...packet, state: 'established' })?.verdict !== 'drop') {
    const text = `${what} passes only while this host sends too: a first packet is dropped ${where}`
    return [found('firewall-only-answers', text, chain.insert(words))]
  }
  return [
    found(side === 'input' ? 'firewall-input' : 'firewall-output', `${what} is dropped ${where}`, chain.insert(words)),
  ]
}

function concerns({ families, devices }: BaseChain, { family, in: device }: FilteredPacket): boolean {
  return families.includes(family) && (devices === undefined || devices.includes(device ?? ''))
}

/** The chain that drops it, else one of which it cannot be told; undefined where all accept. */
function verdictOf(chains: readonly BaseChain[], packet: FilteredPacket): Verdict | undefined {
  const verdicts = chains.map((chain) => ({ ...judge(chain, packet), chain }))
  return verdicts.find(({ verdict }) => verdict === 'drop') ?? verdicts.find(({ verdict }) => verdict === 'unclear')
}

export interface Forwarded {
  readonly bridge: Device | undefined
  readonly tap: Device | undefined
}

/**
 * Frames of the bridge are shown to the rules for forwarded packets where br_netfilter has them so; what this host routes from
 * the bridge back into it always is. Only what drops all of them is a finding: rules for some of them are somebody's wish.
 */
export function checkForwardFirewall({ bridge, tap }: Forwarded, { chains }: Filters): Finding[] {
  const device = bridge ?? tap
  if (!device) return []
  for (const [family, called, forwarded] of [
    [4, 'net/bridge/bridge-nf-call-iptables', 'net/ipv4/ip_forward'],
    [6, 'net/bridge/bridge-nf-call-ip6tables', 'net/ipv6/conf/all/forwarding'],
  ] as const) {
    const networks = device.addresses.filter((one) => one.family === family && !one.network.startsWith('fe80:'))
    // Most bridges speak no IPv6, and dockerd drops it then.
    const bridged = bridge !== undefined && kernelSetting(called) === 1 && (family === 4 || networks.length > 0)
    const routed = networks.length > 0 && kernelSetting(forwarded) === 1
    for (const way of [...(bridged ? ['bridged'] : []), ...(routed ? ['routed'] : [])]) {
      const finding = judgeForward(
        chains,
        forwardedPacket(family, device, bridge !== undefined, way === 'bridged'),
        called,
      )
      if (finding) return [finding]
    }
  }
  return []
}

function forwardedPacket(family: 4 | 6, { name }: Device, back: boolean, bridged: boolean): FilteredPacket {
  const anywhere = { protocol: undefined, port: undefined, from: undefined, to: undefined }
  return { ...anywhere, family, state: 'new', in: back ? name : undefined, out: name, toType: 'unicast', bridged }
}

function judgeForward(chains: readonly BaseChain[], packet: FilteredPacket, setting: string): Finding | undefined {
  const on = chains.filter((chain) => chain.hook === 'forward' && chain.families.includes(packet.family))
  const verdict = verdictOf(on, packet)
  if (verdict?.verdict !== 'drop') return undefined
  const { chain, by } = verdict
  const name = packet.out ?? ''
  const iptables = `${packet.in === undefined ? '' : `-i ${name} `}-o ${name}`
  const nft = `${packet.in === undefined ? '' : `iifname ${name} `}oifname ${name}`
  const how = packet.bridged
    ? `what crosses ${name} (br_netfilter shows it to the firewall)`
    : `what is routed back into ${name}`
  const off = packet.bridged ? `, or sysctl -w ${setting.replaceAll('/', '.')}=0` : ''
  const text = `${how} is dropped in ${chain.where}: ${by}`
  return found('firewall-forward', text, `${chain.insert({ iptables, nft })}${off}`)
}
