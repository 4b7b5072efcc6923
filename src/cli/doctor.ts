// `tsgre doctor`: reads its options, has the checks made, and prints what was found: one line each, and below what is wrong how to
// mend it. Changes nothing.

import type { Argv, CommandModule } from 'yargs'
import { askInstances } from '../daemon/doctor/ask-instances.js'
import { CHECKS, type Finding, type Level } from '../daemon/doctor/finding.js'
import { exitCodeFor, runDoctor } from '../daemon/doctor/run-doctor.js'
import type { ReadStatus } from '../daemon/doctor/subject.js'
import { type Asked, subjectsOf } from '../daemon/doctor/subjects.js'
import { ConfigError } from '../errors.js'
import { parseCidr } from '../host/cidr.js'
import { resolveEncapsulation } from '../tunnel/encapsulation.js'
import type { ChecksumRule } from '../tunnel/peer-options.js'
import { parseKey } from '../tunnel/resolve-peers.js'
import { oneOf } from '../tunnel/values.js'
import { once, type Text } from './arguments.js'

interface Arguments {
  remote: Text
  tap: Text
  bridge: Text
  route: Text
  local: Text
  dev: Text
  encap: Text
  udpPort: Text
  key: Text
  ikey: Text
  okey: Text
  csum: boolean | undefined
  checksum: Text
  json: boolean
}

const text = { type: 'string', requiresArg: true } as const
const flag = { type: 'boolean', default: false } as const

const EXAMPLE = `Exit code 0 where nothing is wrong (warnings may be), 1 where something is. What each finding means stands in docs/doctor.md.
It changes nothing: one TAP of its own name is made and gone at once. It sends to the remotes alone, a few short frames and pings.

Example: tsgre doctor --remote 192.168.56.5 --tap tap0`

/** `readStatus` asks the tsgre that run here. */
export function doctorCommand(readStatus: ReadStatus): CommandModule {
  return {
    command: 'doctor',
    describe: 'find out why a tunnel does not work, and say how to mend it; changes nothing',
    builder: (yargs: Argv) =>
      yargs
        .option('remote', { ...text, describe: 'the other host; repeatable [those of the tsgre that run here]' })
        .option('tap', { ...text, describe: 'the TAP of the tunnel' })
        .option('bridge', { ...text, describe: 'the bridge it is in, or none [docker0 where there is one]' })
        .option('route', { ...text, describe: 'network behind the other host; repeatable' })
        .option('local', { ...text, describe: 'underlay address of this host [what the route to the remote uses]' })
        .option('dev', { ...text, describe: 'device or VRF the underlay is bound to' })
        .option('encap', { ...text, describe: 'as the tunnel has it: udp or none [none]' })
        .option('udp-port', { ...text, describe: 'UDP port of both ends, with --encap udp [4754]' })
        .option('key', { ...text, describe: 'GRE key both ways' })
        .option('ikey', { ...text, describe: 'key expected on received packets' })
        .option('okey', { ...text, describe: 'key of sent packets' })
        .option('csum', { type: 'boolean', describe: 'send GRE checksums' })
        .option('checksum', { ...text, describe: 'received ones: require, accept or forbid [accept]' })
        .option('json', { ...flag, describe: 'one JSON object, errors too' })
        .epilogue(EXAMPLE)
        .hide('version'),
    async handler(argv: Arguments) {
      const asked = askedFrom(argv)
      const { instances, findings: before } = await askInstances(readStatus)
      const findings = await runDoctor(subjectsOf(asked, instances), before)
      process.stdout.write(argv.json ? asJson(findings) : asText(findings, isUtf8()))
      process.exitCode = exitCodeFor(findings)
    },
  } as unknown as CommandModule
}

function askedFrom(argv: Arguments): Asked {
  const key = (option: 'key' | 'ikey' | 'okey') => parseKey(option, once(option, argv[option]))
  const both = key('key')
  const rule = once('checksum', argv.checksum) as ChecksumRule | undefined
  return {
    remotes: list(argv.remote),
    tap: once('tap', argv.tap),
    bridge: once('bridge', argv.bridge),
    local: once('local', argv.local),
    dev: once('dev', argv.dev),
    udpPort: udpPortOf(argv),
    keyIn: key('ikey') ?? both,
    keyOut: key('okey') ?? both,
    checksum: argv.csum,
    receiveChecksum:
      rule === undefined ? undefined : oneOf<ChecksumRule>('checksum', rule, ['require', 'accept', 'forbid']),
    routes: list(argv.route).map((route) => parseCidr(route).network),
  }
}

function list(value: Text): string[] {
  return value === undefined ? [] : [value].flat()
}

function udpPortOf(argv: Arguments): number | undefined {
  const encap = once('encap', argv.encap) as 'udp' | 'none' | undefined
  const port = once('udp-port', argv.udpPort)
  if (port !== undefined && !/^\d{1,5}$/.test(port))
    throw new ConfigError('TSGRE_BAD_OPTION', 'udp-port', port, `--udp-port ${port}: takes a number from 1 to 65535`)
  return resolveEncapsulation({ encap, udpPort: port === undefined ? undefined : Number(port) }, 'mmsg', 4)?.port
}

function asJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ event: 'doctor', healthy: exitCodeFor(findings) === 0, findings })}\n`
}

const MARKS: Readonly<Record<Level, readonly [utf8: string, ascii: string]>> = {
  ok: ['✓', 'ok'],
  warning: ['!', '!'],
  problem: ['✗', 'NO'],
  unknown: ['?', '?'],
}

/** Whether the terminal's locale, in the order of setlocale(3), shows more than ASCII. */
function isUtf8({ LC_ALL, LC_CTYPE, LANG } = process.env): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '')
}

/** @internal */
export function asText(findings: readonly Finding[], utf8: boolean): string {
  const width = Math.max(...CHECKS.map(({ length }) => length))
  const lines = findings.flatMap(({ check, level, code, text, remedy }) => {
    const mark = MARKS[level][utf8 ? 0 : 1].padEnd(utf8 ? 1 : 2)
    const indent = ' '.repeat(mark.length + 1 + width + 2)
    const name = code === 'ok' ? '' : ` [${code}]`
    return [
      `${mark} ${check.padEnd(width)}  ${text}${name}`,
      ...(remedy === '' ? [] : [`${indent}${utf8 ? '→' : '->'} ${remedy}`]),
    ]
  })
  return `${[...lines, '', summary(findings)].join('\n')}\n`
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level, word: string) => {
    const number = findings.filter((finding) => finding.level === level).length
    return number === 0 ? [] : [`${number} ${word}${number === 1 ? '' : 's'}`]
  }
  const wrong = [...count('problem', 'problem'), ...count('warning', 'warning')]
  const open = count('unknown', 'question').map((words) => `${words} left open`)
  return wrong.length === 0 ? ['nothing is wrong', ...open].join(', ') : [...wrong, ...open].join(', ')
}
