// The ruleset of nftables as `nft -j list ruleset` prints it, read into chains that judge a packet. Pure. Tables that iptables
// keeps there are left out: their conditions can be read by iptables only.

import type { Action, BaseChain, FilteredPacket, FilterRule } from './filter-chain.js'
import { type Json, matchTruth, valueTruth } from './nft-match.js'
import { all, type Truth } from './truth.js'

interface NftChain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly type?: string
  readonly hook?: string
  readonly prio?: number
  readonly policy?: string
  readonly dev?: string | readonly string[]
}

interface NftRule {
  readonly family: string
  readonly table: string
  readonly chain: string
  readonly handle: number
  readonly expr?: readonly Record<string, Json>[]
}

interface NftSet {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly elem?: readonly Json[]
}

type Entry = { readonly chain?: NftChain; readonly rule?: NftRule; readonly set?: NftSet; readonly map?: NftSet }

const FAMILIES: Readonly<Record<string, readonly (4 | 6)[]>> = { ip: [4], ip6: [6], inet: [4, 6], netdev: [4, 6] }

/** Reads the ruleset; `without` names tables to leave out, as `ip filter`. */
export function readNftables(text: string, without: readonly string[] = []): BaseChain[] {
  const entries = (JSON.parse(text) as { nftables: readonly Entry[] }).nftables
  const rulesByTable = new Map<string, Map<string, FilterRule[]>>()
  const sets = new Map<string, readonly Json[]>()
  for (const { set, map } of entries) {
    const named = set ?? map
    if (named) sets.set(`${named.family} ${named.table} @${named.name}`, named.elem ?? [])
  }
  const isOurs = ({ family, table }: NftRule | NftChain) => FAMILIES[family] && !without.includes(`${family} ${table}`)
  for (const { rule } of entries) if (rule && isOurs(rule)) addRule(rulesByTable, rule, sets)
  return entries
    .flatMap(({ chain }) => (chain?.hook && chain.type !== 'nat' && isOurs(chain) ? [chain] : []))
    .sort((a, b) => (a.prio ?? 0) - (b.prio ?? 0))
    .map((chain) => baseChain(chain, rulesByTable.get(`${chain.family} ${chain.table}`) ?? new Map()))
}

function baseChain(chain: NftChain, chains: ReadonlyMap<string, FilterRule[]>): BaseChain {
  const { family, table, name, hook = '', policy, dev } = chain
  return {
    families: FAMILIES[family]!,
    hook,
    name,
    policy: policy === 'drop' ? 'drop' : 'accept',
    where: `nft, table ${family} ${table}, chain ${name}`,
    chains,
    ...(dev === undefined ? {} : { devices: typeof dev === 'string' ? [dev] : dev }),
    insert: ({ nft }) => `nft insert rule ${family} ${table} ${name} ${nft} accept`,
  }
}

function addRule(tables: Map<string, Map<string, FilterRule[]>>, rule: NftRule, sets: Sets): void {
  const key = `${rule.family} ${rule.table}`
  const chains = tables.get(key) ?? new Map<string, FilterRule[]>()
  tables.set(key, chains)
  chains.set(rule.chain, [...(chains.get(rule.chain) ?? []), ...readRule(rule, sets)])
}

type Sets = ReadonlyMap<string, readonly Json[]>
type Holds = (packet: FilteredPacket) => Truth

/** Statements that neither decide nor ask. */
const SILENT = new Set(['counter', 'log', 'mangle', 'notrack', 'comment', 'set', 'map', 'flow', 'ct helper', 'dup'])

/** One rule, or with a verdict map one for each of its elements. */
function readRule({ family, table, chain, handle, expr = [] }: NftRule, sets: Sets): FilterRule[] {
  const conditions: Holds[] = []
  const elementsOf = (name: string) => sets.get(`${family} ${table} ${name}`)
  const made: FilterRule[] = []
  const add = (action: Action, more: readonly Holds[] = []) => {
    const every = [...conditions, ...more]
    const text = `rule handle ${handle} of chain ${chain} (${action.kind}; nft -a list chain ${family} ${table} ${chain})`
    made.push({ matches: (packet) => all(every.map((holds) => holds(packet))), action, text })
  }
  for (const statement of expr) {
    const [name = '', body] = Object.entries(statement)[0] ?? []
    const action = actionOf(name, body)
    if (action) add(action)
    else if (name === 'match') conditions.push((packet) => matchTruth(body, packet, elementsOf))
    else if (name === 'vmap') for (const one of elements(body, elementsOf)) add(one.action, [one.holds])
    else if (!SILENT.has(name) && !isTarget(name, body)) conditions.push(() => undefined)
  }
  return made
}

function actionOf(name: string, body: Json | undefined): Action | undefined {
  if (name === 'accept' || name === 'drop' || name === 'return') return { kind: name }
  if (name === 'reject') return { kind: 'drop' }
  if (name === 'queue') return { kind: 'unclear' }
  if (name === 'jump' || name === 'goto') return { kind: name, chain: (body as { target: string }).target }
  return undefined
}

/**
 * A target of iptables that somebody keeps in a table of nft. Before 1.0.6 nft prints null for all that is of iptables
 * (libnftables-json(5)): that may be a condition as well.
 */
function isTarget(name: string, body: Json | undefined): boolean {
  return name === 'xt' && (body as { type?: string } | null)?.type === 'target'
}

function elements(
  body: Json | undefined,
  elementsOf: (name: string) => readonly Json[] | undefined,
): { action: Action; holds: Holds }[] {
  const { key, data } = body as { key: Json; data: Json }
  const list = typeof data === 'string' ? elementsOf(data) : (data as { set?: readonly Json[] }).set
  if (!list) return [{ action: { kind: 'unclear' }, holds: () => undefined }]
  return list.flatMap((element) => {
    const [value, verdict] = element as unknown as [Json, Record<string, Json>]
    const [name = '', target] = Object.entries(verdict ?? {})[0] ?? []
    const action = actionOf(name, target)
    return action ? [{ action, holds: (packet: FilteredPacket) => valueTruth(key, value, packet) }] : []
  })
}
