// What is wrong with a command line that the parser refused, in words that name the option or word, what is missing, and what was
// probably meant. It reads the words as the parser does, by the tree of commands; where it finds nothing, the parser's words stand.

import { nearest } from '../daemon/options/nearest.js'
import { optionsByName } from '../daemon/options/option-table.js'
import { type Command, type CommandOption, flagsOf, type Positional, valuedFlagsOf } from './command-tree.js'
import { VALUE_WORDS } from './value-words.js'

export interface Usage {
  readonly words: string
  /** Whose --help tells more: `tsgre peers add`. */
  readonly command: string
}

export function usageOf(argv: readonly string[], tree: Command, parserSaid: string): Usage {
  const command = commandOf(argv, tree)
  const name = ['tsgre', ...command.path].join(' ')
  return { words: problemsOf(argv, command, name).join('\n') || ownWords(parserSaid, command), command: name }
}

/** The command that is meant: the first words that are names of commands. */
function commandOf(argv: readonly string[], tree: Command): Command {
  let command = tree
  for (const { word } of wordsOf(argv, tree).filter(({ isOption, isBehind }) => !isOption && !isBehind)) {
    const next = command.commands.find(({ path }) => path.at(-1) === word)
    if (!next) break
    command = next
  }
  return command
}

interface Word {
  readonly word: string
  readonly isOption: boolean
  /** Of an option: behind `=`, or the next word. */
  readonly value: string | undefined
  /** Behind `--`: neither an option nor the name of a command, whatever it looks like. */
  readonly isBehind: boolean
}

function wordsOf(argv: readonly string[], { options, commands }: Command): Word[] {
  const switches = new Set(options.filter(({ value }) => value === undefined).flatMap(flagsOf))
  const names = new Set(commands.map(({ path }) => path.at(-1)))
  const words: Word[] = []
  const rest = [...argv]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, flag = '', , given] = /^(--?[^=]+)(=(.*))?$/s.exec(word) ?? []
    if (word === '--') return [...words, ...rest.map((behind) => ({ ...plain(behind), isBehind: true }))]
    if (flag === '') {
      words.push(plain(word))
      continue
    }
    const isSwitch = switches.has(flag) || HELP.has(flag) || flag.startsWith('--no-')
    const next = rest[0]
    const takes = given === undefined && !isSwitch && next !== undefined && !/^-[^\d]/.test(next) && !names.has(next)
    words.push({ ...plain(flag), isOption: true, value: takes ? rest.shift() : given })
    const isList = optionsByName.get(flag.slice(2))?.kind === 'networks'
    while (takes && isList && rest[0] !== undefined && !rest[0].startsWith('-')) rest.shift()
  }
  return words
}

function plain(word: string): Word {
  return { word, isOption: false, value: undefined, isBehind: false }
}

const HELP = new Set(['--help', '-h', '--version'])

function problemsOf(argv: readonly string[], command: Command, name: string): string[] {
  const words = wordsOf(argv, command)
  const behind = words.filter(({ isOption }) => !isOption).slice(command.path.length)
  const missing = command.positionals.filter(({ required }) => required).slice(behind.length)
  return [
    ...words.filter(({ isOption }) => isOption).flatMap((word) => optionProblem(word, command)),
    ...strayWords(behind, command, name),
    ...missing.map(
      (positional) => `${placeholder(positional)} is missing: ${positional.about}; ${usage(command, name)}`,
    ),
  ]
}

function optionProblem({ word, value }: Word, { options }: Command): string[] {
  if (HELP.has(word)) return []
  const found = options.find((option) => flagsOf(option).includes(word))
  if (!found) return [unknownOption(word, value, options)]
  if (value !== undefined || !valuedFlagsOf(found).includes(word)) return []
  return [`${word}: its value is missing; give it as in ${word} ${found.value}`]
}

function unknownOption(word: string, value: string | undefined, options: readonly CommandOption[]): string {
  const known = options.flatMap(flagsOf).filter((flag) => flag.startsWith('--'))
  const bare = word.replace(/^-+/, '')
  // A single letter is near to every other.
  const names = known.map((flag) => flag.slice(2)).filter((one) => bare.length > 1 || one === bare)
  const meant = nearest(bare, names)
  const typed = value === undefined ? word : `${word} ${value || '""'}`
  return `${typed}: there is no such option here${meant === undefined ? '' : `; did you mean --${meant}?`}`
}

/** What other programs call a command, where it is nothing like its name here. */
const SAME: Readonly<Record<string, string>> = { rm: 'remove', del: 'remove', delete: 'remove', ls: 'list' }

/** Words behind the command: more than it takes. */
function strayWords(words: readonly Word[], command: Command, name: string): string[] {
  const { commands, positionals } = command
  const [first, stray] = [words[0]?.word, words[positionals.length]?.word]
  if (first === undefined || stray === undefined) return []
  if (words[positionals.length]?.isBehind && stray.startsWith('-'))
    return [`${stray}: behind -- it is no option; write it in front of --`]
  const names = words[0]?.isBehind ? [] : commands.map(({ path }) => path.at(-1)!)
  const about = words[1]?.word
  if (first === 'help' && about !== undefined && names.includes(about))
    return [`${first}: there is no such command; write ${name} ${about} --help`]
  const meant = SAME[first] !== undefined && names.includes(SAME[first]) ? SAME[first] : nearest(first, names)
  if (meant !== undefined) return [`${first}: there is no such command; did you mean ${name} ${meant}?`]
  if (positionals.length > 0) return [`${stray}: one word too many; ${usage(command, name)}`]
  if (commands.length > 0) return [`${first}: there is no such command`]
  const tap = command.options.some((option) => option.name === 'tap') ? '; --tap NAME says which tunnel' : ''
  return [`${stray}: ${name} takes no name and no other word, options alone${tap}`]
}

function usage({ positionals }: Command, name: string): string {
  const words = positionals.map((one) => (one.required ? placeholder(one) : `[${placeholder(one)}]`))
  return `write ${[name, ...words].join(' ')}`
}

function placeholder({ name }: Positional): string {
  return VALUE_WORDS[name]?.value ?? name.toUpperCase()
}

/** What the parser says of options that must be there, and of words that are not among those there are. */
function ownWords(said: string, { positionals }: Command): string {
  const [, names] = /^Missing required arguments?: (.*)$/.exec(said) ?? []
  if (names !== undefined) return `${names.replace(/([^ ,]+)/g, '--$1')}: missing`
  const [, name, given, choices] = /Argument: (\S+), Given: "(.*)", Choices: (.*)$/m.exec(said) ?? []
  if (choices === undefined) return said
  const typed = positionals.some((one) => one.name === name) ? given : `--${name} ${given}`
  return `${typed}: takes ${choices.replaceAll('"', '').replace(/, ([^,]*)$/, ' or $1')}`
}
