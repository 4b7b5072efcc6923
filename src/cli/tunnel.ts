// `tsgre --remote … --tap …`: runs one tunnel in the foreground until it is told to stop.

import type { Argv, CommandModule } from 'yargs'
import { planDaemon } from '../daemon/dry-run.js'
import { runDaemon } from '../daemon/run-daemon.js'
import { ConfigError } from '../errors.js'
import type { TunnelOptions } from '../tunnel/options.js'
import { once, type Text } from './arguments.js'
import { type CountingReport, humanReport, jsonReport } from './report.js'

interface Arguments {
  remote: Text
  local: Text
  tap: Text
  bridge: Text
  mtu: Text
  mac: Text
  dev: Text
  key: Text
  ikey: Text
  okey: Text
  csum: boolean
  seq: boolean
  ttl: Text
  tos: Text
  pmtudisc: boolean | undefined
  ignoreDf: boolean
  io: Text
  encap: Text
  udpPort: Text
  udpSourcePort: Text
  udp6zerocsumrx: boolean
  offload: Text | false
  busyPoll: Text
  route: string[] | undefined
  hostSetup: boolean
  dryRun: boolean
  json: boolean
}

const OVERLAY = 'Overlay, the Ethernet inside:'
const UNDERLAY = 'Underlay, the packets outside:'
const GRE = 'GRE:'
const HOST = 'This host:'
const OUTPUT = 'Output:'

const text = { type: 'string', requiresArg: true } as const
const flag = { type: 'boolean' } as const

function build(yargs: Argv): Argv<Arguments> {
  return yargs
    .option('tap', { ...text, group: OVERLAY, describe: 'TAP device, made if there is none (at most 15 bytes)' })
    .option('bridge', {
      ...text,
      group: OVERLAY,
      describe: 'bridge to join: a name, or none [docker0 where there is one]',
    })
    .option('route', {
      ...text,
      array: true,
      group: OVERLAY,
      describe: 'network behind the other host, CIDR; repeatable',
    })
    .option('mtu', {
      ...text,
      group: OVERLAY,
      describe: 'MTU of the TAP, 68 to 65521, or auto: what fits one packet [auto]',
    })
    .option('mac', { ...text, group: OVERLAY, describe: 'hardware address of the TAP [random, fe:…]' })
    .option('offload', {
      ...text,
      group: OVERLAY,
      describe: 'left to the kernel at the TAP: uso, tso, csum, off; --no-offload is off [auto: what it takes]',
    })
    .option('remote', { ...text, group: UNDERLAY, describe: 'address of the other host, IPv4 or IPv6 (fe80::1%eth1)' })
    .option('local', { ...text, group: UNDERLAY, describe: 'address of this host [what the route to the remote uses]' })
    .option('dev', { ...text, group: UNDERLAY, describe: 'bind to this device or VRF' })
    .option('ttl', { ...text, group: UNDERLAY, describe: 'outer TTL or hop limit, 1 to 255 or inherit [64]' })
    .option('tos', { ...text, group: UNDERLAY, describe: 'outer TOS or traffic class, 0 to 255 or inherit [0]' })
    .option('pmtudisc', { ...flag, group: UNDERLAY, describe: 'set DF; --no-pmtudisc copies it from inside [true]' })
    .option('ignore-df', { ...flag, default: false, group: UNDERLAY, describe: 'clear DF always' })
    .option('io', { ...text, group: UNDERLAY, describe: 'mmsg (fast), or raw-socket (portable npm package) [mmsg]' })
    .option('encap', {
      ...text,
      group: UNDERLAY,
      describe: 'udp: GRE-in-UDP (RFC 8086), at both ends; none: IP protocol 47 [none]',
    })
    .option('udp-port', { ...text, group: UNDERLAY, describe: 'UDP port of both ends, with --encap udp [4754]' })
    .option('udp-source-port', {
      ...text,
      group: UNDERLAY,
      describe: 'fixed: send from --udp-port; flow: from one of 8 ports by inner flow [fixed]',
    })
    .option('udp6zerocsumrx', {
      ...flag,
      default: false,
      group: UNDERLAY,
      describe: 'take packets without UDP checksum over IPv6 too',
    })
    .option('busy-poll', {
      ...text,
      group: UNDERLAY,
      describe: 'microseconds to look again before sleeping: less delay, more CPU [0]',
    })
    .option('key', { ...text, group: GRE, describe: 'key both ways: 0 to 4294967295, or a.b.c.d' })
    .option('ikey', { ...text, group: GRE, describe: 'key expected on received packets' })
    .option('okey', { ...text, group: GRE, describe: 'key of sent packets' })
    .option('csum', {
      ...flag,
      default: false,
      group: GRE,
      describe: 'send checksums (received ones are always verified)',
    })
    .option('seq', { ...flag, default: false, group: GRE, describe: 'send sequence numbers, drop what comes late' })
    .option('dry-run', {
      ...flag,
      default: false,
      group: HOST,
      describe: 'print every change that would be made, and make none',
    })
    .option('host-setup', {
      ...flag,
      default: true,
      group: HOST,
      describe: 'join the bridge, add routes and what they need; --no-host-setup only carries frames',
    })
    .option('json', { ...flag, default: false, group: OUTPUT, describe: 'one JSON object a line, errors too' })
    .hide('version') as unknown as Argv<Arguments>
}

async function handler(argv: Arguments): Promise<void> {
  const report = withCounters(argv.json ? jsonReport() : humanReport())
  const stop = signalled(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])
  const { route: routes = [], hostSetup } = argv
  const options = { ...tunnelOptions(argv), bridge: once('bridge', argv.bridge), routes, hostSetup }
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
  const code = option === 'mtu' ? 'TSGRE_BAD_MTU' : 'TSGRE_BAD_OPTION'
  throw new ConfigError(code, option, typed, `--${option} ${typed}: takes a number${also}`)
}

/** Resolves at the first of the signals; later ones are ignored while everything is put back. */
function signalled(signals: NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve(signal))
  })
}
