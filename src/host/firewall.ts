// Lets packets between this host's containers and the other host's through Docker's firewall, by rules in DOCKER-USER, the
// chain dockerd keeps for others and does not rewrite. Only where the rules there are would drop them; nothing else is let
// through, and no chain but DOCKER-USER is ever touched.

import { HostError } from '../errors.js'
import type { Change, Undo } from './change.js'
import { readCidr } from './cidr.js'
import { type Execute, execute, typed } from './execute.js'
import { type Packets, parseRuleSet, type Range, type RuleSet, verdictOf, withFirst } from './rule-set.js'

const CHAIN = 'DOCKER-USER'
/** Wait some seconds for whoever holds the lock of the tables. */
const WAIT = ['-w', '5']
/** A kernel may hold rules of both back ends; dockerd took the one that `iptables` was then. */
const COMMANDS = { 4: 'iptables', 6: 'ip6tables' } as const

/** Two networks whose packets are to pass, as CIDR. Without `remote`: those of the bridge's own network that are not `local`. */
export interface Pair {
  readonly local: string
  readonly remote?: string
  /** Make no rule: it would let more through than the tunnel's packets. */
  readonly tellOnly?: boolean
}

export interface ForwardingPlan {
  readonly changes: Change[]
  /** What a person may want to know, as sentences. */
  readonly notes: string[]
}

/** What is left to do for the packets of the pairs to be forwarded from the bridge back into it. */
export async function planForwarding(
  wanted: { bridge: string; pairs: readonly Pair[]; tap: string },
  run: Execute = execute,
): Promise<ForwardingPlan> {
  const plan: ForwardingPlan = { changes: [], notes: [] }
  for (const family of [4, 6] as const) {
    const pairs = wanted.pairs.filter(({ local }) => readCidr(local)?.family === family)
    if (pairs.length === 0) continue
    const { tables, trouble } = await readTables(family, run)
    plan.notes.push(...trouble)
    const docker = tables.find(({ rules }) => rules.chains.has(CHAIN))
    for (const pair of pairs) for (const way of ways(pair, wanted)) planWay(way, docker, tables, plan, pair.tellOnly)
    if (!docker && family === 4 && (await usesNftables(run))) plan.notes.push(NFTABLES)
  }
  return plan
}

/** Of our rules. Whoever may write a journal must not have root give others: `--modprobe` names a program to run. */
const OPTIONS = new Set(['-i', '-o', '-s', '-d', '-m', '--comment', '-j'])

/** Deletes the rule, as often as it is there; one that is gone, with its chain or altogether, needs nothing. */
export async function undoRule({ command, rule }: Extract<Undo, { kind: 'rule' }>, run: Execute): Promise<void> {
  const strange = rule.some((word) => word.startsWith('-') && !OPTIONS.has(word))
  if (!/^ip6?tables(-nft|-legacy)?$/.test(command) || rule[0] !== CHAIN || strange)
    throw new HostError('TSGRE_COMMAND_FAILED', command, '', `${typed(command, rule)} is no rule tsgre makes`)
  for (let left = 8; left > 0; left--) {
    try {
      await run(command, [...WAIT, '-C', ...rule])
    } catch (error) {
      if (error instanceof HostError && isMissing(error)) return
      throw error
    }
    await run(command, [...WAIT, '-D', ...rule])
  }
}

interface Table {
  readonly command: string
  readonly rules: RuleSet
}

interface Way {
  readonly packets: Packets
  /** Of the rule that lets them pass, without the chain. */
  readonly words: readonly string[]
}

