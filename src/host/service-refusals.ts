// Why the service cannot be installed, or not be taken away, as sentences with the way out. Reads only.

import { readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HostError } from '../errors.js'
import { typed } from './execute.js'

/** A service has a /tmp of its own: PrivateTmp= of the unit. */
const HIDDEN = /^\/(var\/)?tmp\//
const STARTED_AT_BOOT = 'etc/systemd/system/multi-user.target.wants'

/** The first program called would say it in words of its own, and mean something else. @throws HostError TSGRE_SERVICE */
export function refuseUnprivileged(): void {
  if (process.geteuid?.() === 0) return
  const why = 'this needs root: put sudo in front of it; --dry-run shows without root what it would do'
  throw new HostError('TSGRE_SERVICE', 'tsgre install-service', '', why)
}

/** The unit's user is not root, and enters only what everybody may enter. @throws HostError TSGRE_SERVICE */
export function refuseUnreachable(command: readonly string[]): void {
  for (const path of command) {
    const real = realpathSync(path)
    const why = HIDDEN.test(real) ? 'a service has a /tmp of its own' : closed(real)
    if (why === undefined) continue
    const wayOut =
      'install node and tsgre for all users (in tsgre: npm pack, then npm install -g --prefix /usr/local FILE.tgz)'
    throw new HostError('TSGRE_SERVICE', real, '', `${real} cannot be run as a service: ${why}; ${wayOut}`)
  }
}

function closed(path: string): string | undefined {
  if ((statSync(path).mode & 0o004) === 0) return 'not everybody may read it'
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder))
    if ((statSync(folder).mode & 0o001) === 0) return `not everybody may enter ${folder}`
  return undefined
}

/** Without their unit they would fail at the next boot. @throws HostError TSGRE_SERVICE */
export function refuseEnabled(root: string): void {
  const enabled = names(join(root, STARTED_AT_BOOT)).filter((name) => /^tsgre@.+\.service$/.test(name))
  if (enabled.length === 0) return
  const first = typed('systemctl', ['disable', '--now', ...enabled])
  throw new HostError('TSGRE_SERVICE', first, '', `there are instances that start at boot; first: ${first}`)
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
