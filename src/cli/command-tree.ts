// What commands and options there are, read from the definitions the parser itself gets: for completion and the man page.
// Nothing is listed here a second time; what the parser has no word for (what a value is called, what a shell offers for it)
// comes from the option table, or from value-words.ts.

import yargs, { type CommandModule } from 'yargs'
import { optionsByName } from '../daemon/options/option-table.js'
import { type Offered, VALUE_WORDS } from './value-words.js'

export interface CommandOption {
  /** Without dashes. */
  readonly name: string
  readonly letters: readonly string[]
  readonly about: string
  /** What stands for its value; undefined for a switch. */
  readonly value: string | undefined
  /** A switch that is on by itself, and is turned off by --no-. */
  readonly on: boolean
  readonly repeatable: boolean
  readonly choices: readonly string[]
  readonly offered: Offered | undefined
}

export interface Positional {
  readonly name: string
  readonly required: boolean
  readonly about: string
  readonly choices: readonly string[]
  readonly offered: Offered | undefined
}

export interface Command {
  /** [] for `tsgre` itself, ['docker', 'apply']. */
  readonly path: readonly string[]
  readonly about: string
  readonly positionals: readonly Positional[]
  readonly options: readonly CommandOption[]
  readonly commands: readonly Command[]
  /** What --help says below. */
  readonly epilogue: string
}

/** What yargs has and its types leave out. */
interface Inside {
  getOptions(): Known
  getInternalMethods(): {
    getUsageInstance(): {
      getDescriptions(): Record<string, string>
      getCommands(): [usage: string, about: string, standard: boolean][]
    }
    getCommandInstance(): { getCommandHandlers(): Record<string, { builder: CommandModule['builder'] }> }
  }
}

interface Known {
  readonly boolean: readonly string[]
  readonly array: readonly string[]
  readonly alias: Readonly<Record<string, readonly string[]>>
  readonly default: Readonly<Record<string, unknown>>
  readonly choices: Readonly<Record<string, readonly string[]>>
  readonly hiddenOptions: readonly string[]
  readonly key: Readonly<Record<string, boolean>>
}

/** `tunnel` is what runs where no command is named. */
export function commandTree(tunnel: CommandModule, modules: readonly CommandModule[]): Command {
  const commands = modules.map(({ command, describe, builder }) => read(`${command}`, `${describe}`, builder, []))
  return { ...read('', '', tunnel.builder, undefined), commands }
}

type Builder = CommandModule['builder']

function read(usage: string, about: string, builder: Builder, above: readonly string[] | undefined): Command {
  const parser = yargs([])
  const epilogues: string[] = []
  parser.epilogue = (text) => {
    epilogues.push(text)
    return parser
  }
  if (typeof builder === 'function') void builder(parser)
  const path = above ? [...above, usage.split(' ')[0]!] : []
  const inside = parser as unknown as Inside
  const says = inside.getInternalMethods().getUsageInstance()
  const handlers = inside.getInternalMethods().getCommandInstance().getCommandHandlers()
  const children = says.getCommands().map(([usage, about, standard]) => {
    return { standard, command: read(usage, about, handlers[usage.split(' ')[0]!]!.builder, path) }
  })
  // What runs where none of them is named takes its own options there.
  const standard = children.find((child) => child.standard)?.command
  const positionals = positionalsOf(usage, inside)
  return {
    path,
    about,
    positionals: standard?.positionals ?? positionals,
    options: standard?.options ?? optionsOf(inside, new Set(positionals.map(({ name }) => name))),
    commands: children.map(({ command }) => command),
    epilogue: epilogues.join('\n\n'),
  }
}

function positionalsOf(usage: string, parser: Inside): Positional[] {
  const { choices } = parser.getOptions()
  const about = parser.getInternalMethods().getUsageInstance().getDescriptions()
  return [...usage.matchAll(/([<[])([\w-]+)/g)].map(([, bracket, name]) => ({
    name: name!,
    required: bracket === '<',
    about: about[name!] ?? '',
    choices: choices[name!] ?? [],
    offered: VALUE_WORDS[name!]?.offered ?? optionsByName.get(name!)?.completes,
  }))
}

function optionsOf(parser: Inside, positionals: ReadonlySet<string>): CommandOption[] {
  const known = parser.getOptions()
  const about = parser.getInternalMethods().getUsageInstance().getDescriptions()
  const letters = new Set(Object.values(known.alias).flat())
  return Object.keys(known.key)
    .filter((name) => name !== 'help' && !letters.has(name) && !positionals.has(name))
    .filter((name) => !known.hiddenOptions.includes(name))
    .map((name) => commandOption(name, about[name] ?? '', known))
}

function commandOption(name: string, about: string, known: Known): CommandOption {
  const row = optionsByName.get(name)
  const words = VALUE_WORDS[name]
  const isSwitch = known.boolean.includes(name)
  const tableChoices = row?.kind === 'choice' ? row.choices : []
  const tableValue = row && 'value' in row ? row.value : undefined
  return {
    name,
    letters: known.alias[name] ?? [],
    about,
    value: isSwitch ? undefined : (words?.value ?? tableValue ?? name.split('-').at(-1)!.toUpperCase()),
    on: isSwitch && (known.default[name] === true || (row?.kind === 'switch' && row.standard)),
    repeatable: known.array.includes(name) || row?.kind === 'networks' || row?.kind === 'remotes',
    choices: isSwitch ? [] : (known.choices[name] ?? tableChoices),
    offered: isSwitch ? undefined : (words?.offered ?? row?.completes),
  }
}

/** It and all below it. */
export function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}

/** All it may be called by, with dashes. */
export function flagsOf({ name, letters, on }: CommandOption): string[] {
  const spelled = [...letters.map((letter) => `-${letter}`), `--${name}`]
  return on || name === 'offload' ? [...spelled, `--no-${name}`] : spelled
}

/** Those of them that take a value: `--no-offload` takes none. */
export function valuedFlagsOf(option: CommandOption): string[] {
  return option.value === undefined ? [] : flagsOf(option).filter((flag) => !flag.startsWith('--no-'))
}

/** What it is about, and the default in brackets behind it. */
export function aboutAndDefault(about: string): { about: string; standard: string | undefined } {
  const [, words = about, standard] = /^(.*\S) \[([^[\]]+)\]$/s.exec(about) ?? []
  return { about: words, standard }
}
