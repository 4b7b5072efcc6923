// A lock on a directory, flock(2), for what several names in it are looked at and changed together. It goes with the process, also
// after kill -9. Whoever may read the directory may hold its lock, and must not be able to keep a tunnel from starting by it.

import { closeSync, constants, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { LOCK_EX, LOCK_NB } from '../sys/constants.js'
import { flock } from '../sys/libc.js'

const PATIENCE_MS = 2000
const STEP_MS = 10

/** Runs `body` when nobody else has the lock. It is told whether it has it: not where somebody keeps it, or the directory is not to be read. */
export async function withFolderLock<T>(directory: string, body: (locked: boolean) => Promise<T>): Promise<T> {
  const fd = opened(directory)
  if (fd === undefined) return await body(false)
  try {
    return await body(await isLocked(fd))
  } finally {
    closeSync(fd)
  }
}

function opened(directory: string): number | undefined {
  try {
    return openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch {
    return undefined
  }
}

async function isLocked(fd: number): Promise<boolean> {
  for (const deadline = Date.now() + PATIENCE_MS; flock(fd, LOCK_EX | LOCK_NB) < 0; await sleep(STEP_MS))
    if (Date.now() >= deadline) return false
  return true
}
