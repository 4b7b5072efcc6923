// daemon.json on disk: applied with a way back, put back byte for byte. Beside it stand `daemon.json.before-tsgre`, the file
// as it was, and `daemon.json.tsgre`, what tsgre wrote. The state is written before the file: after a crash at any point
// the two tell whether there is anything to undo.

import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConfigError, type HostError } from '../errors.js'
import type { DaemonJsonPlan } from './docker-config.js'
import { changed, hashOf, type Place, placeOf, readState, type State, stateFile } from './docker-state.js'
import {
  fileError,
  makeDirectory,
  type NewContent,
  readIfPresent,
  removeEmptyDirectories,
  replaceFiles,
  statIfPresent,
  syncDirectory,
} from './whole-file.js'

export interface Applied {
  /** The file that was written: what a symlink leads to. */
  readonly path: string
  /** The file as it was; undefined when there was none. */
  readonly backup: string | undefined
  /** Puts back what this one call found, also where an earlier one had applied something. */
  revert(): Promise<void>
}

export interface Undone {
  readonly path: string
  /** 'restored', 'removed' where there had been no file, 'nothing' where nothing was applied. */
  readonly outcome: 'restored' | 'removed' | 'nothing'
}

/**
 * The text of daemon.json; undefined when there is none.
 * @throws ConfigError TSGRE_BAD_DAEMON_JSON when it is not UTF-8; SystemError
 */
export async function readDaemonJson(path: string): Promise<string | undefined> {
  const bytes = await readIfPresent(path)
  try {
    return bytes && new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new ConfigError('TSGRE_BAD_DAEMON_JSON', 'config-file', path, `${path}: not UTF-8 text`)
  }
}

/**
 * Writes what was planned. The first backup is kept until the undo, and with it docker0's `address` of that time.
 * @throws HostError TSGRE_FILE_CHANGED when the file is no longer what the plan was made from; SystemError
 */
export async function applyDaemonJson(path: string, plan: DaemonJsonPlan, address?: string): Promise<Applied> {
  const place = await placeOf(path)
  const directory = await makeDirectory(dirname(place.file))
  try {
    return await apply(place, plan, directory, address)
  } catch (error) {
    if (directory) await removeEmptyDirectories(dirname(place.file), directory)
    throw error
  }
}

/**
 * Puts the file back as it was before the first apply.
 * @throws HostError TSGRE_FILE_CHANGED when it was edited since, unless `force`; SystemError
 */
export async function undoDaemonJson(path: string, force = false): Promise<Undone> {
  const place = await placeOf(path)
  const state = await readState(place)
  if (!state) return { path: place.file, outcome: 'nothing' }
  const present = hashOf(await readIfPresent(place.file))
  const backup = hashOf(await readIfPresent(place.backup))
  if (present === state.before) {
    await forget(place, state)
    return { path: place.file, outcome: 'nothing' }
  }
  if (!force) refuseEdited(place, state, present)
  if (backup === null && state.before !== null) throw backupGone(place)
  if (backup !== state.before && !force)
    throw changed(place, `${place.backup} was edited since tsgre made it; undo --force puts it back as it is now`)
  return await putBack(place, state)
}

/** What an undo would put back; undefined where nothing was applied. Reads only. */
export interface Undoable {
  /** The file as it was: undefined when there was none, or its backup is gone. */
  readonly before: string | undefined
  /** Whether somebody edited it since, so that the undo needs force. */
  readonly edited: boolean
  /** docker0's address before the first apply. */
  readonly address: string | undefined
}

/** @throws HostError TSGRE_FILE_CHANGED when what tsgre wrote down is no longer readable; SystemError */
export async function undoable(path: string): Promise<Undoable | undefined> {
  const place = await placeOf(path)
  const state = await readState(place)
  const present = hashOf(await readIfPresent(place.file))
  if (!state || present === state.before) return undefined
  const before = (await readIfPresent(place.backup))?.toString()
  return { before, edited: isEdited(state, present), address: state.address ?? undefined }
}

async function apply(
  place: Place,
  plan: DaemonJsonPlan,
  madeNow: string | undefined,
  address: string | undefined,
): Promise<Applied> {
  const old = await readIfPresent(place.file)
  const like = await statIfPresent(place.file)
  const found = await readState(place)
  // A state whose file still is as before comes from an apply that did not get to its end.
  const earlier = found && hashOf(old) !== found.before ? found : undefined
  const state: State = {
    before: earlier ? earlier.before : hashOf(old),
    applied: [...(earlier?.applied ?? []), hashOf(Buffer.from(plan.after))!],
    edited: earlier !== undefined && (earlier.edited || !earlier.applied.includes(hashOf(old) ?? '')),
    directory: (earlier ? earlier.directory : (madeNow ?? found?.directory)) ?? null,
    address: (earlier ? earlier.address : address) ?? null,
  }
  const files: NewContent[] = [stateFile(place, state)]
  if (!earlier && old) {
    if (!found) await refuseForeignBackup(place)
    files.push({ path: place.backup, bytes: old, like })
  }
  await replaceFiles([...files, { path: place.file, bytes: Buffer.from(plan.after), like }], () =>
    refuseOther(place, plan.before),
  )
  return {
    path: place.file,
    backup: state.before === null ? undefined : place.backup,
    async revert() {
      if (!earlier) await undoDaemonJson(place.file)
      else if (old)
        await replaceFiles([stateFile(place, earlier), { path: place.file, bytes: old, like }], async () => {})
    },
  }
}

async function putBack(place: Place, state: State): Promise<Undone> {
  try {
    if (state.before === null) await rm(place.file, { force: true })
    else await rename(place.backup, place.file)
    await syncDirectory(dirname(place.file))
  } catch (error) {
    throw fileError(error, place.file)
  }
  await forget(place, state)
  return { path: place.file, outcome: state.before === null ? 'removed' : 'restored' }
}

/** Takes away what stands beside the file, the state last. */
async function forget(place: Place, state: State): Promise<void> {
  try {
    await rm(place.backup, { force: true })
    await rm(place.state, { force: true })
    await syncDirectory(dirname(place.file))
  } catch (error) {
    throw fileError(error, place.state)
  }
  if (state.directory) await removeEmptyDirectories(dirname(place.file), state.directory)
}

async function refuseOther(place: Place, planned: string | undefined): Promise<void> {
  const present = await readIfPresent(place.file)
  if (hashOf(present) === hashOf(planned === undefined ? undefined : Buffer.from(planned))) return
  throw changed(place, `${place.file} was changed by somebody else just now; nothing was written, plan it again`)
}

function refuseEdited(place: Place, state: State, present: string | null): void {
  const how = present === null ? 'was removed' : 'was edited'
  if (!isEdited(state, present)) return
  const was = state.before === null ? 'there was no such file' : `${place.backup} is the file as it was`
  throw changed(
    place,
    `${place.file} ${how} since tsgre wrote it, and an undo would lose that; ${was} (--force does it)`,
  )
}

function isEdited(state: State, present: string | null): boolean {
  return state.edited || present === null || !state.applied.includes(present)
}

async function refuseForeignBackup(place: Place): Promise<void> {
  if (!(await statIfPresent(place.backup))) return
  throw changed(place, `${place.backup} is there already, and tsgre does not know it; move it away first`)
}

function backupGone(place: Place): HostError {
  return changed(
    place,
    `${place.backup} is gone, so ${place.file} cannot be put back; edit it by hand, then remove ${place.state}`,
  )
}
