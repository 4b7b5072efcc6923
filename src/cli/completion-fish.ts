// The script that lets fish complete `tsgre`, out of the tree of commands. All it offers stands in it, or is read from
// directories by fish itself: no TAB starts a program.

import {
  aboutAndDefault,
  allCommands,
  type Command,
  type CommandOption,
  flagsOf,
  valuedFlagsOf,
} from './command-tree.js'
import type { Offered } from './value-words.js'

export function fishScript(tree: Command): string {
  const commands = allCommands(tree)
  const valued = commands.flatMap(({ path, options }) => {
    const flags = options.flatMap(valuedFlagsOf)
    return flags.length === 0 ? [] : [`        case '${path.join(' ')}'\n            set valued ${flags.join(' ')}`]
  })
  const below = commands
    .filter(({ commands }) => commands.length > 0)
    .map(({ path, commands }) => `        case '${path.join(' ')}'\n            set commands ${namesOf(commands)}`)
  return [head(valued.join('\n'), below.join('\n')), ...commands.flatMap(linesOf)].join('\n').concat('\n')
}

function linesOf(command: Command): string[] {
  const here = `complete -c tsgre -n '__tsgre_at "${command.path.join(' ')}"`
  return [
    ...command.commands.map(({ path, about }) => `${here} 1' -a ${path.at(-1)} -d ${quoted(about)}`),
    ...command.positionals.flatMap(({ choices, offered, about }, index) => {
      const offer = offerOf(choices, offered)
      return offer ? [`${here} ${index + 1}' ${offer} -d ${quoted(about)}`] : []
    }),
    ...command.options.flatMap((option) => optionLines(`${here}'`, option)),
    `${here}' -s h -l help -d 'show help'`,
    ...(command.path.length === 0 ? [`${here}' -l version -d 'show the version'`] : []),
  ]
}

function optionLines(here: string, option: CommandOption): string[] {
  const { name, letters, value, choices, offered, about } = option
  const words = quoted(aboutAndDefault(about).about)
  const short = letters.map((letter) => ` -s ${letter}`).join('')
  const takes = value === undefined ? '' : ` ${offerOf(choices, offered, '-x')}`
  const no = flagsOf(option).filter((flag) => flag.startsWith('--no-'))
  return [
    `${here}${short} -l ${name}${takes} -d ${words}`,
    ...no.map((flag) => `${here} -l ${flag.slice(2)} -d ${words}`),
  ]
}

/** `other` where it is no file: -x, a value and nothing but what is offered. */
function offerOf(choices: readonly string[], offered: Offered | undefined, other = ''): string {
  const words = choices.length > 0 ? choices.join(' ') : offered ? OFFERS[offered] : ''
  const files = offered === 'file' || offered === 'config' ? '-r -F' : other
  return [files, words && `-a '${words}'`].filter(Boolean).join(' ')
}

function namesOf(commands: readonly Command[]): string {
  return commands.map(({ path }) => path.at(-1)).join(' ')
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

const OFFERS: Readonly<Record<Offered, string>> = {
  device: '(__tsgre_devices)',
  bridge: '(__tsgre_bridges)',
  file: '',
  config: '(__tsgre_configs)',
  instance: '(__tsgre_instances)',
}

function head(valued: string, below: string): string {
  return `# Completion of tsgre for fish, printed by \`tsgre completion fish\`. It starts no program.

function __tsgre_names
    test (count $argv) -gt 0; or return
    string replace -r '/bridge$' '' -- $argv | string replace -r '.*/' '' | string replace -r '\\.(sock|y.*ml)$' ''
end

# Through \`set\`: anywhere else a pattern that matches nothing is an error.
function __tsgre_devices
    set -l paths /sys/class/net/*
    __tsgre_names $paths
end

function __tsgre_bridges
    set -l paths /sys/class/net/*/bridge
    __tsgre_names $paths
end

function __tsgre_configs
    set -l paths /etc/tsgre/*.yaml /etc/tsgre/*.yml
    __tsgre_names $paths
end

function __tsgre_instances
    set -l folder /run/tsgre
    set -q TSGRE_RUN_DIR; and set folder $TSGRE_RUN_DIR
    set -l paths $folder/*.sock
    __tsgre_names $paths
end

# Whether the words so far end at that command, and, where a second is given, at its argument of that place.
function __tsgre_at
    set -l at ''
    set -l place 1
    set -l wants
    for word in (commandline -opc)[2..-1]
        set -l valued (__tsgre_valued $at)
        if test -n "$wants"
            set wants
        else if string match -q -- '-*' $word
            contains -- $word $valued; and set wants $word
        else if test $place = 1; and contains -- $word (__tsgre_below $at)
            set at (string trim "$at $word")
        else
            set place (math $place + 1)
        end
    end
    test "$at" = "$argv[1]"; or return
    test (count $argv) = 1; or test $place = $argv[2]
end

function __tsgre_valued
    set -l valued
    switch "$argv[1]"
${valued}
    end
    printf '%s\\n' $valued
end

function __tsgre_below
    set -l commands
    switch "$argv[1]"
${below}
    end
    printf '%s\\n' $commands
end

complete -c tsgre -f`
}
