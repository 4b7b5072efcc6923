// What the chains of a firewall do with one kind of packet, whoever wrote them: iptables and nft are read into the same rules.
// Pure. Rules are taken in their order; a rule of which it cannot be told whether it matches, and which would decide otherwise
// than those behind it, makes the whole unclear. Invariant: 'drop' and 'accept' are certain.

import { type Cidr, readCidr } from './cidr.js'
import { any, not, type Truth } from './truth.js'

/** One kind of packet; what is undefined may be anything. */
export interface FilteredPacket {
  readonly family: 4 | 6
  readonly protocol: 47 | 17 | undefined
  /** UDP destination port. */
  readonly port: number | undefined
  /** What connection tracking says of it. */
  readonly state: 'new' | 'established'
  /** Devices; '' where there is none, as in front of a process. */
  readonly in: string | undefined
  readonly out: string | undefined
  /** Networks its addresses are in. */
  readonly from: Cidr | undefined
  readonly to: Cidr | undefined
  /** What kind of address it is for. */
  readonly toType: 'local' | 'unicast'
  /** A frame that passes a bridge, and is shown to the rules for packets by br_netfilter. */
  readonly bridged: boolean
}

export type Action =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'pass' | 'unclear' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }

export interface FilterRule {
  readonly matches: (packet: FilteredPacket) => Truth
  readonly action: Action
  /** As a person would look for it. */
  readonly text: string
}

/** A chain that the kernel starts with, and those it can jump to. */
export interface BaseChain {
  readonly families: readonly (4 | 6)[]
  readonly hook: string
  readonly name: string
  /** Of an ingress chain: its devices. */
  readonly devices?: readonly string[]
  readonly policy: 'accept' | 'drop'
  /** `iptables, table filter, chain INPUT` */
  readonly where: string
  readonly chains: ReadonlyMap<string, readonly FilterRule[]>
  /** The command that puts a rule in front of the others; `words` in both languages. */
  readonly insert: (words: InsertWords) => string
}

/** What a rule that lets packets pass asks of them, in the words of each. */
export interface InsertWords {
  readonly iptables: string
  readonly nft: string
}

export interface Judgement {
  readonly verdict: 'accept' | 'drop' | 'unclear'
  /** The rule, or the policy, that decides, or of which it cannot be told. */
  readonly by: string
}

/** The kernel refuses loops; a text somebody wrote might have one. */
const DEEPEST = 16

/** What a base chain does with the packet. Accepted here, it may still be dropped in the next. */
export function judge(base: BaseChain, packet: FilteredPacket): Judgement {
  const doubts: Judgement[] = []
  const decided = walk(base, base.name, packet, doubts, true, 0) ?? { verdict: base.policy, by: 'its policy' }
  return doubts.find(({ verdict }) => verdict !== decided.verdict) ? unclear(doubts, decided) : decided
}

function unclear(doubts: readonly Judgement[], decided: Judgement): Judgement {
  return { verdict: 'unclear', by: doubts.find(({ verdict }) => verdict !== decided.verdict)!.by }
}

/** `certain`: whether the packet surely gets here. */
function walk(
  base: BaseChain,
  chain: string,
  packet: FilteredPacket,
  doubts: Judgement[],
  certain: boolean,
  depth: number,
): Judgement | undefined {
  let sure = certain
  for (const { matches, action, text } of base.chains.get(chain) ?? []) {
    const truth = matches(packet)
    if (truth === false || action.kind === 'pass') continue
    const decides = sure && truth === true
    if (action.kind === 'return') {
      if (truth === true) return undefined
      sure = false
    } else if (action.kind === 'jump' || action.kind === 'goto') {
      if (depth > DEEPEST) continue
      const found = walk(base, action.chain, packet, doubts, decides, depth + 1)
      if (found) return found
      if (action.kind === 'goto' && decides) return undefined
      if (action.kind === 'goto') sure = false
    } else {
      const judgement = { verdict: action.kind, by: text }
      if (decides) return judgement
      doubts.push(judgement)
    }
  }
  return undefined
}

/** Whether all the addresses of `range` are in `network`, none, or some. */
export function within(range: Cidr | undefined, network: string): Truth {
  const cidr = readCidr(network.includes('/') ? network : `${network}/${network.includes(':') ? 128 : 32}`)
  if (!cidr) return undefined
  if (cidr.prefixLength === 0 && range) return cidr.family === range.family
  if (!range) return undefined
  if (cidr.family !== range.family) return false
  if (cidr.prefixLength <= range.prefixLength) return cidr.contains(range.address)
  return range.contains(cidr.address) ? undefined : false
}

/** Whether a device is meant by a name that may end in `star`; undefined where the device is not known. */
export function isDevice(device: string | undefined, pattern: string, star: string): Truth {
  if (device === undefined) return undefined
  return pattern.endsWith(star) ? device.startsWith(pattern.slice(0, -1)) : device === pattern
}

const NAMES = { 47: ['gre', '47'], 17: ['udp', '17'] } as const

/** Whether a protocol, by name or number, is that of the packet. */
export function isProtocol({ protocol, family }: FilteredPacket, value: string | number): Truth {
  const text = `${value}`
  if (text === 'all' || text === '0') return true
  if (family === 4 && ['ipv6-icmp', 'icmpv6', '58'].includes(text)) return false
  return protocol === undefined ? undefined : (NAMES[protocol] as readonly string[]).includes(text)
}

/** Whether a port, or one of a range `1-5`, is that of the packet. */
export function isPort({ protocol, port }: FilteredPacket, first: number, last = first): Truth {
  if (protocol === 47) return false // has no ports
  return port === undefined || Number.isNaN(first) ? undefined : port >= first && port <= last
}

/** Whether the packet's state is one of those named. */
export function isState({ state }: FilteredPacket, names: readonly string[], negated = false): Truth {
  const truth = any(names.map((name) => name.toLowerCase() === state))
  return negated ? not(truth) : truth
}
