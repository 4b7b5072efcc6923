// What is wanted of daemon.json, held against what the file and the command line of dockerd say already. Pure. dockerd would
// find out at its next start, with every container down.

import { ConfigError } from '../errors.js'
import type { Cidr } from './cidr.js'
import { validateBip, validateFixedCidr, validateMtu } from './docker-bip.js'
import { type Flag, flagOf } from './docker-flags.js'
import { unusable } from './docker-settings.js'
import type { ObjectText } from './json-text.js'

export interface WantedKeys {
  bip?: string | undefined
  fixedCidr?: string | undefined
  mtu?: number | undefined
}

/** A setting that stands already, and where. */
interface Standing {
  readonly value: string
  readonly where: string
}

/** @throws ConfigError TSGRE_BAD_DAEMON_JSON, TSGRE_BAD_BIP, TSGRE_BAD_MTU, TSGRE_DOCKER_FLAG */
export function refuseConflicts(object: ObjectText, wanted: WantedKeys, path: string, flags: readonly Flag[]): void {
  for (const key of ['bip', 'fixed-cidr', 'mtu']) {
    if (object.members.filter((member) => member.key === key).length > 1)
      throw unusable(path, `${path}: "${key}" is set twice; leave one of them`)
  }
  if (wanted.mtu !== undefined) validateMtu(wanted.mtu)
  refuseAddresses(wanted, path, {
    bip: standing('bip', object, path, flags),
    fixedCidr: standing('fixed-cidr', object, path, flags),
  })
  refuseFlags(wanted, path, flags)
  const bridge = object.members.find((member) => member.key === 'bridge')?.value
  if (wanted.bip === undefined || !bridge) return
  const words = `${path} sets "bridge": ${JSON.stringify(bridge)}, and dockerd takes a bridge or a bip, not both`
  throw unusable(path, `${words}; take "bridge" out, or join that bridge with tsgre --bridge`)
}

/** dockerd does not start when a key is also a flag, even with one value (daemon/config.findConfigurationConflicts). */
function refuseFlags(wanted: WantedKeys, path: string, flags: readonly Flag[]): void {
  for (const [key, value] of [
    ['bip', wanted.bip],
    ['fixed-cidr', wanted.fixedCidr],
    ['mtu', wanted.mtu],
  ] as const) {
    const flag = flagOf(flags, key)
    if (value === undefined || !flag) continue
    const why = `dockerd does not start when a setting is both a flag and in ${path}, even with equal values`
    throw flagInTheWay(key, value, flag, why)
  }
  const bridge = flagOf(flags, 'bridge')
  if (wanted.bip !== undefined && bridge?.value)
    throw flagInTheWay('bip', wanted.bip, bridge, 'dockerd takes a bridge or a bip, not both')
}

function flagInTheWay(option: string, value: string | number, flag: Flag, why: string): ConfigError {
  const words = `--${option} ${value}: the running dockerd was started with the flag ${flag.text}, and ${why}`
  const wayOut =
    `\nTake out ${flag.text} where dockerd is started, restart it, and try again. With systemd: ` +
    '"systemctl cat docker" shows the line ExecStart, "systemctl edit docker" changes it; ' +
    'without systemd, and in Debian with it too, look at DOCKER_OPTS in /etc/default/docker'
  return new ConfigError('TSGRE_DOCKER_FLAG', option, value, `${words}.${wayOut}`)
}

function standing(
  key: 'bip' | 'fixed-cidr',
  object: ObjectText,
  path: string,
  flags: readonly Flag[],
): Standing | undefined {
  const flag = flagOf(flags, key)
  if (flag) return { value: flag.value, where: `dockerd has the flag ${flag.text}` }
  const value = object.members.find((member) => member.key === key)?.value
  return typeof value === 'string' && value !== '' ? { value, where: `${path} sets "${key}": "${value}"` } : undefined
}

/** What is wanted must also fit what is said already. */
function refuseAddresses(
  wanted: WantedKeys,
  path: string,
  present: { bip: Standing | undefined; fixedCidr: Standing | undefined },
): void {
  const bip = wanted.bip === undefined ? bipFor(wanted, path, present.bip) : validateBip(wanted.bip)
  if (!bip) return
  if (wanted.fixedCidr !== undefined) {
    validateFixedCidr(wanted.fixedCidr, bip)
    return
  }
  if (wanted.bip === undefined || !present.fixedCidr) return
  try {
    validateFixedCidr(present.fixedCidr.value, bip)
  } catch {
    const words = `--bip ${wanted.bip}: ${present.fixedCidr.where}, which does not lie in ${bip.network}`
    throw new ConfigError('TSGRE_BAD_BIP', 'bip', wanted.bip, `${words}; give a --fixed-cidr with it`)
  }
}

/** The bip a wanted fixed-cidr must lie in, where none is wanted. */
function bipFor({ fixedCidr }: WantedKeys, path: string, present: Standing | undefined): Cidr | undefined {
  if (fixedCidr === undefined) return undefined
  if (present) return validateBip(present.value)
  const words = `--fixed-cidr ${fixedCidr}: ${path} sets no "bip" it could lie in; give --bip too`
  throw new ConfigError('TSGRE_BAD_BIP', 'fixed-cidr', fixedCidr, words)
}
