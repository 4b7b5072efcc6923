// `tsgre --remote … --tap …`: runs one tunnel in the foreground until it is told to stop.

import type { CommandModule } from 'yargs'
import { planDaemon } from '../daemon/dry-run.js'
import { limitPrivileges } from '../daemon/limit-privileges.js'
import { runDaemon } from '../daemon/run-daemon.js'
import { ConfigError } from '../errors.js'
import { resolveOptions, type TunnelOptions } from '../tunnel/options.js'
import { once, type Text } from './arguments.js'
import { type CountingReport, humanReport, jsonReport } from './report.js'
import { type Arguments, build } from './tunnel-flags.js'

async function handler(argv: Arguments): Promise<void> {
  const { route: routes = [], hostSetup } = argv
  const options = { ...tunnelOptions(argv), bridge: once('bridge', argv.bridge), routes, hostSetup }
  resolveOptions(options) // what is refused at once needs no second start
  // Before anything is opened, and any signal listened to: the next program would not hear of one that came.
  if (!argv.dryRun) limitPrivileges()
  const report = withCounters(argv.json ? jsonReport() : humanReport())
  const stop = signalled(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])
  if (argv.dryRun) return report.planned(await planDaemon(options))
  const logger = { debug() {}, info() {}, warn: (_: object, message: string) => report.warn(message), error() {} }
  await runDaemon({ ...options, logger }, report, stop)
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

/** The library's options of what was typed. */
export function tunnelOptions(argv: Arguments): TunnelOptions {
  const tap = once('tap', argv.tap)
  const remote = once('remote', argv.remote)
  if (remote === undefined) {
    throw new ConfigError(
      'TSGRE_REMOTE_MISSING',
      'remote',
      undefined,
      '--remote is missing: give the underlay address of the other host, as in --remote 192.168.56.5 --tap tap0',
    )
  }
  if (tap === undefined) {
    throw new ConfigError(
      'TSGRE_BAD_TAP',
      'tap',
      undefined,
      '--tap is missing: name the TAP device to make or take, as in --tap tap0',
    )
  }
  return {
    name: tap,
    remote,
    local: once('local', argv.local),
    dev: once('dev', argv.dev),
    key: keyOf(argv),
    checksum: argv.csum,
    sequence: argv.seq,
    ttl: numberOr('ttl', argv.ttl, 'inherit'),
    tos: numberOr('tos', argv.tos, 'inherit'),
    mtu: numberOr('mtu', argv.mtu, 'auto'),
    tunnelMtu: numberOf('tunnel-mtu', argv.tunnelMtu),
    oversize: once('oversize', argv.oversize) as TunnelOptions['oversize'],
    clampMss: argv.clampMss,
    probe: argv.probe,
    mac: once('mac', argv.mac),
    pmtudisc: argv.pmtudisc,
    ignoreDf: argv.ignoreDf,
    io: once('io', argv.io) as TunnelOptions['io'],
    encap: once('encap', argv.encap) as TunnelOptions['encap'],
    udpPort: numberOf('udp-port', argv.udpPort),
    udpSourcePort: once('udp-source-port', argv.udpSourcePort) as TunnelOptions['udpSourcePort'],
    udp6ZeroChecksum: argv.udp6zerocsumrx,
    offload: argv.offload === false ? 'off' : (once('offload', argv.offload) as TunnelOptions['offload']),
    busyPoll: numberOf('busy-poll', argv.busyPoll),
  }
}

function keyOf(argv: Arguments): TunnelOptions['key'] {
  const key = once('key', argv.key)
  const into = once('ikey', argv.ikey)
  const out = once('okey', argv.okey)
  if (into === undefined && out === undefined) return key
  if (key === undefined) return { in: into, out }
  throw new ConfigError(
    'TSGRE_CONFLICT',
    'key',
    key,
    `--key ${key} sets both directions: leave it away, or leave --ikey and --okey away`,
  )
}

/** A number in decimal or 0x form, or the one word allowed. Bounds are for the library to check. */
function numberOr<W extends string>(option: string, value: Text, word: W): number | W | undefined {
  const typed = once(option, value)
  return typed === word ? (typed as W) : numberOf(option, typed, `, or "${word}"`)
}

function numberOf(option: string, value: Text, also = ''): number | undefined {
  const typed = once(option, value)
  if (typed === undefined) return undefined
  if (/^(\d+|0x[\da-f]+)$/i.test(typed)) return Number(typed)
  const code = option.endsWith('mtu') ? 'TSGRE_BAD_MTU' : 'TSGRE_BAD_OPTION'
  throw new ConfigError(code, option, typed, `--${option} ${typed}: takes a number${also}`)
}

/** Resolves at the first of the signals; later ones are ignored while everything is put back. */
function signalled(signals: NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve(signal))
  })
}
