// All the chains of this host that may drop a packet: those of nftables, and of iptables with either back end. Reads only, and
// by the -save commands, which make no table that is not there.

import { HostError } from '../errors.js'
import { type Execute, execute } from './execute.js'
import type { BaseChain } from './filter-chain.js'
import { readIptables, tableNames } from './iptables-rules.js'
import { readNftables } from './nft-rules.js'

export interface Filters {
  readonly chains: readonly BaseChain[]
  /** What could not be read, as sentences. */
  readonly trouble: readonly string[]
}

/** By which name each back end goes; the plain one is either. */
const COMMANDS = [
  ['iptables', 4],
  ['iptables-legacy', 4],
  ['iptables-nft', 4],
  ['ip6tables', 6],
  ['ip6tables-legacy', 6],
  ['ip6tables-nft', 6],
] as const

export async function readFilters(run: Execute = execute): Promise<Filters> {
  const chains: BaseChain[] = []
  const trouble: string[] = []
  const seen = new Set<string>()
  const tables: string[] = []
  const asked = [...COMMANDS.map(([command]) => [`${command}-save`]), ['nft', '-j', 'list', 'ruleset']]
  const texts = await Promise.all(asked.map(([command = '', ...args]) => tried(command, args, run, trouble)))
  const ruleset = texts.at(-1) ?? ''
  for (const [i, [command, family]] of COMMANDS.entries()) {
    const text = texts[i] ?? ''
    const inNftables = text.includes('(nf_tables)')
    if (!text.includes('*') || seen.has(`${family} ${inNftables}`)) continue
    seen.add(`${family} ${inNftables}`)
    chains.push(...readIptables(text, command, family))
    if (inNftables) tables.push(...tableNames(text).map((name) => `${family === 4 ? 'ip' : 'ip6'} ${name}`))
  }
  if (ruleset.trim() !== '') chains.push(...understood(ruleset, tables, trouble))
  return { chains, trouble: [...new Set(trouble)] }
}

/** What another release of nft prints in a form that is not known here is no reason to forget the rules of iptables. */
function understood(ruleset: string, without: readonly string[], trouble: string[]): BaseChain[] {
  try {
    return readNftables(ruleset, without)
  } catch (error) {
    trouble.push(`nft -j list ruleset: what it prints is not understood: ${(error as Error).message}`)
    return []
  }
}

/** What it prints; '' where there is no such command. */
async function tried(command: string, args: readonly string[], run: Execute, trouble: string[]): Promise<string> {
  try {
    return await run(command, args)
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    if (error.stderr !== '') trouble.push(error.message.trim())
    return ''
  }
}
