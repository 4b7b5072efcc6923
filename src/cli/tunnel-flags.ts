// The options of `tsgre --remote … --tap …` as the parser takes them, out of the option table.

import type { Argv, Options } from 'yargs'
import { defaultWords, GROUPS, type Option } from '../daemon/options/option.js'
import { OPTIONS } from '../daemon/options/option-table.js'
import type { Asked } from '../daemon/options/tunnel-wishes.js'
import { once, type Text } from './arguments.js'

/** What was typed, by names of options; undefined where nothing was. */
export type Arguments = Readonly<Record<string, Text | boolean>>

/** Tells yargs of every option, in groups. */
export function build(yargs: Argv): Argv<Arguments> {
  const told = OPTIONS.reduce((all, option) => all.option(option.name, parserOption(option)), yargs)
  return told.hide('version') as unknown as Argv<Arguments>
}

/** No defaults for the parser: it is to tell what was typed. */
export function parserOption(option: Option): Options {
  const common = { group: GROUPS[option.group], describe: helpWords(option) }
  if (option.kind === 'switch') return { ...common, type: 'boolean' }
  // Not for remotes: an array takes every word up to the next option.
  const array = option.kind === 'networks' ? { array: true } : {}
  return { ...common, ...array, type: 'string', requiresArg: true }
}

/** What it does, and the default in brackets; that a switch is off goes without saying. */
export function helpWords(option: Option): string {
  const words = option.kind === 'switch' ? option.standard && 'on' : defaultWords(option)
  return !words ? option.about : `${option.about} [${words}]`
}

export function repeatable({ kind }: Option): boolean {
  return kind === 'networks' || kind === 'remotes'
}

/** What was typed, each once; `--no-offload` is the one --no- in front of a value that means something. */
export function askedOf(argv: Arguments): Asked {
  const typed = OPTIONS.map((option): [string, unknown] => [option.name, typedValue(option, argv[option.name])])
  return Object.fromEntries(typed.filter(([, value]) => value !== undefined))
}

function typedValue(option: Option, value: Text | boolean): unknown {
  if (value === undefined || option.kind === 'switch') return value
  if (option.name === 'offload' && value === false) return 'off'
  return repeatable(option) ? [value].flat() : once(option.name, value as Text)
}
