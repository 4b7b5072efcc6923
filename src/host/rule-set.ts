// The filter table as `iptables -S` prints it, and what its FORWARD chain does with the packets between two networks. Pure.
// Only what can be known of all those packets counts: a rule for some of them, or with a condition that is not read here,
// is taken as one that does not match. So a special case neither opens the firewall nor asks for it to be opened.

import { type Cidr, overlap, readCidr } from './cidr.js'

/** Addresses of a network, without those of a part of it. */
export interface Range {
  readonly network: Cidr
  readonly except?: Cidr | undefined
}

/** First packets of connections. */
export interface Packets {
  readonly in: string
  readonly out: string
  readonly from: Range
  readonly to: Range
}

export type Verdict = 'accept' | 'drop'

interface Rule {
  readonly matches: (packets: Packets) => boolean
  readonly target: string
  /** `-g`: what comes after the jump is not read any more. */
  readonly goes: boolean
}

export interface RuleSet {
  readonly policies: ReadonlyMap<string, Verdict>
  readonly chains: ReadonlyMap<string, readonly Rule[]>
}

/** Reads `iptables -S`, or the filter table of `iptables-save`. */
export function parseRuleSet(text: string): RuleSet {
  const policies = new Map<string, Verdict>()
  const chains = new Map<string, Rule[]>()
  for (const line of text.split('\n')) {
    const [what, chain = '', ...words] = wordsOf(line)
    if (what === '-P') policies.set(chain, words[0] === 'ACCEPT' ? 'accept' : 'drop')
    if (what === '-P' || what === '-N') chains.set(chain, [])
    if (what === '-A') chains.set(chain, [...(chains.get(chain) ?? []), readRule(words)])
  }
  return { policies, chains }
}

/** The same with one more rule, the first of its chain. */
export function withFirst({ policies, chains }: RuleSet, chain: string, words: readonly string[]): RuleSet {
  return { policies, chains: new Map(chains).set(chain, [readRule(words), ...(chains.get(chain) ?? [])]) }
}

/** What FORWARD does with the packets. */
export function verdictOf(rules: RuleSet, packets: Packets): Verdict {
  return walk(rules, 'FORWARD', packets, 0) ?? rules.policies.get('FORWARD') ?? 'accept'
}

/** The kernel refuses loops; a text somebody wrote might have one. */
const DEEPEST = 64

function walk(rules: RuleSet, chain: string, packets: Packets, depth: number): Verdict | undefined {
  for (const { matches, target, goes } of rules.chains.get(chain) ?? []) {
    if (!matches(packets)) continue
    if (target === 'ACCEPT') return 'accept'
    if (target === 'DROP' || target === 'REJECT') return 'drop'
    if (target === 'RETURN') return undefined
    if (!rules.chains.has(target) || depth > DEEPEST) continue // LOG, MARK and the like go on to the next rule
    const verdict = walk(rules, target, packets, depth + 1)
    if (verdict || goes) return verdict
  }
  return undefined
}

type Condition = (value: string, not: boolean) => (packets: Packets) => boolean

const CONDITIONS: Readonly<Record<string, Condition>> = {
  '-i': (name, not) => (packets) => isNamed(packets.in, name) !== not,
  '-o': (name, not) => (packets) => isNamed(packets.out, name) !== not,
  '-s': (cidr, not) => (packets) => isIn(packets.from, cidr, not),
  '-d': (cidr, not) => (packets) => isIn(packets.to, cidr, not),
  '--ctstate': (states, not) => () => states.split(',').includes('NEW') !== not,
  '--state': (states, not) => () => states.split(',').includes('NEW') !== not,
  '--comment': () => () => true,
  '-m': () => () => true, // its own options decide; one without any (addrtype needs some) says nothing
}

function readRule(words: readonly string[]): Rule {
  const conditions: ((packets: Packets) => boolean)[] = []
  let not = false
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '!') {
      not = true
      continue
    }
    const value = words[i + 1] ?? ''
    if (word === '-j' || word === '-g')
      return { matches: (packets) => conditions.every((holds) => holds(packets)), target: value, goes: word === '-g' }
    conditions.push(CONDITIONS[word]?.(value, not) ?? (() => false))
    if (CONDITIONS[word]) i++
    not = false
  }
  return { matches: () => false, target: '', goes: false }
}

function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

/** Whether the condition holds for every address of the range. */
function isIn({ network, except }: Range, text: string, not: boolean): boolean {
  const cidr = readCidr(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`)
  if (!cidr) return false
  if (!not) return cidr.prefixLength <= network.prefixLength && cidr.contains(network.address)
  return !overlap(cidr, network) || (except !== undefined && holds(except, cidr))
}

function holds(outer: Cidr, inner: Cidr): boolean {
  return outer.prefixLength <= inner.prefixLength && outer.contains(inner.address)
}

/** iptables puts a comment in double quotes where it has blanks, and a backslash before a quote in it. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain! : quoted.replace(/\\(.)/g, '$1'),
  )
}
