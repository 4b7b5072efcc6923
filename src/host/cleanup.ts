// Takes back what tunnels of this network namespace left that were killed before they could do it themselves.

import { takeAllBack } from './changes.js'
import { removeDeadSockets } from './dead-sockets.js'
import { type Execute, execute } from './execute.js'
import { changingTheHost, heldTaps, holdTap } from './host-lock.js'
import { type Entry, Journal, journalDirectory, unfinished } from './journal.js'
import { unlinkIfPresent } from './run-directory.js'
import type { HeldSettings } from './settings.js'

/** What one tunnel left. */
export interface Leftover {
  readonly tap: string
  /** Of the process that made the changes. */
  readonly pid: number
  /** Its tunnel still runs: nothing was taken back, it does that itself. */
  readonly alive: boolean
  readonly entries: readonly Entry[]
  /** Those that are still to be taken back. */
  readonly left: readonly Entry[]
  /** Why, and of the journal too where it could not be written. */
  readonly failures: readonly { readonly what: string; readonly error: Error }[]
}

/** The settings that tunnels on other TAPs hold, also those of a tunnel that was killed: its cleanup is still to come. */
export function heldBeside(tap: string): HeldSettings {
  const others = Journal.all().filter((journal) => journal.tap !== tap)
  return others.flatMap(({ entries }) => entries.flatMap(({ undo }) => (undo.kind === 'setting' ? [undo] : [])))
}

/** What there is to clean up; nothing is changed. */
export async function findLeftovers(): Promise<Leftover[]> {
  if (Journal.all().length === 0) return []
  return await changingTheHost(async () => {
    const held = heldTaps()
    return Journal.all().map(({ tap, pid, entries }) => {
      return { tap, pid, alive: held.includes(tap), entries, left: entries, failures: [] }
    })
  })
}

/**
 * Takes back what dead tunnels left; what failed stays in their journals. `own` is the TAP of a caller that holds its name.
 * @throws HostError TSGRE_HOST_BUSY
 */
export async function cleanUp(own?: string, run: Execute = execute): Promise<Leftover[]> {
  await removeDeadSockets(journalDirectory())
  if (Journal.all().length === 0 && unfinished().length === 0) return []
  return await changingTheHost(async () => {
    unfinished().forEach(removeUnfinished)
    const left: Leftover[] = []
    for (const journal of Journal.all()) left.push(await cleanOne(journal, own, run))
    return left
  })
}

async function cleanOne(journal: Journal, own: string | undefined, run: Execute): Promise<Leftover> {
  const { tap, pid, entries } = journal
  const release = tap === own ? () => {} : holdTap(tap)
  if (!release) return { tap, pid, alive: true, entries, left: entries, failures: [] }
  try {
    const failures = await takeAllBack(entries, heldBeside(tap), run)
    const left = failures.map(({ what, undo }) => ({ what, undo }))
    return { tap, pid, alive: false, entries, left, failures: [...failures, ...keep(journal, left)] }
  } finally {
    release()
  }
}

/** Nothing was done of which it alone would tell. One that is another user's stays, and is in nobody's way but its writer's. */
function removeUnfinished(path: string): void {
  try {
    unlinkIfPresent(path)
  } catch {}
}

/** A journal that is another user's stays as it is. That stops nobody: to take back again what it says does no harm. */
function keep(journal: Journal, left: readonly Entry[]): Leftover['failures'] {
  try {
    journal.keep(left)
    return []
  } catch (error) {
    return [{ what: `the journal ${journal.path}`, error: error as Error }]
  }
}
