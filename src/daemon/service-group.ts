// The groups that may speak to services, and root among them. Loaded before anything else is (limit-privileges.ts): it stays small.

import { constants, readFileSync, statSync } from 'node:fs'

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

/** The group that may write to the run directory; undefined for none. Services that install-service gave another user have its group there. */
export function runDirectoryGroup(directory: string): number | undefined {
  try {
    const { mode, gid } = statSync(directory)
    return mode & constants.S_IWGRP ? gid : undefined
  } catch {
    return undefined
  }
}
