// The script that lets zsh complete `tsgre`, out of the tree of commands: a function for each command, in the words of
// _arguments. All it offers stands in it, or is read from directories by zsh itself: no TAB starts a program.

import { aboutAndDefault, allCommands, type Command, type CommandOption, flagsOf } from './command-tree.js'
import type { Offered } from './value-words.js'

export function zshScript(tree: Command): string {
  return [HEAD, ...allCommands(tree).map(functionOf), TAIL].join('\n')
}

function functionOf(command: Command): string {
  const specs = [
    ...command.options.flatMap(optionSpecs),
    "'(- *)'{-h,--help}'[show help]'",
    ...(command.path.length === 0 ? [quoted('(- *)--version[show the version]')] : []),
  ]
  const end = command.commands.length === 0 ? argumentSpecs(command) : [quoted('1: :->command'), quoted('*:: :->rest')]
  const lines = [...specs, ...end].map((spec) => `    ${spec}`).join(' \\\n')
  const rest = command.commands.length === 0 ? '' : below(command)
  return `${nameOf(command.path)}() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C -s -S \\\n${lines} && return
${rest}}
`
}

function below({ path, commands, positionals }: Command): string {
  const named = commands.map(({ path, about }) => `      ${quoted(`${path.at(-1)}:${about}`)}`).join('\n')
  const calls = commands.map(({ path }) => `      ${path.at(-1)}) ${nameOf(path)} ;;`).join('\n')
  const first = positionals[0] && actionOf(positionals[0])
  const offered = first ? `\n      ${first.trim()}` : ''
  return `  local -a commands
  case $state in
    command)
      commands=(
${named}
      )
      _describe -t commands 'command${path.length === 0 ? ' of tsgre' : ''}' commands${offered} ;;
    rest)
      case $words[1] in
${calls}
      esac ;;
  esac
`
}

function optionSpecs(option: CommandOption): string[] {
  const { value, repeatable, name } = option
  const about = escaped(aboutAndDefault(option.about).about).replace(/[[\]]/g, '\\$&')
  const takes = value === undefined ? '' : `:${escaped(value)}:${actionOf(option)}`
  const flags = flagsOf(option)
  const others = flags.length > 1 ? `(${flags.join(' ')})` : ''
  return flags.map((flag) => {
    const no = flag === `--no-${name}`
    const equals = value === undefined || no ? '' : flag.startsWith('--') ? '=' : '+'
    return quoted(`${repeatable ? '*' : others}${flag}${equals}[${about}]${no ? '' : takes}`)
  })
}

function argumentSpecs({ positionals }: Command): string[] {
  return positionals.map((positional, index) => {
    const { required, name } = positional
    return quoted(`${index + 1}${required ? '' : ':'}:${name}:${actionOf(positional)}`)
  })
}

/** ' ' is how _arguments is told that nothing is offered. */
function actionOf({ choices, offered }: Pick<CommandOption, 'choices' | 'offered'>): string {
  if (choices.length > 0) return `(${choices.join(' ')})`
  return offered ? OFFERS[offered] : ' '
}

function nameOf(path: readonly string[]): string {
  return ['_tsgre', ...path].join('_').replace(/-/g, '_')
}

function escaped(text: string): string {
  return text.replace(/[\\:]/g, '\\$&')
}

function quoted(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`
}

const OFFERS: Readonly<Record<Offered, string>> = {
  device: '_tsgre_devices',
  bridge: '_tsgre_bridges',
  file: '_files',
  config: '_tsgre_configs',
  instance: '_tsgre_instances',
}

const HEAD = `#compdef tsgre
# Completion of tsgre for zsh, printed by \`tsgre completion zsh\`. It starts no program.

_tsgre_devices() { compadd -- /sys/class/net/*(N:t) }
_tsgre_bridges() { compadd -- /sys/class/net/*/bridge(N:h:t) }
_tsgre_instances() { compadd -- \${TSGRE_RUN_DIR:-/run/tsgre}/*.sock(N:t:r) }
_tsgre_configs() {
  compadd -- /etc/tsgre/*.y*ml(N:t:r)
  _files
}
`

const TAIL = `if [[ $funcstack[1] = _tsgre ]]; then
  _tsgre "$@"
else
  compdef _tsgre tsgre
fi
`
