// What tsgre remembers beside daemon.json: which file, what it was, what was written there since.

import { createHash } from 'node:crypto'
import { HostError } from '../errors.js'
import { followSymlinks, type NewContent, readIfPresent } from './whole-file.js'

/** What stands in daemon.json.tsgre. */
export interface State {
  /** SHA-256 of the file before the first apply; null when there was none. */
  readonly before: string | null
  /** SHA-256 of everything tsgre wrote since. */
  readonly applied: readonly string[]
  /** Somebody else's edit went into what is there now, and an undo would lose it. */
  readonly edited: boolean
  /** The topmost directory made for it. */
  readonly directory: string | null
  /** docker0's address before the first apply, which dockerd does not go back to by itself; null when it had none. */
  readonly address: string | null
}

export function changed(place: Place, message: string): HostError {
  return new HostError('TSGRE_FILE_CHANGED', place.file, '', message)
}

/** The file and what stands beside it. */
export interface Place {
  readonly file: string
  readonly backup: string
  readonly state: string
}

export async function placeOf(path: string): Promise<Place> {
  const file = await followSymlinks(path)
  return { file, backup: `${file}.before-tsgre`, state: `${file}.tsgre` }
}

export async function readState(place: Place): Promise<State | undefined> {
  const bytes = await readIfPresent(place.state)
  if (!bytes) return undefined
  try {
    const state = JSON.parse(bytes.toString()) as State
    if (Array.isArray(state.applied) && state.before !== undefined) return state
  } catch {}
  throw changed(place, `${place.state} is not what tsgre wrote there; compare ${place.backup}, then remove both`)
}

export function stateFile(place: Place, state: State): NewContent {
  return { path: place.state, bytes: Buffer.from(`${JSON.stringify(state, undefined, 2)}\n`) }
}

export function hashOf(bytes: Uint8Array | undefined): string | null {
  return bytes ? createHash('sha256').update(bytes).digest('hex') : null
}
