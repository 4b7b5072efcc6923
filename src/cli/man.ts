// `tsgre man`: prints the man page, as docs/tsgre.8 has it.

import type { Argv, CommandModule } from 'yargs'
import type { Command } from './command-tree.js'
import { manPage } from './man-page.js'

export function manCommand(tree: () => Command): CommandModule {
  return {
    command: 'man',
    describe: 'print the man page, for `man -l -`',
    builder: (yargs: Argv) => yargs.hide('version'),
    handler() {
      process.stdout.write(manPage(tree()))
    },
  } as unknown as CommandModule
}
