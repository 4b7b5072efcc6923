// What a start would change on this host, in its order, without changing it.

import { ConfigError } from '../errors.js'
import { typedAction } from '../host/change.js'
import { findLeftovers } from '../host/cleanup.js'
import { typed } from '../host/execute.js'
import { heldTaps } from '../host/host-lock.js'
import { Journal } from '../host/journal.js'
import { linkKind, planKeep } from '../host/links.js'
import type { PeerOptions } from '../tunnel/peer-options.js'
import { remotesOf } from './config/tunnel-change.js'
import { FollowNames } from './follow-names.js'
import { refuseShared, takerOf } from './refuse-shared.js'
import { type DaemonOptions, type Settled, settle } from './run-daemon.js'
import { Setup } from './setup.js'

export interface Step {
  /** A command as one would type it. What tsgre does by a system call stands as the command that does the same. */
  readonly text: string
  readonly why: string
}

export interface DryRun {
  readonly steps: readonly Step[]
  readonly notes: readonly string[]
  /** In bytes, by the way to the remote as it is now. */
  readonly tunnelMtu: number
}

/**
 * Plans the start of a tunnel.
 * @throws ConfigError or HostError as the start itself would
 */
export async function planDaemon(asked: DaemonOptions): Promise<DryRun> {
  const warnings: string[] = []
  const options = { ...asked, remote: await addressesOf(asked, warnings) }
  const settled = await settle(options)
  const setup = new Setup(settled.where, options.routes, settled.resolved.mtu)
  const { changes, notes } = await setup.plan()
  const made = changes.flatMap(({ what, action }) => (action ? [{ text: typedAction(action), why: what }] : []))
  const steps = [
    ...(await cleaning()),
    ...(await journal(options.name, changes.length)),
    ...(await tap(options, settled)),
    ...made,
  ]
  return { steps, notes: [...taken(options, settled), ...warnings, ...notes], tunnelMtu: settled.resolved.tunnelMtu }
}

/** The remotes whose names have an address now. @throws ConfigError where none has: nothing can be said of such a start */
async function addressesOf(asked: DaemonOptions, warnings: string[]): Promise<PeerOptions[]> {
  const tell = (message: string) => void warnings.push(message)
  const names = new FollowNames(remotesOf(asked), asked.local, { note: tell, warn: tell })
  await names.once()
  names.stop()
  if (names.resolved.length > 0) return names.resolved
  const [name] = names.list.map((remote) => remote.asked.remote)
  const why = `the name has no address now; a start would wait until it has one, and then say what it changes`
  throw new ConfigError('TSGRE_NOT_AN_ADDRESS', 'remote', name, `--remote ${name}: ${why}`)
}

/** No refusal: who asks may mean to end what runs, or to have it read its file again. */
function taken(options: DaemonOptions, { resolved }: Settled): string[] {
  const { name } = options
  if (heldTaps().includes(name)) return [`a tsgre runs on ${name}; a start is refused as long as it does`]
  try {
    if (!resolved.encapsulation) refuseShared([takerOf(options, resolved)], [])
    return []
  } catch (error) {
    return [`as things are, a start is refused: ${(error as Error).message}`]
  }
}

async function cleaning(): Promise<Step[]> {
  const dead = (await findLeftovers()).filter(({ alive }) => !alive)
  return dead.map(({ tap, pid, entries }) => {
    const left = entries.map(({ what }) => what).join(', ')
    return { text: 'tsgre cleanup', why: `takes back what the killed tsgre on ${tap} left (process ${pid}): ${left}` }
  })
}

async function journal(name: string, changes: number): Promise<Step[]> {
  if (changes === 0 && (await planKeep(name)).length === 0) return []
  const { path } = Journal.of(name)
  return [{ text: typed('touch', [path]), why: 'the journal: each change is written there first; removed at the end' }]
}

async function tap({ name, mac }: DaemonOptions, { resolved }: Settled): Promise<Step[]> {
  const isNew = (await linkKind(name)) === undefined
  const address = mac ?? (isNew ? 'fe:…' : undefined)
  const set = [...(resolved.mtu ? ['mtu', `${resolved.mtu}`] : []), ...(address ? ['address', address] : [])]
  const step = (words: string[], why: string): Step => ({ text: `ip ${words.join(' ')}`, why })
  return [
    ...(isNew ? [step(['tuntap', 'add', 'dev', name, 'mode', 'tap'], 'the TAP; gone at the end')] : []),
    ...(set.length > 0 ? [step(['link', 'set', 'dev', name, ...set], 'what was asked of the TAP')] : []),
  ]
}
