// The group that may speak to services, and root among them. Loaded before anything else is (limit-privileges.ts): it stays small.

import { readFileSync } from 'node:fs'

/** install-service makes it. */
export const GROUP = 'tsgre'

/** Its id in /etc/group; undefined where there is none. */
export function serviceGroup(): number | undefined {
  try {
    const rows = readFileSync('/etc/group', 'utf8').split('\n')
    const [, , id = ''] = rows.map((row) => row.split(':')).find(([name]) => name === GROUP) ?? []
    return /^\d+$/.test(id) ? Number(id) : undefined
  } catch {
    return undefined
  }
}
