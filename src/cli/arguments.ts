// What both commands ask of the words on the command line, beyond what the parser does.

import { ConfigError } from '../errors.js'

/** An option with a value, as the parser hands it over: a list where it was given more than once. */
export type Text = string | string[] | undefined

/** The one value of an option; a second one is refused rather than silently lost. */
export function once(option: string, value: Text): string | undefined {
  if (!Array.isArray(value)) return value
  const words = `--${option} is given ${value.length} times: ${value.join(', ')}; give it once`
  throw new ConfigError('TSGRE_CONFLICT', option, value, words)
}

/** The names of a command's options by type, as the parser knows them. */
export interface Known {
  boolean: readonly string[]
  string: readonly string[]
}

const WORD = /^--(no-)?([^=]+)(?:=(.*))?$/s

/**
 * Of a switch the parser keeps only the last, and takes any value but `true` for no: `--csum=yes` would mean off. A `--no-` in
 * front of an option with a value is `false` to it.
 */
export function refuseOddSwitches(words: readonly string[], { boolean, string }: Known): void {
  for (const word of words) {
    const [, no = '', option, value] = WORD.exec(word) ?? []
    if (option === undefined || word === '--no-offload') continue
    if (string.includes(option) && no !== '') {
      throw new ConfigError('TSGRE_BAD_OPTION', option, word, `${word}: --${option} takes a value; leave it away`)
    }
    if (!boolean.includes(option)) continue
    const given = words.filter((other) => WORD.exec(other)?.[2] === option)
    if (given.length > 1) once(option, given)
    if (value === undefined || value === 'true' || value === 'false') continue
    const wayOut = `a switch takes no value; say --${option}, or --no-${option}`
    throw new ConfigError('TSGRE_BAD_OPTION', option, value, `${word}: ${wayOut}`)
  }
}

/** In front of a word that is no option whatever it begins with: no word of a command line can hold it. */
const MARK = '\0'

/**
 * What stands behind `--` is no option and no command. The parser would keep such words from the command, unasked: so it is given
 * them marked, behind a switch that says nothing, that none of them becomes the value of the option in front of `--`.
 */
export function endOptions(argv: readonly string[]): { options: readonly string[]; words: readonly string[] } {
  const end = argv.indexOf('--')
  if (end < 0) return { options: argv, words: argv }
  const options = argv.slice(0, end)
  return { options, words: [...options, '--no-version', ...argv.slice(end + 1).map((word) => MARK + word)] }
}

/** Takes the marks away from what the parser made of them. */
export function plainWords(parsed: Record<string, unknown>): void {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain)
    return typeof value === 'string' && value.startsWith(MARK) ? value.slice(MARK.length) : value
  }
  for (const [name, value] of Object.entries(parsed)) parsed[name] = plain(value)
}
