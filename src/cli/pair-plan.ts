// The commands that join two hosts, from what the two have: an underlay address and a docker0 each. Pure: whether these hosts
// can do it is for the commands themselves to find out.

import { ConfigError, type ErrorCode } from '../errors.js'
import { type Cidr, overlap } from '../host/cidr.js'
import { flatten, validateBip } from '../host/docker-bip.js'
import { typed } from '../host/execute.js'
import { refuseTapName } from '../io/open-tap.js'
import type { Address } from '../sys/address.js'
import { readAddress } from '../tunnel/addresses.js'
import { greBytes } from '../tunnel/gre-bytes.js'
import { parseKey, tunnelMtuOf } from '../tunnel/resolve-peers.js'

export interface PairRequest {
  /** `UNDERLAY=BIP`, as in 192.168.56.4=10.103.100.1/24. */
  readonly a: string | undefined
  readonly b: string | undefined
  readonly key?: string | undefined
  readonly checksum: boolean
  readonly sequence: boolean
  readonly tap: string
  readonly flat: boolean
  readonly underlayMtu: number
}

export interface PairHost {
  /** The underlay address. */
  readonly host: string
  /** docker0's address, and the addresses containers get. */
  readonly bridge: string
  readonly containers: string
  /** As typed: docker apply, then the tunnel. */
  readonly commands: readonly [docker: string, tunnel: string]
}

export interface PairPlan {
  readonly a: PairHost
  readonly b: PairHost
  /** Largest packet inside that one packet between the hosts carries, in bytes. */
  readonly tunnelMtu: number
}

interface End {
  readonly option: 'a' | 'b'
  readonly text: string
  readonly address: Address
  /** As given; of a flat network the host's own part. */
  readonly bip: Cidr
}

/**
 * Plans both hosts.
 * @throws ConfigError naming the option that cannot be right
 */
export function planPair(request: PairRequest): PairPlan {
  const a = readEnd('a', request.a)
  const b = readEnd('b', request.b)
  refuseTapName(request.tap)
  const keyOut = parseKey('key', request.key)
  refuseTogether(a, b, request.flat)
  const tunnelMtu = tunnelMtuOf(request.underlayMtu, a.address.family, greBytes({ ...request, keyOut }))
  if (tunnelMtu < 576) {
    const words = `--underlay-mtu ${request.underlayMtu}: leaves ${tunnelMtu} bytes for the containers; 576 is the least (RFC 791)`
    throw new ConfigError('TSGRE_BAD_MTU', 'underlay-mtu', request.underlayMtu, words)
  }
  return { a: hostOf(a, b, request), b: hostOf(b, a, request), tunnelMtu }
}

function readEnd(option: 'a' | 'b', text: string | undefined): End {
  const form = 'takes UNDERLAY=BIP, the host and the address of its docker0, as in 192.168.56.4=10.103.100.1/24'
  const [, underlay, bip] = /^([^=]+)=([^=]+)$/.exec(text ?? '') ?? []
  if (text === undefined) refuse('TSGRE_BAD_OPTION', option, text, `--${option} is missing: it ${form}`)
  if (underlay === undefined || bip === undefined)
    refuse('TSGRE_BAD_OPTION', option, text, `--${option} ${text}: ${form}`)
  if (underlay.includes('%') || /^fe[89ab]/i.test(underlay))
    refuse(
      'TSGRE_BAD_OPTION',
      option,
      text,
      `--${option} ${text}: a link-local address is another one on each link; name a global one`,
    )
  const address = asOption(option, text, () => readAddress(option, underlay, undefined))
  if (isLoopback(address))
    refuse(
      'TSGRE_REMOTE_IS_LOCAL',
      option,
      text,
      `--${option} ${text}: ${address.text} is every host itself; name the address at which the other host reaches this one`,
    )
  return {
    option,
    text,
    address,
    bip: asOption(option, text, () => validateBip(bip)),
  }
}

function isLoopback({ family, bytes, text }: Address): boolean {
  return family === 4 ? bytes[0] === 127 : text === '::1'
}

/** A refusal of a part names the option it was in. */
function asOption<T>(option: 'a' | 'b', text: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(error.code as ErrorCode, option, text, error.message.replace(/^--\S+/, `--${option}`))
  }
}

function refuseTogether(a: End, b: End, flat: boolean): void {
  const no = (code: ErrorCode, why: string) => refuse(code, 'b', b.text, `--b ${b.text}: ${why}`)
  if (a.address.family !== b.address.family)
    no('TSGRE_FAMILY_MISMATCH', `${b.address.text} and ${a.address.text} of --a are of two families; a tunnel has one`)
  if (a.address.text === b.address.text) no('TSGRE_REMOTE_IS_LOCAL', `that is the host of --a; name the other one`)
  if (overlap(a.bip, b.bip)) {
    const what = flat
      ? "parts of the network must differ, or containers get each other's addresses"
      : 'no route could tell them apart'
    no('TSGRE_BAD_BIP', `${b.bip.network} overlaps ${a.bip.network} of --a; ${what}; choose another one`)
  }
  const [wholeA, wholeB] = [bridgeNetwork(a, flat), bridgeNetwork(b, flat)]
  if (flat && wholeA.network !== wholeB.network)
    no(
      'TSGRE_BAD_BIP',
      `with --flat both lie in one /16, and ${a.bip.network} of --a lies in ${wholeA.network}; choose a part of that`,
    )
  for (const { address } of [a, b]) {
    refuseHolding(a, wholeA, address)
    refuseHolding(b, wholeB, address)
  }
}

/** What docker0 is in: its own network, or of a flat pair the /16 that both share. */
function bridgeNetwork({ option, text, bip }: End, flat: boolean): Cidr {
  if (!flat) return bip
  return asOption(option, text, () => validateBip(flatten(`${bip.address}/${bip.prefixLength}`).bip))
}

/** The way to that host would lead into docker0: tunnel packets with it. */
function refuseHolding({ option, text }: End, { network, contains }: Cidr, host: Address): void {
  if (!contains(host.text)) return
  const why = `${network} holds the host ${host.text}, and the tunnel would carry itself; choose another network`
  refuse('TSGRE_ROUTE_LOOP', option, text, `--${option} ${text}: ${why}`)
}

function hostOf(own: End, other: End, request: PairRequest): PairHost {
  const { bip } = own
  const flat = request.flat ? flatten(`${bip.address}/${bip.prefixLength}`) : undefined
  const route = flat ? ['--flat'] : ['--route', other.bip.network]
  const docker = ['docker', 'apply', '--bip', `${bip.address}/${bip.prefixLength}`, ...route, '--restart']
  const tunnel = [
    ...['--remote', other.address.text, '--tap', request.tap],
    ...(flat ? [] : ['--route', other.bip.network]),
    ...(request.key === undefined ? [] : ['--key', request.key]),
    ...(request.checksum ? ['--csum'] : []),
    ...(request.sequence ? ['--seq'] : []),
  ]
  return {
    host: own.address.text,
    bridge: flat?.bip ?? `${bip.address}/${bip.prefixLength}`,
    containers: flat?.fixedCidr ?? bip.network,
    commands: [typed('tsgre', docker), typed('tsgre', tunnel)],
  }
}

function refuse(code: ErrorCode, option: string, value: unknown, words: string): never {
  throw new ConfigError(code, option, value, words)
}
