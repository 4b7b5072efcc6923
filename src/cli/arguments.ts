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

const SWITCHES = ['csum', 'seq', 'pmtudisc', 'ignore-df', 'json', 'restart', 'force', 'flat', 'dry-run', 'host-setup']

/** Of a switch the parser keeps only the last, and takes any value but `true` for no: `--csum=yes` would mean off. */
export function refuseOddSwitches(words: readonly string[]): void {
  for (const option of SWITCHES) {
    const given = words.filter((word) => word.replace(/^--(no-)?|=.*/g, '') === option && word.startsWith('--'))
    if (given.length > 1) once(option, given)
    const [, value] = /=(.*)/.exec(given[0] ?? '') ?? []
    if (value === undefined || value === 'true' || value === 'false') continue
    const wayOut = `a switch takes no value; say --${option}, or --no-${option}`
    throw new ConfigError('TSGRE_BAD_OPTION', option, value, `${given[0]}: ${wayOut}`)
  }
}
