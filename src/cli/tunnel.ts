// `tsgre --remote … --tap …`, `tsgre --config …`: runs tunnels in the foreground until it is told to stop.

import type { CommandModule } from 'yargs'
import { planDaemon } from '../daemon/dry-run.js'
import type { Wanted } from '../daemon/options/wanted.js'
import { runDaemon } from '../daemon/run-daemon.js'
import { type CountingReport, humanReport, jsonReport } from './report.js'
import { type Arguments, askedOf, build } from './tunnel-flags.js'
import { wantedOf } from './wanted-of.js'

async function handler(argv: Arguments): Promise<void> {
  const asked = askedOf(argv)
  const stop = signalled(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])
  const wanted = await wantedOf(asked)
  const report = withCounters(wanted.json ? jsonReport() : humanReport())
  if (!asked['dry-run']) return runAll(wanted, report, stop)
  for (const tunnel of wanted.tunnels) report.planned(await planDaemon(tunnel))
}

/** Until the end, or until one of them fails, which ends the others. */
async function runAll({ tunnels }: Wanted, report: CountingReport, stop: Promise<unknown>): Promise<void> {
  const logger = { debug() {}, info() {}, warn: (_: object, message: string) => report.warn(message), error() {} }
  let end: () => void = () => {}
  const until = Promise.race([stop, new Promise<void>((resolve) => (end = resolve))])
  const ended = tunnels.map((tunnel) => runDaemon({ ...tunnel, logger }, report, until).finally(end))
  const failed = (await Promise.allSettled(ended)).find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
}

/** SIGUSR1 prints the counters so far. (Without a listener it would open Node's debugger.) */
function withCounters(report: CountingReport): CountingReport {
  process.on('SIGUSR1', () => {})
  return {
    ...report,
    up(tunnel, place, done) {
      report.up(tunnel, place, done)
      process.on('SIGUSR1', () => report.counters(tunnel))
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

/** Resolves at the first of the signals; later ones are ignored while everything is put back. */
function signalled(signals: NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve(signal))
  })
}
