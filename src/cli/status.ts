// `tsgre status [NAME]`: how the tunnels do, of one running tsgre or of all of this network namespace.

import type { CommandModule } from 'yargs'
import { findInstances, statusesOf } from '../daemon/control/instances.js'
import { type InstanceArguments, instanceOptions, nameOf } from './instance-options.js'
import { statusLines } from './status-report.js'

export const statusCommand = {
  command: 'status [name]',
  describe: 'how the tunnels of this host do, and what is wrong with them',
  builder: (yargs: Parameters<typeof instanceOptions>[0]) =>
    instanceOptions(yargs).epilogue(
      'Exit code 0 also where something is wrong with a tunnel; `tsgre doctor` looks for reasons.\nWith --json each tsgre is one line.',
    ),
  async handler(argv: InstanceArguments) {
    const found = await findInstances(nameOf(argv))
    const statuses = await statusesOf(found)
    const texts = statuses.map(({ text, status }) =>
      argv.json ? text : statusLines(status, Date.now()).concat('').join('\n'),
    )
    process.stdout.write(texts.join(argv.json ? '' : '\n'))
  },
} as unknown as CommandModule
