// `tsgre --remote … --tap …`, `tsgre --config …`: runs tunnels in the foreground until it is told to stop.

import type { CommandModule } from 'yargs'
import { whyKept } from '../daemon/limit-privileges.js'
import type { Log } from '../daemon/log.js'
import type { Asked } from '../daemon/options/tunnel-wishes.js'
import type { Wanted } from '../daemon/options/wanted.js'
import { placing } from '../daemon/placing.js'
import type { TunnelOptions } from '../tunnel/options.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { type CountingReport, humanReport, jsonReport } from './report.js'
import { type Arguments, askedOf, build } from './tunnel-flags.js'
import { wantedOf } from './wanted-of.js'

async function handler(argv: Arguments): Promise<void> {
  const asked = askedOf(argv)
  const wanted = await wantedOf(asked)
  const log = await logOf(wanted)
  if (whyKept) log.debug(whyKept)
  const report = withCounters(wanted.json ? jsonReport(log) : humanReport(log))
  // What carries is loaded when all words are in order: other commands, and those who mistyped, need not wait for it.
  if (asked['dry-run']) {
    const { planDaemon } = await import('../daemon/dry-run.js')
    for (const tunnel of wanted.tunnels) report.planned(await placing(wanted, tunnel.name, () => planDaemon(tunnel)))
    return
  }
  const reload = wanted.file === undefined ? undefined : hangUp()
  const { Readiness } = await import('../daemon/readiness.js')
  const { runInstance } = await import('../daemon/run-instance.js')
  try {
    await runInstance(wanted, {
      report,
      readiness: Readiness.take((message) => report.warn(message)),
      logger: loggerOf(log),
      until: signalled(['SIGINT', 'SIGTERM', 'SIGQUIT', ...(reload ? [] : ['SIGHUP' as const])], report.warn),
      load: reload && (() => wantedOf(asked as Asked)),
      onReload: (again) => reload?.(again),
    })
  } finally {
    log.close()
  }
}

async function logOf({ logFormat = 'auto', logLevel = 'info', json = false }: Wanted): Promise<Log> {
  const { openLog } = await import('../daemon/log.js')
  const isTerminal = process.stderr.isTTY
  return openLog({ format: logFormat, level: logLevel, json, isTerminal }, (line) => process.stderr.write(line))
}

/** For the library, which has fields beside the words. */
function loggerOf(log: Log): TunnelOptions['logger'] {
  const at = (level: Exclude<keyof Log, 'close'>) => (_: object, message: string) => log[level](message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** SIGHUP reloads the configuration; one that comes before there is anything to reload is not lost, and ends nothing. */
function hangUp(): (reload: () => Promise<void>) => void {
  let waiting = false
  let reload: (() => Promise<void>) | undefined
  process.on('SIGHUP', () => {
    if (reload) void reload()
    else waiting = true
  })
  return (given) => {
    reload = given
    if (waiting) void reload()
  }
}

/** SIGUSR1 prints the counters so far. (Without a listener it would open Node's debugger.) */
function withCounters(report: CountingReport): CountingReport {
  const running = new Set<Tunnel>()
  // One for all: of an eleventh listener Node warns, and there may be more tunnels.
  process.on('SIGUSR1', () => running.forEach(report.counters))
  return {
    ...report,
    up(tunnel, place, done) {
      report.up(tunnel, place, done)
      running.add(tunnel)
      tunnel.once('closed', () => running.delete(tunnel))
    },
  }
}

/** `$0`: what runs when no command is named. */
export const tunnelCommand = {
  command: '$0',
  describe: false,
  builder: build,
  handler,
} as unknown as CommandModule

/** Terminals, sudo and service managers may send one wish twice. */
const ONE_WISH_MS = 500
/** Of a wish that came twice at once: longer than anything here takes to be put back. */
const PATIENCE_MS = 10_000

const HUNG_UP =
  'ended by SIGHUP: without --config there is no file to read again (`nohup` or a service outlives its terminal)'

/** Resolves at the first of the signals. Another one, while everything is put back, ends the process, whatever it waits for. */
function signalled(signals: NodeJS.Signals[], warn: (message: string) => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: number | undefined
    const hear = (signal: NodeJS.Signals) => {
      const since = performance.now() - (first ?? performance.now())
      if (first !== undefined) setTimeout(endNow, since < ONE_WISH_MS ? PATIENCE_MS : 0, signal, warn).unref()
      if (first === undefined && signal === 'SIGHUP') warn(HUNG_UP)
      first ??= performance.now()
      resolve(signal)
    }
    for (const signal of signals) process.on(signal, hear)
  })
}

/** By the signal itself, as if nobody heard it. */
function endNow(signal: NodeJS.Signals, warn: (message: string) => void): void {
  warn(`ended by a second ${signal}: what is not put back yet the next start puts back, or \`tsgre cleanup\``)
  process.emit('exit', 1)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}
