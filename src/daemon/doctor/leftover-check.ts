// Where no remote was named: whether a tsgre runs here at all, and what one left that was killed. Only reads: what is left is
// `tsgre cleanup`'s to take back.

import { join } from 'node:path'
import { findLeftovers } from '../../host/cleanup.js'
import { isDead, SOCKET_SUFFIX } from '../../host/dead-sockets.js'
import { heldTaps } from '../../host/host-lock.js'
import { journalDirectory } from '../../host/journal.js'
import { namesIn } from '../../host/run-directory.js'
import { type Finding, found } from './finding.js'
import type { Subject } from './subject.js'

const AWAY = 'tsgre cleanup takes it back; then start the tunnel anew'

/** `named`: the TAP that was asked for. `asked`: whether all that run here could be asked. */
export async function checkLeftovers(
  subjects: readonly Pick<Subject, 'problems'>[],
  named: string | undefined,
  asked: boolean,
): Promise<Finding[]> {
  const runs = subjects.some(({ problems }) => problems !== undefined)
  const dead = (await findLeftovers()).filter(({ tap, alive }) => !alive && (named === undefined || tap === named))
  const killed = dead.map(({ tap, pid, entries }) => {
    const left = entries.map(({ what }) => what).join(', ') || 'its journal'
    return found('killed', `the tsgre on ${tap} (process ${pid}) was killed and has left: ${left}`, AWAY)
  })
  if (runs || !asked || killed.length > 0) return killed
  const held = heldTaps()
  // A socket does not say of which network namespace its tsgre was: where one runs here it is no alarm.
  const sockets = named === undefined ? await deadSockets() : []
  if (sockets.length > 0 && held.length === 0)
    return [found('killed', `no tsgre runs here, and one that was killed has left: ${sockets.join(', ')}`, AWAY)]
  return [nothingAsked(named, held)]
}

function nothingAsked(named: string | undefined, held: readonly string[]): Finding {
  const silent = named === undefined ? held : held.filter((tap) => tap === named)
  const which =
    silent.length > 0
      ? `the tsgre that runs here on ${silent.join(', ')} does not answer`
      : `no tsgre runs here${named === undefined ? '' : ` on ${named}`}`
  const text = `${which}, and no remote was named: no other host was asked`
  return found('nothing-asked', text, 'tsgre doctor --remote ADDRESS --tap NAME')
}

/** Where the directory may not be read, that was told when the tsgre here were asked. */
async function deadSockets(): Promise<string[]> {
  const directory = journalDirectory()
  const names = namesIn(directory).filter((name) => name.endsWith(SOCKET_SUFFIX) && !name.startsWith('.'))
  const paths = names.map((name) => join(directory, name))
  const dead = await Promise.all(paths.map(isDead))
  return paths.filter((_, at) => dead[at])
}
