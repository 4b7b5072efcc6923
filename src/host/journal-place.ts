// Under which name a journal lies in the run directory, and how it comes there whole. `ip netns exec` leaves all namespaces of a
// machine one /run, containers may share one too, and each may have a tap0.
// Invariant: what tells of another network namespace that may still be there is never replaced, nor taken for one's own.

import { linkSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { namesIn, unlinkIfPresent } from './run-directory.js'

export const JOURNAL_SUFFIX = '.journal'
const UNFINISHED_SUFFIX = `${JOURNAL_SUFFIX}.new`

/** A run directory as this network namespace sees it; `namespace` is BOOT/NUMBER. */
export interface JournalPlace {
  readonly directory: string
  readonly namespace: string
}

/** Where the journal of `tap` may lie, best first. The last is no other namespace's. */
export function journalPaths({ directory, namespace }: JournalPlace, tap: string): string[] {
  const names = [...(isFirstNamespace() ? [tap] : []), `${tap}@${numberOf(namespace)}`]
  return names.map((name) => join(directory, name + JOURNAL_SUFFIX))
}

/** The one that is this namespace's already, or else the first that is free. */
export function chosenPath(paths: readonly string[], namespace: string): string {
  const own = paths.find((path) => writtenIn(path) === namespace)
  return own ?? paths.find((path) => !isForeign(path, namespace)) ?? paths.at(-1)!
}

/** Writes `text` beside and puts it in the first of these places that may be taken; returns which. */
export function putJournal(place: JournalPlace, tap: string, text: string, paths: readonly string[]): string {
  const temporary = join(place.directory, `${tap}@${numberOf(place.namespace)}${UNFINISHED_SUFFIX}`)
  unlinkIfPresent(temporary)
  try {
    writeFileSync(temporary, text, { mode: 0o644, flag: 'wx' })
    const taken = paths.find((path) => put(temporary, path, place.namespace))
    if (taken !== undefined) return taken
    renameSync(temporary, paths.at(-1)!)
    return paths.at(-1)!
  } finally {
    unlinkIfPresent(temporary)
  }
}

/** Not bound to this process: whoever calls this keeps all others of the namespace from writing a journal, so theirs are dead. */
export function unfinishedJournals({ directory, namespace }: JournalPlace): string[] {
  const end = `@${numberOf(namespace)}${UNFINISHED_SUFFIX}`
  return namesIn(directory)
    .filter((name) => name.endsWith(end))
    .map((name) => join(directory, name))
}

/** Whether it tells of another namespace of this boot. Those of an earlier boot are gone. */
export function isForeign(path: string, namespace: string): boolean {
  const other = writtenIn(path)
  return other !== undefined && other !== namespace && bootOf(other) === bootOf(namespace)
}

/** A link, because of two namespaces that want a free name at once only one gets it so. */
function put(temporary: string, path: string, namespace: string): boolean {
  try {
    linkSync(temporary, path)
    return true
  } catch {
    // It is there already, or this file system knows no links: then the rename says what else is wrong.
    if (isForeign(path, namespace)) return false
    renameSync(temporary, path)
    return true
  }
}

/** The namespace that its header names; undefined where there is none, or no journal. */
function writtenIn(path: string): string | undefined {
  try {
    const [header] = readFileSync(path, 'utf8').split('\n', 1)
    const { namespace } = JSON.parse(header!)
    return typeof namespace === 'string' ? namespace : undefined
  } catch {
    return undefined
  }
}

function numberOf(namespace: string): string | undefined {
  return namespace.split('/')[1]
}

function bootOf(namespace: string): string | undefined {
  return namespace.split('/')[0]
}

/** True also in a container with a /proc of its own. */
function isFirstNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/net') === readlinkSync('/proc/1/ns/net')
  } catch {
    return false // not permitted to ask: a longer name does no harm
  }
}
