// `tsgre pair`: prints, for each of two hosts, the commands that join them, so that nobody mirrors numbers in their head.

import type { Argv, CommandModule } from 'yargs'
import { ConfigError } from '../errors.js'
import { once, type Text } from './arguments.js'
import { type PairHost, type PairPlan, planPair } from './pair-plan.js'

interface Arguments {
  a: Text
  b: Text
  key: Text
  csum: boolean
  seq: boolean
  tap: Text
  flat: boolean
  underlayMtu: Text
  json: boolean
}

const text = { type: 'string', requiresArg: true } as const
const flag = { type: 'boolean', default: false } as const

const EXAMPLE = `For example:
  tsgre pair --a 192.168.56.4=10.103.100.1/24 --b 192.168.56.5=10.103.200.1/24

It reads and changes nothing on this machine.`

export const pairCommand = {
  command: 'pair',
  describe: 'print the commands that join the containers of two hosts',
  builder: (yargs: Argv) =>
    yargs
      .option('a', { ...text, describe: 'one host: its address, and that of its docker0 with the mask' })
      .option('b', { ...text, describe: 'the other host, likewise' })
      .option('flat', { ...flag, describe: 'one /16 for both hosts, of which each BIP names a part; no routes' })
      .option('tap', { ...text, describe: 'TAP device on both [tap0]' })
      .option('key', { ...text, describe: 'GRE key: 0 to 4294967295, or a.b.c.d' })
      .option('csum', { ...flag, describe: 'with GRE checksums' })
      .option('seq', { ...flag, describe: 'with sequence numbers' })
      .option('underlay-mtu', { ...text, describe: 'MTU between the hosts [1500]' })
      .option('json', { ...flag, describe: 'one JSON object, errors too' })
      .epilogue(EXAMPLE)
      .hide('version'),
  handler(argv: Arguments) {
    const underlayMtu = mtuOf(once('underlay-mtu', argv.underlayMtu))
    const plan = planPair({
      a: once('a', argv.a),
      b: once('b', argv.b),
      key: once('key', argv.key),
      checksum: argv.csum,
      sequence: argv.seq,
      tap: once('tap', argv.tap) ?? 'tap0',
      flat: argv.flat,
      underlayMtu,
    })
    const printed = argv.json ? JSON.stringify({ event: 'pair', ...plan }) : asText(plan, argv.flat, underlayMtu)
    process.stdout.write(`${printed}\n`)
  },
} as unknown as CommandModule

/** Comments and commands, to be pasted as they are. */
function asText({ a, b, tunnelMtu }: PairPlan, flat: boolean, underlayMtu: number): string {
  const host = (name: string, own: PairHost, other: PairHost) => [
    `# On host ${name}, ${own.host}, as root:`,
    `#   docker0 becomes ${own.bridge}, its containers get ${own.containers}. dockerd restarts, and containers with it.`,
    own.commands[0],
    flat
      ? `#   The tunnel, until Ctrl-C: docker0 here and docker0 on ${other.host} are one network.`
      : `#   The tunnel, until Ctrl-C: ${other.containers} is reached through it.`,
    own.commands[1],
    '',
  ]
  return [
    ...host('A', a, b),
    ...host('B', b, a),
    `# Over an MTU of ${underlayMtu} between the hosts (--underlay-mtu) the tunnel carries ${tunnelMtu} bytes in one packet. Containers keep their 1500.`,
    '# To go back: Ctrl-C, then on each host: tsgre docker undo --restart',
  ].join('\n')
}

function mtuOf(typed: string | undefined): number {
  if (typed === undefined) return 1500
  if (/^\d{1,5}$/.test(typed) && Number(typed) <= 65535) return Number(typed)
  const words = `--underlay-mtu ${typed}: takes a number of bytes up to 65535, as \`ip link\` shows for the device between the hosts`
  throw new ConfigError('TSGRE_BAD_MTU', 'underlay-mtu', typed, words)
}
