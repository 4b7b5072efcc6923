// Files replaced as a whole: written beside the old one, made durable, then renamed over it, so that a reader sees the old
// or the new and a full disk leaves the old. Several may go together: nothing is renamed until all are written.

import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { lstat, mkdir, open, readFile, readlink, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import { SystemError } from '../errors.js'
import { UndoStack } from './undo.js'

export interface NewContent {
  readonly path: string
  readonly bytes: Uint8Array
  /** Whose mode and owner the file gets; without it 0644 and ours. */
  readonly like?: Stats | undefined
}

/** The bytes of a file; undefined when there is none. */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw fileError(error, path)
  }
}

/** stat(2) of a file; undefined when there is none. */
export async function statIfPresent(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw fileError(error, path)
  }
}

/** What a path stands for once symlinks are followed, also where the last of them leads to a file not yet made. */
export async function followSymlinks(path: string): Promise<string> {
  let target = resolve(path)
  // The kernel gives up after 40 of them (path_resolution(7)).
  for (let left = 40; left > 0; left--) {
    const link = await readlink(target).catch(() => undefined)
    if (link === undefined) return target
    // Not by text alone: a relative link starts from where its directory really is.
    const directory = dirname(target)
    target = resolve(await realpath(directory).catch(() => directory), link)
  }
  throw fileError(Object.assign(new Error(), { code: 'ELOOP', syscall: 'readlink' }), path)
}

/**
 * Writes all of them or none. `check` runs at the last moment before the first rename. Those given first are renamed first.
 * @throws SystemError; whatever `check` throws
 */
export async function replaceFiles(files: readonly NewContent[], check: () => Promise<void>): Promise<void> {
  const undo = new UndoStack()
  try {
    const temporary: string[] = []
    for (const file of files) temporary.push(await writeBeside(file, undo))
    await check()
    for (const [index, { path }] of files.entries()) {
      if (!(await exists(path))) undo.push(`no ${path}`, () => rm(path, { force: true }))
      await rename(temporary[index]!, path)
    }
  } catch (error) {
    await undo.unwind()
    throw fileError(error, files.at(-1)!.path)
  }
  for (const directory of new Set(files.map(({ path }) => dirname(path)))) await syncDirectory(directory)
}

/** Makes the directory and its parents; gives the topmost it had to make. */
export async function makeDirectory(path: string): Promise<string | undefined> {
  // Not mkdir's own recursion: on a read-only filesystem that reports ENOENT (Node 20).
  const made = await makeOne(path)
  if (made !== 'no parent') return made === 'made' ? path : undefined
  const topmost = await makeDirectory(dirname(path))
  const again = await makeOne(path)
  if (again === 'made') return topmost ?? path
  if (again === 'present') return topmost
  throw fileError(Object.assign(new Error(), { code: 'ENOENT', syscall: 'mkdir' }), path)
}

/** What is there already may also be a file, or a symlink to nothing: that fails at the next step, by its own name. */
async function makeOne(path: string): Promise<'made' | 'present' | 'no parent'> {
  try {
    await mkdir(path, 0o755)
    return 'made'
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return 'present'
    if (isErrno(error, 'ENOENT')) return 'no parent'
    throw fileError(error, path)
  }
}

/** Removes `directory` and its parents up to `topmost`, as far as they are empty. */
export async function removeEmptyDirectories(directory: string, topmost: string): Promise<void> {
  for (let path = directory; path.startsWith(topmost); path = dirname(path)) {
    try {
      await rmdir(path)
    } catch {
      return // somebody else's file is in it, or it is gone with its parents
    }
  }
}

/** Makes renames and removals durable. They stand in any case, and not every filesystem can sync a directory. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined)
  await directory?.sync().catch(() => {})
  await directory?.close()
}

/** A failed file operation in words; anything else as it is. */
export function fileError(error: unknown, path: string): unknown {
  const { code, syscall = 'open', errno } = error as NodeJS.ErrnoException
  if (error instanceof SystemError || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error
  const words = errno === undefined ? '' : `${getSystemErrorMap().get(errno)?.[1]}; `
  return new SystemError(code, {
    syscall: `${syscall}(${path})`,
    hint: words + (WAYS_OUT[code] ?? 'no file was changed'),
  })
}

const WAYS_OUT: Readonly<Record<string, string>> = {
  EACCES: 'run it as root',
  EPERM: 'run it as root',
  EBUSY: 'a file mounted on its own cannot be replaced; change it where it is mounted from',
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  )
}

function isErrno(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}

async function writeBeside({ path, bytes, like }: NewContent, undo: UndoStack): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  undo.push(`no ${temporary}`, () => rm(temporary, { force: true }))
  // Not readable by others until it has its owner: a daemon.json may hold a proxy's password.
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    if (like) await file.chown(like.uid, like.gid)
    await file.chmod(like ? like.mode & 0o7777 : 0o644)
    await file.sync()
  } finally {
    await file.close()
  }
  return temporary
}
