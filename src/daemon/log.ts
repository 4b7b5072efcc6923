// The log of the process, on stderr, by pino: lines for a person on a terminal, JSON for whatever else reads it. What repeats itself is
// told a few times and then counted. Not the program's output, which is on stdout (cli/report.ts).

import { pino } from 'pino'
import type { LogFormat, LogLevel } from './options/wanted.js'
import { Repeats, WHILE_MS } from './repeats.js'

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
  /** Tells what was only counted until now. */
  close(): void
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
  const at = (which: keyof typeof EVENTS) => limited((message) => logger[which]({ event: EVENTS[which] }, message), now)
  const levels = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const countedUntil = (time: number) => {
    for (const level of Object.values(levels)) level.countedUntil(time)
  }
  const looking = setInterval(() => countedUntil(now()), WHILE_MS / 6).unref()
  const close = () => {
    clearInterval(looking)
    countedUntil(Number.POSITIVE_INFINITY)
  }
  return { ...levels, close }
}

/** `say`, but not the same for ever; and what says what was counted, of the whiles over by `time`. */
function limited(say: (message: string) => void, now: () => number) {
  const repeats = new Repeats()
  const countedUntil = (time: number) => {
    for (const { count, message } of repeats.over(time))
      say(count === 1 ? message : `${message} (and ${count - 1} more in the last minute)`)
  }
  const write = (message: string) => {
    const time = now()
    countedUntil(time)
    if (repeats.tell(message, time)) say(message)
  }
  return Object.assign(write, { countedUntil })
}

function prettyLine(line: string): string {
  const { level, message } = JSON.parse(line) as { level: keyof typeof WORDS; message: string }
  return `tsgre: ${WORDS[level]}${message}\n`
}
