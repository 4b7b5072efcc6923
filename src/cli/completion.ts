// `tsgre completion bash|zsh|fish`: prints the script that lets a shell complete `tsgre`; without a shell, how to install each.

import type { Argv, CommandModule } from 'yargs'
import type { Command } from './command-tree.js'
import { bashScript } from './completion-bash.js'
import { fishScript } from './completion-fish.js'
import { zshScript } from './completion-zsh.js'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const
type Shell = keyof typeof SCRIPTS

const INSTALL = `bash  tsgre completion bash > /usr/share/bash-completion/completions/tsgre
zsh   tsgre completion zsh > /usr/local/share/zsh/site-functions/_tsgre
fish  tsgre completion fish > /usr/share/fish/vendor_completions.d/tsgre.fish
`

export function completionCommand(tree: () => Command): CommandModule {
  return {
    command: 'completion [shell]',
    describe: 'print the script that lets a shell complete tsgre: bash, zsh or fish',
    builder: (yargs: Argv) =>
      yargs
        .positional('shell', { choices: Object.keys(SCRIPTS), describe: 'without one: how to install each' })
        .epilogue(`To install, as root:\n${INSTALL.replace(/^/gm, '  ').trimEnd()}`)
        .hide('version'),
    handler({ shell }: { shell?: Shell }) {
      process.stdout.write(shell === undefined ? INSTALL : SCRIPTS[shell](tree()))
    },
  } as unknown as CommandModule
}
