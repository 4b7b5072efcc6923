// `tsgre stop [NAME]`: ends a running tsgre and waits until it has put everything back.

import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandModule } from 'yargs'
import { ask } from '../daemon/control/client.js'
import { type Found, findInstance } from '../daemon/control/instances.js'
import { StateError } from '../errors.js'
import { type InstanceArguments, instanceOptions, nameOf, tell } from './instance-options.js'

/** Undoing a dozen changes takes a second or two. */
const PATIENCE_MS = 30_000
const STEP_MS = 50

export const stopCommand = {
  command: 'stop [name]',
  describe: 'end a running tsgre; what it changed on this host is put back',
  builder: instanceOptions,
  async handler(argv: InstanceArguments) {
    const found = await findInstance(nameOf(argv))
    await ask(found.path, { method: 'POST', path: '/v1/stop' })
    for (const deadline = Date.now() + PATIENCE_MS; await isThere(found); await sleep(STEP_MS)) {
      if (Date.now() < deadline) continue
      const words = `${found.name} was asked to stop and still runs (process ${found.pid})`
      throw new StateError('TSGRE_INSTANCE_GONE', words)
    }
    tell(argv, `${found.name} has stopped`, { event: 'stopped', instance: found.name })
  },
} as unknown as CommandModule

/** Another one of that name may have come in its place. */
async function isThere({ path, pid }: Found): Promise<boolean> {
  try {
    return JSON.parse(await ask(path, { path: '/v1/instance', patienceMs: PATIENCE_MS })).pid === pid
  } catch {
    return false
  }
}
