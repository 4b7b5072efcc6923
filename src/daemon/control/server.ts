// The control socket of an Instance: from its start on, whoever may open the file can ask and tell. It holds the instance's name
// in this network namespace for as long. Invariant: close() lets answers that were begun leave, for a moment, and takes all away.

import { createHash } from 'node:crypto'
import { ConfigError } from '../../errors.js'
import { journalDirectory, namespace } from '../../host/journal.js'
import { close as closeFd } from '../../sys/libc.js'
import { heldAbstractNames, holdAbstractName } from '../../sys/sockets.js'
import type { Instance } from '../instance.js'
import { closeGuarded, guardedServer } from './guarded-server.js'
import { routesOf } from './routes.js'
import { listenAt } from './socket-file.js'

export interface ControlServer {
  readonly path: string
  readonly warning: string | undefined
  /** @throws SystemError where the file could not be removed; all else is done */
  close(): Promise<void>
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,63}$/

/**
 * Starts it.
 * @throws ConfigError when another one of this network namespace has the name; SystemError
 */
export async function serveControl(instance: Instance): Promise<ControlServer> {
  const { name } = instance
  const release = holdName(name)
  try {
    const server = guardedServer(routesOf(instance, { name, pid: process.pid, namespace: namespace() }))
    const file = await listenAt(server, name)
    let closing: Promise<void> | undefined
    const close = async () => {
      try {
        file.remove()
      } finally {
        await closeGuarded(server)
        release()
      }
    }
    return { path: file.path, warning: file.warning, close: () => (closing ??= close()) }
  } catch (error) {
    release()
    throw error
  }
}

/** Refuses what is no name of a file, and what another one here has. */
function holdName(name: string): () => void {
  if (!NAME.test(name)) {
    const words = `${JSON.stringify(name)} is no name for a control socket: letters, digits and _.@:+- only, 64 at most`
    throw new ConfigError('TSGRE_BAD_OPTION', 'name', name, words)
  }
  const fd = hold(name)
  if (fd === undefined) {
    const words = `a tsgre named ${name} runs here already (\`tsgre status ${name}\` shows it); give one of them another name (that of its file)`
    throw new ConfigError('TSGRE_IN_USE', 'name', name, words)
  }
  return () => closeFd(fd)
}

function hold(name: string): number | undefined {
  return holdAbstractName(abstractName(name))
}

/** Of the network namespace, as instances are; the directory may be of any length, the name may not. */
function abstractName(name: string): string {
  const folder = createHash('sha256').update(journalDirectory()).digest('hex').slice(0, 16)
  return `tsgre/instance/${folder}/${name}`
}

/** Whether a tsgre of this network namespace has the name, or is about to have it or to let it go. */
export function isNameHeld(name: string): boolean {
  return heldAbstractNames().includes(abstractName(name))
}

/** Refuses a file whose tsgre runs, before anything else is found to be in use by that one. @throws ConfigError TSGRE_IN_USE */
export function refuseRunning({ name, file }: { readonly name: string; readonly file: string | undefined }): void {
  if (file === undefined || !NAME.test(name)) return
  const fd = hold(name)
  if (fd !== undefined) {
    closeFd(fd)
    return
  }
  const wayOut = `\`tsgre status ${name}\` shows it, \`tsgre reload ${name}\` has it read its file again; a second one needs a file of another name`
  throw new ConfigError(
    'TSGRE_IN_USE',
    'config',
    file,
    `--config ${file}: a tsgre named ${name} runs here already: ${wayOut}`,
  )
}
