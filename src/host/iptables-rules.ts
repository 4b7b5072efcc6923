// The tables of iptables as `iptables-save` prints them, read into chains that judge a packet. Pure. A condition that is not
// known here makes its rule one of which nothing can be told, unless another condition of it says no.

import {
  type Action,
  type BaseChain,
  type FilteredPacket,
  type FilterRule,
  isDevice,
  isPort,
  isProtocol,
  isState,
  within,
} from './filter-chain.js'
import { wordsOf } from './rule-set.js'
import { all, any, not, type Truth } from './truth.js'

/** Chains of the kernel, and their hooks; nat drops nothing. */
const HOOKS: Readonly<Record<string, string>> = {
  PREROUTING: 'prerouting',
  INPUT: 'input',
  FORWARD: 'forward',
  OUTPUT: 'output',
  POSTROUTING: 'postrouting',
}
/** In which order a packet meets the tables (netfilter_ipv4.h, NF_IP_PRI_*). */
const ORDER = ['raw', 'mangle', 'filter', 'security']

interface Table {
  readonly policies: Map<string, 'accept' | 'drop'>
  readonly chains: Map<string, FilterRule[]>
}

/** Reads all tables. `command` is that whose rules they are: iptables, ip6tables-legacy, … */
export function readIptables(text: string, command: string, family: 4 | 6): BaseChain[] {
  const tables = new Map<string, Table>()
  let table: Table = { policies: new Map(), chains: new Map() }
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) {
      table = { policies: new Map(), chains: new Map() }
      tables.set(line.slice(1).trim(), table)
    }
    const [, name = '', policy] = /^:(\S+) (\S+)/.exec(line) ?? []
    if (policy === 'ACCEPT' || policy === 'DROP') table.policies.set(name, policy === 'DROP' ? 'drop' : 'accept')
    if (policy) table.chains.set(name, [])
    if (line.startsWith('-A ')) addRule(table, line, command)
  }
  return ORDER.flatMap((name) => baseChains(tables.get(name), name, command, family))
}

/** The tables there are. */
export function tableNames(text: string): string[] {
  return [...text.matchAll(/^\*(\S+)/gm)].map(([, name]) => name!)
}

function baseChains(table: Table | undefined, tableName: string, command: string, family: 4 | 6): BaseChain[] {
  return [...(table?.policies ?? [])].flatMap(([name, policy]) => {
    const hook = HOOKS[name]
    if (!hook) return []
    const of = tableName === 'filter' ? '' : `-t ${tableName} `
    return {
      families: [family],
      hook,
      name,
      policy,
      where: `${command}, table ${tableName}, chain ${name}`,
      chains: table!.chains,
      insert: ({ iptables }) => `${command} ${of}-I ${name} ${iptables} -j ACCEPT`,
    }
  })
}

function addRule({ chains }: Table, line: string, command: string): void {
  const [, chain = '', ...words] = wordsOf(line)
  chains.set(chain, [...(chains.get(chain) ?? []), { ...readRule(words), text: `"${command} ${line.trim()}"` }])
}

type Condition = (value: string) => (packet: FilteredPacket) => Truth

const states: Condition = (value) => (packet) => isState(packet, value.split(','))
const ports: Condition = (value) => (packet) =>
  any(
    value.split(',').map((range) => {
      const [first = '', last = first] = range.split(':')
      return isPort(packet, Number(first), Number(last))
    }),
  )
const bridged: Condition = () => (packet) => packet.bridged
const yes: Condition = () => () => true

const CONDITIONS: Readonly<Record<string, Condition>> = {
  '-p': (name) => (packet) => isProtocol(packet, name),
  '-i': (name) => (packet) => isDevice(packet.in, name, '+'),
  '-o': (name) => (packet) => isDevice(packet.out, name, '+'),
  '-s': (cidr) => (packet) => within(packet.from, cidr),
  '-d': (cidr) => (packet) => within(packet.to, cidr),
  '--ctstate': states,
  '--state': states,
  '--dport': ports,
  '--dports': ports,
  '--dst-type': (type) => (packet) => (/^(LOCAL|UNICAST)$/.test(type) ? packet.toType === type.toLowerCase() : false),
  '--pkt-type': (type) => () => type === 'unicast',
  '--physdev-is-bridged': bridged,
  '--comment': yes,
}
/** Followed by no value. */
const ALONE = new Set(['--physdev-is-bridged'])

function readRule(words: readonly string[]): Omit<FilterRule, 'text'> {
  const conditions: ((packet: FilteredPacket) => Truth)[] = []
  let action: Action = { kind: 'pass' }
  for (let i = 0; i < words.length; ) {
    const negated = words[i] === '!'
    if (negated) i++
    const option = words[i++]!
    const values: string[] = []
    while (i < words.length && !/^(!|--?[a-zA-Z][\w-]*)$/.test(words[i]!) && !ALONE.has(option))
      values.push(words[i++]!)
    if (option === '-j' || option === '-g') {
      action = actionOf(values[0] ?? '', option === '-g')
      break // what follows belongs to the target
    }
    if (option === '-m') continue // its own options decide
    const condition = CONDITIONS[option]?.(values[0] ?? '') ?? (() => undefined)
    conditions.push(negated ? (packet) => not(condition(packet)) : condition)
  }
  return { matches: (packet) => all(conditions.map((holds) => holds(packet))), action }
}

function actionOf(target: string, goes: boolean): Action {
  if (target === 'ACCEPT') return { kind: 'accept' }
  if (target === 'DROP' || target === 'REJECT') return { kind: 'drop' }
  if (target === 'RETURN') return { kind: 'return' }
  if (target === 'QUEUE' || target === 'NFQUEUE') return { kind: 'unclear' }
  // A chain of that name, or LOG, MARK and the like: nothing to jump to, so on to the next rule.
  return { kind: goes ? 'goto' : 'jump', chain: target }
}
