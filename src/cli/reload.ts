// `tsgre reload [NAME]`: has a running tsgre read its configuration file again. A bad file changes nothing.

import type { CommandModule } from 'yargs'
import { ask } from '../daemon/control/client.js'
import { findInstance } from '../daemon/control/instances.js'
import { type InstanceArguments, instanceOptions, nameOf } from './instance-options.js'

export const reloadCommand = {
  command: 'reload [name]',
  describe: 'have a running tsgre apply what changed in its configuration file',
  builder: instanceOptions,
  async handler(argv: InstanceArguments) {
    const { name, path } = await findInstance(nameOf(argv))
    const { changed } = JSON.parse(await ask(path, { method: 'POST', path: '/v1/reload' })) as { changed: string[] }
    const words = changed.length === 0 ? ['nothing changed'] : changed
    const lines = argv.json ? [JSON.stringify({ event: 'reloaded', instance: name, changed })] : words
    process.stdout.write(lines.map((line) => `${argv.json ? '' : 'tsgre: '}${line}\n`).join(''))
  },
} as unknown as CommandModule
