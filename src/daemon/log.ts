// The log of the process, on stderr, by pino: lines for a person on a terminal, JSON for whatever else reads it. What repeats itself is
// told a few times and then counted. Not the program's output, which is on stdout (cli/report.ts).

import { pino } from 'pino'
import type { LogFormat, LogLevel } from './options/wanted.js'
import { Repeats } from './repeats.js'

export interface LogOptions {
  readonly format: LogFormat
  readonly level: LogLevel
  /** Whether JSON was asked for of all output. */
  readonly json: boolean
  /** Whether a person reads it. */
  readonly isTerminal: boolean
}

export interface Log {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** Of the field `event`, which all lines of output have. */
const EVENTS = { debug: 'debug', info: 'info', warn: 'warning', error: 'error' } as const
const WORDS = { debug: '', info: '', warn: 'warning: ', error: 'error: ' } as const

/** `write` takes whole lines; `now` in milliseconds, monotonic. */
export function openLog(options: LogOptions, write: (line: string) => void, now = () => performance.now()): Log {
  const { format, level, json, isTerminal } = options
  const pretty = format === 'pretty' || (format === 'auto' && isTerminal && !json)
  const logger = pino(
    { level, base: null, messageKey: 'message', formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => write(pretty ? prettyLine(line) : line) },
  )
  const repeats = new Repeats()
  const at = (which: keyof typeof EVENTS) => (message: string) => {
    const { tell, missed } = repeats.see(message, now())
    const fields = { event: EVENTS[which] }
    if (missed > 0) logger[which](fields, `${missed} more like the next one were not written`)
    if (tell) logger[which](fields, message)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function prettyLine(line: string): string {
  const { level, message } = JSON.parse(line) as { level: keyof typeof WORDS; message: string }
  return `tsgre: ${WORDS[level]}${message}\n`
}
