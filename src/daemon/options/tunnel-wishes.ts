// What was asked, by names of options, put into the words of the daemon: the one way from a command line and from a
// configuration file to a tunnel.

import { ConfigError } from '../../errors.js'
import { resolveCarrier } from '../../tunnel/options.js'
import type { Key, Keys, PeerOptions } from '../../tunnel/peer-options.js'
import { refuseOwnBridge } from './contradictions.js'
import type { Option } from './option.js'
import { OPTIONS, optionNamed } from './option-table.js'
import { readValue } from './read-value.js'
import { attempt, type Refuse, raise } from './refuse.js'
import type { InstanceOptions, TunnelWishes } from './wanted.js'

/** By name: text, number, switch, or a list of what may be repeated. What is undefined was not asked. */
export type Asked = Readonly<Record<string, unknown>>

/**
 * `refused`: options that were asked for and refused already; they are not in `asked`, and nothing is said of them.
 * @throws ConfigError, unless `refuse` only takes note; then what was refused is missing in what is returned
 */
export function tunnelWishes(asked: Asked, refuse: Refuse = raise, refused: ReadonlySet<string> = NONE): TunnelWishes {
  const wrong = new Set(refused)
  const noting: Refuse = (error) => {
    wrong.add(error.option)
    refuse(error)
  }
  if (asked.remote === undefined && !wrong.has('remote')) noting(noRemote())
  if (asked.tap === undefined && !wrong.has('tap')) noting(noTap())
  const read = valuesOf(asked, 'tunnel', noting) as unknown as Read
  const key = attempt(() => keysOf(asked, read.key), noting)
  const wishes = { ...read, routes: read.routes ?? [], remote: single(read.remote ?? []), key }
  if (!wrong.has('carrier') && !wrong.has('keepalive')) attempt(() => resolveCarrier(wishes), refuse)
  if (!wrong.has('tap') && !wrong.has('bridge')) attempt(() => refuseOwnBridge(wishes), refuse)
  return wishes
}

const NONE: ReadonlySet<string> = new Set()

type Read = Omit<TunnelWishes, 'remote'> & { key: Key | undefined; remote: PeerOptions[] | undefined }

/** @throws ConfigError, unless `refuse` only takes note */
export function instanceOptions(asked: Asked, refuse: Refuse = raise): InstanceOptions {
  return valuesOf(asked, 'instance', refuse)
}

function valuesOf(asked: Asked, of: Option['of'], refuse: Refuse): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const option of OPTIONS) {
    const given = asked[option.name]
    if (option.of !== of || given === undefined || option.field === undefined) continue
    values[option.field] = attempt(() => readValue(option, given, refuse), refuse)
  }
  return values
}

/** One remote with nothing of its own is its address, as a program would say it. */
function single(peers: readonly PeerOptions[]): TunnelWishes['remote'] {
  const [first] = peers
  return peers.length === 1 && Object.keys(first!).length === 1 ? first!.remote : peers
}

function keysOf({ key: typed, ikey, okey }: Asked, key: Key | undefined): Keys | undefined {
  if (ikey === undefined && okey === undefined) return key
  if (typed === undefined) {
    const [into, out] = [ikey, okey].map((given, at) =>
      given === undefined ? undefined : (readValue(optionNamed(at === 0 ? 'ikey' : 'okey'), given) as Key),
    )
    return { in: into, out }
  }
  throw new ConfigError(
    'TSGRE_CONFLICT',
    'key',
    typed,
    `--key ${typed} sets both directions: leave it away, or leave --ikey and --okey away`,
  )
}

function noRemote(): ConfigError {
  const words =
    '--remote is missing: give the underlay address of the other host, as in --remote 192.168.56.5 --tap tap0'
  return new ConfigError('TSGRE_REMOTE_MISSING', 'remote', undefined, words)
}

function noTap(): ConfigError {
  const words = '--tap is missing: name the TAP device to make or take, as in --tap tap0'
  return new ConfigError('TSGRE_BAD_TAP', 'tap', undefined, words)
}
