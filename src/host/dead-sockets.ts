// Control sockets of tsgre that were killed: files in the run directory behind which nobody listens any more. Not bound to a network
// namespace, as files are not: who does not listen does so nowhere.

import { lstatSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { withFolderLock } from './folder-lock.js'
import { HeldFolder } from './held-folder.js'
import { namesIn } from './run-directory.js'

/** How a control socket's file ends, and how the folder begins in which it is made. */
export const SOCKET_SUFFIX = '.sock'
export const MAKING_PREFIX = '.new-'
/** What it is called in that folder. */
const MAKING_NAME = 's'

/** Whether a process listens there. One that may not be asked, or has no room for a question, lives. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** Whether a socket lies there behind which nobody listens. */
export async function isDead(path: string): Promise<boolean> {
  return isSocket(path) && !(await isListening(path))
}

/**
 * Removes those of `directory`; what cannot be removed is somebody else's, and stays. The group tsgre may write there, and may put a
 * symlink in the place of a folder while root looks at it: so nothing is removed with all that is in it, only sockets, one name each.
 * Who makes a socket has the directory's lock until it has its name: not listening yet, it answers like a dead one.
 */
export async function removeDeadSockets(directory: string): Promise<void> {
  if (namesIn(directory).length === 0) return
  await withFolderLock(directory, async (locked) => {
    if (!locked) return // the next start tidies up
    for (const name of namesIn(directory)) {
      if (name.endsWith(SOCKET_SUFFIX)) await removeDead(join(directory, name))
      else if (name.startsWith(MAKING_PREFIX)) await removeFolder(join(directory, name))
    }
  })
}

/** With the dead socket in it, if there is one. One that holds anything else stays: no tsgre puts more there. */
async function removeFolder(path: string): Promise<void> {
  const folder = held(path)
  if (!folder) return
  try {
    await removeDead(folder.at(MAKING_NAME))
    folder.remove()
  } finally {
    folder.close()
  }
}

async function removeDead(path: string): Promise<void> {
  if (!(await isDead(path))) return
  try {
    unlinkSync(path)
  } catch {
    // not ours
  }
}

/** undefined where it is a symlink, no folder, or not ours to look into. */
function held(path: string): HeldFolder | undefined {
  try {
    return new HeldFolder(path)
  } catch {
    return undefined
  }
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false
}
