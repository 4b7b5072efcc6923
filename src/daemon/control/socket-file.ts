// Where the control socket lies in the file system and who may open it: NAME.sock, mode 0660, of the process's user and the
// group tsgre. Network namespaces of one machine mostly share their /run, so that file may be another one's.
// The directory may be one that others write to, also when root is who makes a socket there.
// Invariant: no file of another live process is replaced, the socket is never open to more people than it is in the end, and no
// owner or mode is changed of anything else.

import { chmodSync, lchownSync, linkSync, lstatSync, mkdtempSync, renameSync, type Stats } from 'node:fs'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { ConfigError, SystemError } from '../../errors.js'
import { isListening, MAKING_PREFIX, SOCKET_SUFFIX } from '../../host/dead-sockets.js'
import { withFolderLock } from '../../host/folder-lock.js'
import { HeldFolder } from '../../host/held-folder.js'
import { journalDirectory, makeJournalDirectory, namespace } from '../../host/journal.js'
import { unlinkIfPresent } from '../../host/run-directory.js'
import { fileError } from '../../host/whole-file.js'
import { GROUP, runDirectoryGroup, serviceGroup } from '../service-group.js'

/** Room of sun_path (unix(7)), less the NUL: of those who connect. It is bound by a shorter one. */
const LONGEST_PATH = 107
const MODE = 0o660

export interface SocketFile {
  readonly path: string
  /** What could not be done for others to open it, as a sentence. */
  readonly warning: string | undefined
  /** Takes it away where it is still this process's. @throws SystemError */
  remove(): void
}

/**
 * Makes `server` listen. The name is to be this process's in its network namespace already.
 * @throws ConfigError TSGRE_IN_USE, SystemError
 */
export async function listenAt(server: Server, name: string): Promise<SocketFile> {
  const directory = journalDirectory()
  try {
    makeJournalDirectory()
    return await withFolderLock(directory, () => makeSocket(server, directory, name))
  } catch (error) {
    server.close()
    throw inWords(error, directory)
  }
}

/** Under the directory's lock: between a look at a socket that is dead and its replacement, no other comes there. */
async function makeSocket(server: Server, directory: string, name: string): Promise<SocketFile> {
  const folder = privateFolder(directory, server)
  const fresh = folder.at('s')
  try {
    await listening(server, fresh)
    const warning = openToGroup(fresh, directory)
    const made = lstatSync(fresh)
    const path = await settle(fresh, directory, name)
    return { path, warning, remove: () => removeIf(path, made) }
  } finally {
    // Where the socket was given its name by a link, the one that it was made with is still there.
    unlinkIfPresent(fresh)
    folder.remove()
  }
}

function inWords(error: unknown, path: string): unknown {
  const { syscall } = error as NodeJS.ErrnoException
  return syscall && !(error instanceof SystemError) ? fileError(error, path) : error
}

/** A new one, that nobody has put another in the place of meanwhile. It is held as long as the server takes its socket's name away. */
function privateFolder(directory: string, server: Server): HeldFolder {
  const path = mkdtempSync(join(directory, MAKING_PREFIX))
  const folder = new HeldFolder(path)
  server.once('close', () => folder.close())
  if (folder.isPrivate) return folder
  throw new SystemError('EPERM', { syscall: `open(${path})`, hint: 'somebody put a folder of their own in its place' })
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function openToGroup(path: string, directory: string): string | undefined {
  const own = runDirectoryGroup(directory)
  const gid = own ?? serviceGroup()
  const group = own ?? GROUP
  let warning: string | undefined
  try {
    if (gid !== undefined) lchownSync(path, -1, gid)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    warning = `group ${group} cannot use the control socket (chown: ${code}); run as root, or as a member of ${group}`
  }
  chmodSync(path, MODE) // last: until here only the owner of the folder got as far as this
  return warning
}

async function settle(fresh: string, directory: string, name: string): Promise<string> {
  for (const path of [name, `${name}.${namespace().split('/')[1]}`].map((base) =>
    join(directory, base + SOCKET_SUFFIX),
  )) {
    refuseLong(path, directory)
    if (await put(fresh, path)) return path
  }
  throw new ConfigError('TSGRE_IN_USE', 'name', name, `another process holds ${join(directory, name)}.sock`)
}

/** Gives the socket this name, unless somebody lives behind it. */
async function put(fresh: string, path: string): Promise<boolean> {
  try {
    linkSync(fresh, path) // of two that start at once, one is told
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const seen = lstatSync(path, { throwIfNoEntry: false })
  if (seen && !seen.isSocket()) throw inTheWay(path)
  if (seen && (await isListening(path))) return false
  // Dead. Whoever replaced it since is not: without the lock, which somebody may keep for ever, another may have.
  const now = lstatSync(path, { throwIfNoEntry: false })
  if (now && now.ino !== seen?.ino) return false
  renameSync(fresh, path)
  return true
}

function inTheWay(path: string): ConfigError {
  return new ConfigError('TSGRE_IN_USE', 'name', path, `${path} is there and is no socket; remove it`)
}

/** @throws SystemError, as where the directory was taken away from this process */
function removeIf(path: string, { ino, dev }: Stats): void {
  try {
    const now = lstatSync(path, { throwIfNoEntry: false })
    if (now?.ino === ino && now.dev === dev) unlinkIfPresent(path)
  } catch (error) {
    throw inWords(error, path)
  }
}

function refuseLong(path: string, directory: string): void {
  if (Buffer.byteLength(path) <= LONGEST_PATH) return
  const words = `${path} is longer than the ${LONGEST_PATH} bytes a socket may have; name a shorter directory in TSGRE_RUN_DIR`
  throw new ConfigError('TSGRE_BAD_OPTION', 'TSGRE_RUN_DIR', directory, words)
}
