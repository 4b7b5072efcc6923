// The script that lets bash complete `tsgre`, out of the tree of commands. All it offers stands in it, or is read from
// directories by bash itself: no TAB starts a program.

import { allCommands, type Command, flagsOf, valuedFlagsOf } from './command-tree.js'
import type { Offered } from './value-words.js'

/** What every command takes besides its own. */
const EVERYWHERE = ['--help', '-h']

export function bashScript(tree: Command): string {
  const commands = allCommands(tree)
  return `${HEAD}
# What there is at a command: commands below it, its options, those of them that take a value.
_tsgre_at() {
  case $1 in
${commands.map(placeLine).join('\n')}
  esac
}

# What there is for the value of an option, or for an argument by its place.
_tsgre_offer() {
  case $1 in
${commands.flatMap(offerLines).join('\n')}
  esac
}

${TAIL}`
}

function placeLine(command: Command): string {
  const names = command.commands.map(({ path }) => path.at(-1))
  const flags = [
    ...command.options.flatMap(flagsOf),
    ...EVERYWHERE,
    ...(command.path.length === 0 ? ['--version'] : []),
  ]
  const valued = command.options.flatMap(valuedFlagsOf)
  return `  '${command.path.join(' ')}') commands='${names.join(' ')}' options='${flags.join(' ')}' valued='${valued.join(' ')}' ;;`
}

function offerLines({ path, options, positionals }: Command): string[] {
  const at = path.join(' ')
  const places = positionals.map((positional, index) => ({ ...positional, keys: [`${at} ${index + 1}`] }))
  const values = options.map((option) => ({ ...option, keys: valuedFlagsOf(option).map((flag) => `${at} ${flag}`) }))
  return [...places, ...values].flatMap(({ keys, choices, offered }) => {
    const offer = choices.length > 0 ? `_tsgre_words '${choices.join(' ')}'` : offered && OFFERS[offered]
    return offer ? [`  ${keys.map((key) => `'${key}'`).join(' | ')}) ${offer} ;;`] : []
  })
}

const OFFERS: Readonly<Record<Offered, string>> = {
  device: '_tsgre_names /sys/class/net/*',
  bridge: '_tsgre_names /sys/class/net/*/bridge',
  // bash completes files itself, quotes and all, where it is given nothing
  file: 'compopt -o default',
  config: '_tsgre_names /etc/tsgre/*.y*ml; compopt -o default',
  instance: `_tsgre_names "\${TSGRE_RUN_DIR:-/run/tsgre}"/*.sock`,
}

const HEAD = `# Completion of tsgre for bash, printed by \`tsgre completion bash\`. It starts no program.

_tsgre_words() {
  local word
  for word in $1; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done
}

# The names of what is there at the paths: devices, bridges, sockets, configuration files.
_tsgre_names() {
  local path name
  for path; do
    [[ -e $path ]] || continue
    name=\${path%/bridge} name=\${name##*/} name=\${name%.sock} name=\${name%.y*ml}
    [[ $name == "$cur"* ]] && COMPREPLY+=("$name")
  done
}
`

const TAIL = `_tsgre() {
  local cur=\${COMP_WORDS[COMP_CWORD]} at='' wants='' place=1 prefix='' commands options valued word
  COMPREPLY=()
  _tsgre_at ''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word == = ]]; then # bash takes --option=value apart
      continue
    elif [[ $wants ]]; then
      wants=''
    elif [[ $word == -* ]]; then
      [[ " $valued " == *" $word "* ]] && wants=$word
    elif [[ $place == 1 && " $commands " == *" $word "* ]]; then
      at=\${at:+$at }$word
      _tsgre_at "$at"
    else
      place=$((place + 1))
    fi
  done
  [[ $cur == = ]] && cur=''
  if [[ -z $wants && $cur == --*=* ]]; then # where = is none of COMP_WORDBREAKS
    wants=\${cur%%=*} prefix=$wants= cur=\${cur#*=}
  fi
  if [[ $wants ]]; then
    _tsgre_offer "$at $wants"
    COMPREPLY=("\${COMPREPLY[@]/#/$prefix}")
  elif [[ $cur == -* ]]; then
    _tsgre_words "$options"
  else
    [[ $place == 1 ]] && _tsgre_words "$commands"
    _tsgre_offer "$at $place"
  fi
}

complete -F _tsgre tsgre
`
