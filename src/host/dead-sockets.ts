// Control sockets of tsgre that were killed: files in the run directory behind which nobody listens any more. Not bound to a network
// namespace, as files are not: who does not listen does so nowhere.

import { lstatSync, readdirSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { HeldFolder } from './held-folder.js'

/** How a control socket's file ends, and how the folder begins in which it is made. */
export const SOCKET_SUFFIX = '.sock'
export const MAKING_PREFIX = '.new-'

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

/** Those of `directory`; nothing is changed. */
export async function findDeadSockets(directory: string): Promise<string[]> {
  const paths = namesIn(directory).flatMap((name) => {
    if (name.endsWith(SOCKET_SUFFIX)) return [join(directory, name)]
    return name.startsWith(MAKING_PREFIX)
      ? namesIn(join(directory, name)).map((inner) => join(directory, name, inner))
      : []
  })
  const dead: string[] = []
  for (const path of paths) if (isSocket(path) && !(await isListening(path))) dead.push(path)
  return dead
}

/** Removes them; what cannot be removed is somebody else's, and stays. */
export async function removeDeadSockets(directory: string): Promise<void> {
  for (const path of await findDeadSockets(directory)) {
    try {
      if (dirname(path) === directory) unlinkSync(path)
      else removeWithFolder(path)
    } catch {
      // not ours
    }
  }
}

/** Others may write to the directory: a link in the folder's place must not have root remove a file of its name elsewhere. */
function removeWithFolder(path: string): void {
  const folder = new HeldFolder(dirname(path))
  try {
    const inside = folder.at(basename(path))
    if (isSocket(inside)) unlinkSync(inside)
  } finally {
    folder.close()
  }
  folder.remove()
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false
}
