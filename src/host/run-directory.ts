// What is done with names in the run directory, to which others may write.

import { readdirSync, unlinkSync } from 'node:fs'

/** None where there is no such directory, or it may not be read. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** Not rm, which goes on into a folder that comes in the place of the file. */
export function unlinkIfPresent(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
