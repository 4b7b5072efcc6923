// Which tsgre run in this network namespace, by the sockets in the run directory: all of them, or the one that is meant.
// Invariant: sockets of the dead and of other namespaces are passed over; nothing is removed.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, StateError, SystemError } from '../../errors.js'
import { journalDirectory, namespace } from '../../host/journal.js'
import type { InstanceStatus } from '../status.js'
import { ask } from './client.js'
import type { Identity } from './routes.js'

export interface Found extends Identity {
  /** Of its socket. */
  readonly path: string
}

/** One that hangs is not to make `tsgre status` hang. */
const PATIENCE_MS = 3000

/**
 * Those of a name, or all; at least one.
 * @throws StateError TSGRE_NO_INSTANCE; SystemError where none may be asked
 */
export async function findInstances(name?: string): Promise<Found[]> {
  const here = namespace()
  const answers = await Promise.all(sockets().map(identify))
  const all = answers.filter((answer): answer is Found => !(answer instanceof Error) && answer.namespace === here)
  const found = all.filter((one) => name === undefined || one.name === name)
  if (found.length > 0) return found.sort((a, b) => a.name.localeCompare(b.name))
  // One that may not be asked, or does not answer, may be the one.
  const mute = answers.find((answer) => answer instanceof SystemError) ?? answers.find(isHanging)
  if (mute) throw mute
  throw new StateError('TSGRE_NO_INSTANCE', noneWords(name, all))
}

/**
 * The one of a name, or the only one.
 * @throws as findInstances; ConfigError TSGRE_WHICH_INSTANCE
 */
export async function findInstance(name?: string): Promise<Found> {
  const found = await findInstances(name)
  if (found.length === 1) return found[0]!
  const names = found.map((one) => one.name).join(', ')
  throw new ConfigError('TSGRE_WHICH_INSTANCE', 'name', name, `several tsgre run here; name one of ${names}`)
}

/** What `GET /v1/status` says: as it came, and as the program has it. */
export async function statusOf({ path }: Found): Promise<{ text: string; status: InstanceStatus }> {
  const text = await ask(path, { path: '/v1/status', patienceMs: PATIENCE_MS })
  return { text, status: parseStatus(text) }
}

/**
 * Of several; those that ended meanwhile are left out, unless all did.
 * @throws as `ask`
 */
export async function statusesOf(found: readonly Found[]): Promise<{ text: string; status: InstanceStatus }[]> {
  const settled = await Promise.allSettled(found.map(statusOf))
  const told = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  if (told.length > 0) return told
  throw settled.find((one) => one.status === 'rejected')!.reason
}

/** Fields that are null in the program too; elsewhere null in JSON stands for undefined. */
const NULLABLE = new Set(['udpPort', 'bridge', 'config', 'dev'])

/** @internal */
export function parseStatus(text: string): InstanceStatus {
  return JSON.parse(text, (key, value) => (value === null && !NULLABLE.has(key) ? undefined : value))
}

function sockets(): string[] {
  const directory = journalDirectory()
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.sock') && !name.startsWith('.'))
      .map((name) => join(directory, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return []
    throw new SystemError('EACCES', {
      syscall: `readdir(${directory})`,
      hint: 'be root, or a member of the group tsgre',
    })
  }
}

async function identify(path: string): Promise<Found | Error> {
  try {
    const identity = JSON.parse(await ask(path, { path: '/v1/instance', patienceMs: PATIENCE_MS })) as Identity
    return { ...identity, path }
  } catch (error) {
    return error as Error
  }
}

function isHanging(answer: Found | Error): answer is StateError {
  return answer instanceof StateError && answer.code === 'TSGRE_INSTANCE_GONE'
}

function noneWords(name: string | undefined, all: readonly Found[]): string {
  if (name === undefined || all.length === 0) {
    const which = name === undefined ? 'no tsgre' : `no tsgre named ${name}`
    return `${which} runs in this network namespace (looked in ${journalDirectory()})`
  }
  return `no tsgre named ${name} runs here; there ${all.length === 1 ? 'is' : 'are'} ${all.map((one) => one.name).join(', ')}`
}
