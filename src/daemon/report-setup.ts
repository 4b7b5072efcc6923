// Tells of what a tunnel changes on this host where that does not go as it should: what others left, what could not be put back, and
// a TAP larger than its bridge. What does go is said by whoever asked for it.

import type { Tunnel } from '../tunnel/tunnel.js'
import type { Place } from './place.js'
import type { Report } from './run-daemon.js'
import type { Setup, Undone } from './setup.js'

/** Takes back what tsgres that were killed have left. */
export async function beginSetup(setup: Setup, report: Report): Promise<void> {
  const { leftovers, warning } = await setup.begin()
  if (warning) report.warn(warning)
  for (const { tap, pid, alive, entries, failures } of leftovers) {
    const left = entries.map(({ what }) => what).join(', ')
    if (!alive) report.note(`took back what the tsgre on ${tap} left that was killed (process ${pid}): ${left}`)
    for (const { what, error } of failures) report.warn(`could not take back: ${what}: ${error.message}`)
  }
}

/** What stays behind is told, and keeps the rest from nothing. */
export async function putBack(setup: Pick<Setup, 'undo'>, report: Report): Promise<void> {
  try {
    const undone = await setup.undo()
    for (const { what, error } of undone.failures) report.warn(`could not take back: ${what}: ${error.message}`)
    if (undone.journal) report.warn(journalLeft(undone))
  } catch (error) {
    report.warn(`could not put this host back (tsgre cleanup does it): ${(error as Error).message}`)
  }
}

function journalLeft({ failures, journal }: Undone): string {
  const { path, error } = journal!
  if (failures.length > 0)
    return `the journal ${path} could not be written anew, and tells of all that was changed: ${error.message}; \`tsgre cleanup\` takes back what is left of it`
  return `this host was put back, and only the journal ${path} is left: ${error.message}; remove it with \`tsgre cleanup\` or \`rm ${path}\` as soon as that can be done`
}

/** `ports`: the MTU of the bridge's other ports. */
export function smallTap({ name, mtu }: Tunnel, { bridge }: Place, ports: number): string {
  const what = `--mtu ${mtu}: the other ports of ${bridge} have ${ports}, and it drops larger frames before ${name} in silence`
  return `${what}; leave --mtu away, or give ports and containers ${mtu} too`
}