/** There and back. */
function ways({ local, remote }: Pair, { bridge, tap }: { bridge: string; tap: string }): Way[] {
  const here: Range = { network: readCidr(local)! }
  const there: Range = remote ? { network: readCidr(remote)! } : { network: ANYWHERE, except: here.network }
  const not = remote ? [] : ['!']
  const way = (from: Range, to: Range, addresses: string[]): Way => ({
    packets: { in: bridge, out: bridge, from, to },
    words: ['-i', bridge, '-o', bridge, ...addresses, '-m', 'comment', '--comment', `tsgre ${tap}`, '-j', 'ACCEPT'],
  })
  return [
    way(here, there, ['-s', local, ...not, '-d', remote ?? local]),
    way(there, here, [...not, '-s', remote ?? local, '-d', local]),
  ]
}

const ANYWHERE = readCidr('0.0.0.0/0')!

function planWay(
  { packets, words }: Way,
  docker: Table | undefined,
  tables: readonly Table[],
  plan: ForwardingPlan,
  tellOnly = false,
): void {
  const dropping = tables.find(({ rules }) => verdictOf(rules, packets) === 'drop')
  if (!dropping) return
  const by = typed(dropping.command, ['-I', 'FORWARD', ...words])
  const alone = `the firewall is left alone; to let packets pass by hand: ${by}`
  if (tellOnly) {
    if (plan.notes.length > 0) return
    const all = typed(dropping.command, ['-I', docker ? CHAIN : 'FORWARD', ...words.slice(0, 4), '-j', 'ACCEPT'])
    const why =
      'a rule for the tunnel alone needs networks that do not overlap, or a fixed-cidr (tsgre docker apply --flat)'
    plan.notes.push(
      `FORWARD of ${dropping.command} drops frames of the bridge: ${why}; to let all of them pass: ${all}`,
    )
  } else if (!docker) {
    plan.notes.push(
      `FORWARD of ${dropping.command} drops packets of the tunnel, and dockerd has no chain ${CHAIN} there: ${alone}`,
    )
  } else if (dropping !== docker || verdictOf(withFirst(docker.rules, CHAIN, words), packets) === 'drop') {
    plan.notes.push(`FORWARD of ${dropping.command} drops packets of the tunnel before ${CHAIN} is asked: ${alone}`)
  } else {
    const rule = [CHAIN, ...words] as const
    plan.changes.push({
      what: `firewall: ${words.slice(4, words.indexOf('-m')).join(' ')} accepted`,
      action: { run: [docker.command, ...WAIT, '-I', ...rule] },
      undo: { kind: 'rule', command: docker.command, rule },
    })
  }
}

/** The filter tables of both back ends, up to the one dockerd uses; what a back end says when there is none to read. */
async function readTables(family: 4 | 6, run: Execute): Promise<{ tables: Table[]; trouble: string[] }> {
  const name = COMMANDS[family]
  const tables: Table[] = []
  const trouble: string[] = []
  for (const command of [name, `${name}-legacy`, `${name}-nft`]) {
    try {
      tables.push({ command, rules: parseRuleSet(await run(command, [...WAIT, '-S'])) })
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      if (command === name && !isMissing(error)) trouble.push(unreadable(command, error))
    }
    if (tables.at(-1)?.rules.chains.has(CHAIN)) break
  }
  return { tables, trouble: tables.length === 0 ? trouble : [] }
}

function unreadable(command: string, { message }: HostError): string {
  return `the rules of ${command} cannot be read (${message}): whether they let the tunnel's packets pass is not known`
}

const NFTABLES =
  'dockerd keeps its rules in nftables here, where it has no chain DOCKER-USER: the firewall is left alone; ' +
  'where containers of the two hosts do not reach each other, see `nft list ruleset`'

/** Docker 29 and later, if told so. */
async function usesNftables(run: Execute): Promise<boolean> {
  try {
    return (await run('nft', ['list', 'tables'])).includes('docker-bridges')
  } catch {
    return false
  }
}

/** iptables(8) ends with 1 for a rule or chain that is not there; both back ends have their words for it. */
function isMissing({ stderr, message }: HostError): boolean {
  return /does a matching rule exist|No chain\/target\/match|does not exist|there is no command/.test(stderr + message)
}
