// The options of `tsgre --remote … --tap …`: names, groups and what --help says of each. What they mean is the library's to know.

import type { Argv } from 'yargs'
import type { Text } from './arguments.js'

/** What was typed. */
export interface Arguments {
  remote: Text
  local: Text
  tap: Text
  bridge: Text
  mtu: Text
  tunnelMtu: Text
  oversize: Text
  clampMss: boolean
  probe: boolean
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

/** Tells yargs of every option, in groups. */
export function build(yargs: Argv): Argv<Arguments> {
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
      describe: "MTU of the TAP, 68 to 65521, or auto: the smallest of its bridge's other ports, or 1500 [auto]",
    })
    .option('tunnel-mtu', {
      ...text,
      group: OVERLAY,
      describe: 'the most that one packet is to carry, 68 to 65521 [what fits the way to the remote]',
    })
    .option('oversize', {
      ...text,
      group: OVERLAY,
      describe:
        'frames that do not fit: answer (cut, fragment, tell the sender), outer (fragment outside), drop [answer]',
    })
    .option('clamp-mss', {
      ...flag,
      default: true,
      group: OVERLAY,
      describe: "lower TCP's MSS to what fits; --no-clamp-mss leaves it alone",
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
    .option('probe', {
      ...flag,
      default: false,
      group: UNDERLAY,
      describe: 'ask a tsgre at the other end which sizes arrive, and send no larger ones',
    })
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
