// `tsgre stop [NAME]`: ends a running tsgre and waits until it has put everything back.

import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandModule } from 'yargs'
import { ask } from '../daemon/control/client.js'
import { type Found, findInstance } from '../daemon/control/instances.js'
import { isNameHeld } from '../daemon/control/server.js'
import { StateError } from '../errors.js'
import { type InstanceArguments, instanceOptions, nameOf, tell } from './instance-options.js'

/** Undoing a dozen changes takes a second or two. */
const PATIENCE_MS = 30_000
const STEP_MS = 50
/** How long one that does not answer may take to be gone. */
const ENDING_MS = 1000

export const stopCommand = {
  command: 'stop [name]',
  describe: 'end a running tsgre; what it changed on this host is put back',
  builder: instanceOptions,
  async handler(argv: InstanceArguments) {
    const found = await findInstance(nameOf(argv))
    await askToStop(found)
    await untilEnded(found)
    tell(argv, `${found.name} has stopped`, { event: 'stopped', instance: found.name })
  },
} as unknown as CommandModule

/** One that ends just then needs not be asked. */
async function askToStop(found: Found): Promise<void> {
  try {
    await ask(found.path, { method: 'POST', path: '/v1/stop' })
  } catch (error) {
    await untilEnded(found, ENDING_MS).catch(() => {
      throw error
    })
  }
}

/**
 * Resolves when that process serves there no more, and the name is free for another.
 * @internal
 * @throws StateError TSGRE_STILL_RUNS
 */
export async function untilEnded(found: Found, patienceMs = PATIENCE_MS): Promise<void> {
  for (const deadline = Date.now() + patienceMs; await isThere(found, deadline); await sleep(STEP_MS)) {
    if (Date.now() < deadline) continue
    const words = `${found.name} was asked to stop and still runs (process ${found.pid})`
    throw new StateError('TSGRE_STILL_RUNS', words)
  }
}

/** Another one of that name may have come in its place. One that does not answer, or has no room for a question, is there. */
async function isThere({ name, path, pid }: Found, deadline: number): Promise<boolean> {
  try {
    const patienceMs = Math.max(deadline - Date.now(), STEP_MS)
    return JSON.parse(await ask(path, { path: '/v1/instance', patienceMs })).pid === pid
  } catch (error) {
    return !(error instanceof StateError && error.code === 'TSGRE_NO_INSTANCE') || isNameHeld(name)
  }
}
