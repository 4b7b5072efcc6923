// The two underlay addresses: read, checked against each other and against this host, the local one chosen when absent.

import { ConfigError, type ErrorCode, SystemError } from '../errors.js'
import { type UnderlayPath, underlayPath } from '../io/underlay-path.js'
import { type Address, parseAddress } from '../sys/address.js'
import { interfaceIndex } from '../sys/libc.js'
import { shown } from './values.js'

export interface ResolvedAddresses {
  readonly local: Address
  readonly remote: Address
  /** MTU of the route to the remote, in bytes. */
  readonly underlayMtu: number
}

/**
 * @throws ConfigError for whatever cannot be the two ends of a tunnel
 */
export function resolveAddresses(
  remoteText: string | undefined,
  localText: string | undefined,
  dev: string | undefined,
  io: string,
): ResolvedAddresses {
  if (!remoteText)
    refuse(
      'TSGRE_REMOTE_MISSING',
      'remote',
      remoteText,
      'give the underlay address of the other host: --remote 192.168.56.5',
    )
  if (dev !== undefined) refuseNoDevice('dev', dev, dev)
  const remote = readAddress('remote', remoteText, dev)
  const local = localText === undefined ? undefined : readAddress('local', localText, remote.zone ?? dev)
  if (local && local.family !== remote.family) {
    refuse(
      'TSGRE_FAMILY_MISMATCH',
      'local',
      localText,
      `IPv${local.family}, but --remote ${remoteText} is IPv${remote.family}; both must be of one family`,
    )
  }
  const route = wayTo(remote, dev, local === undefined)
  refuseOwn(remote, remoteText, dev, route)
  if (!local) return { local: route!.local, remote, underlayMtu: route!.mtu }
  const path = wayFrom(local, remote, dev)
  if (io === 'raw-socket' && route && route.local.text !== local.text) {
    refuse(
      'TSGRE_CONFLICT',
      'local',
      localText,
      `--io raw-socket cannot choose its source, and the route to the remote uses ${route.local.text}; leave --io away, or give that route "src ${localText}"`,
    )
  }
  return { local, remote, underlayMtu: path?.mtu ?? DEFAULT_UNDERLAY_MTU }
}

/**
 * Reads the address of one more remote of a tunnel from `local`, and asks for the way there.
 * @throws ConfigError for whatever cannot be its other end
 */
export function resolveRemote(text: string, local: Address, dev: string | undefined): { remote: Address; mtu: number } {
  const remote = readAddress('remote', text, dev ?? local.zone)
  refuseOtherFamily('remote', remote, local.text)
  refuseOwn(remote, text, dev, wayTo(remote, dev, false))
  return { remote, mtu: wayFrom(local, remote, dev)?.mtu ?? DEFAULT_UNDERLAY_MTU }
}

/** @throws ConfigError TSGRE_FAMILY_MISMATCH where the packets of a tunnel that leave from `local` cannot have that address */
export function refuseOtherFamily(option: 'remote' | 'local', { family, text }: Address, local: string): void {
  if (family === parseAddress(local)?.family) return
  const why = `IPv${family}, but this tunnel's packets leave from ${local}; the addresses of a tunnel are of one family: run another one for it`
  refuse('TSGRE_FAMILY_MISMATCH', option, text, why)
}

function refuseOwn(remote: Address, text: string, dev: string | undefined, route: UnderlayPath | undefined): void {
  if (route?.local.text !== remote.text && !isSource(remote, dev)) return
  const why = 'that is an address of this host; give the address of the other one'
  refuse('TSGRE_REMOTE_IS_LOCAL', 'remote', text, why)
}

/** Ethernet's, for a host that has no route to the remote yet. */
const DEFAULT_UNDERLAY_MTU = 1500

function refuse(code: ErrorCode, option: string, value: unknown, why: string): never {
  throw new ConfigError(
    code,
    option,
    value,
    value === undefined ? `--${option}: ${why}` : `--${option} ${shown(value)}: ${why}`,
  )
}

function refuseNoDevice(option: string, value: string, device: string): void {
  if (interfaceIndex(device) === 0)
    refuse('TSGRE_BAD_DEVICE', option, value, `there is no network device ${device}; see \`ip link\``)
}

/**
 * Reads the address of one end.
 * @throws ConfigError TSGRE_NOT_AN_ADDRESS, TSGRE_NOT_UNICAST, TSGRE_BAD_DEVICE
 */
export function readAddress(option: string, text: string, zone: string | undefined): Address {
  return withZone(option, text, readEnd(option, text), zone)
}

/**
 * The same, of what the text alone says: this host is not asked for devices.
 * @throws ConfigError TSGRE_NOT_AN_ADDRESS, TSGRE_NOT_UNICAST
 */
export function readEnd(option: string, text: string): Address {
  const address = parseAddress(text)
  if (!address) refuse('TSGRE_NOT_AN_ADDRESS', option, text, 'not an IPv4 or IPv6 address (names are not resolved)')
  const { family, bytes } = address
  if (isUnspecified(bytes) || isMulticast(address) || (family === 4 && bytes.every((octet) => octet === 255))) {
    refuse(
      'TSGRE_NOT_UNICAST',
      option,
      text,
      'a tunnel has one unicast address at each end, not a group, broadcast or empty one',
    )
  }
  if (family === 6 && bytes.subarray(0, 10).every((octet) => octet === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    refuse('TSGRE_NOT_AN_ADDRESS', option, text, `an IPv4 address in IPv6 form; write ${bytes.subarray(12).join('.')}`)
  }
  if (address.zone !== undefined && !isLinkLocal(address)) {
    const why = 'only link-local addresses (fe80::/10) have a zone; leave the % part away'
    refuse('TSGRE_NOT_AN_ADDRESS', option, text, why)
  }
  return address
}

function isLinkLocal({ family, bytes }: Address): boolean {
  return family === 6 && bytes[0] === 0xfe && (bytes[1] & 0xc0) === 0x80
}

/** A link-local address means nothing without its link (RFC 4007 §6). */
function withZone(option: string, text: string, address: Address, zone: string | undefined): Address {
  if (address.zone !== undefined) {
    refuseNoDevice(option, text, address.zone)
    return address
  }
  if (!isLinkLocal(address)) return address
  if (zone === undefined)
    refuse('TSGRE_NOT_AN_ADDRESS', option, text, `a link-local address needs its device: ${text}%eth1`)
  return { ...address, zone, text: `${address.text}%${zone}` }
}

function isUnspecified(bytes: Uint8Array): boolean {
  return bytes.every((octet) => octet === 0)
}

function isMulticast({ family, bytes }: Address): boolean {
  return family === 4 ? bytes[0] >= 224 && bytes[0] <= 239 : bytes[0] === 0xff
}

/** The kernel's own choice of source. Without a route: undefined, or a refusal where a choice is needed. */
function wayTo(remote: Address, dev: string | undefined, needed: boolean): UnderlayPath | undefined {
  try {
    return underlayPath(remote, { dev })
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    if (error.code === 'EACCES') {
      refuse(
        'TSGRE_NOT_UNICAST',
        'remote',
        remote.text,
        "the broadcast address of one of this host's networks, or an address its routes prohibit",
      )
    }
    if (!needed) return undefined
    refuse(
      'TSGRE_NO_SOURCE',
      'remote',
      remote.text,
      `no route to it, so no source address can be chosen (${error.code}); add a route, or give --local`,
    )
  }
}

/**
 * Whether this host may send from `address`. The route to a second address of a network has the first one as its source,
 * so equal ends do not show there; in IPv6 each address is its own source, and where ip_nonlocal_bind is set only IPv4
 * checks again at connect (ip_route_output_key_hash_rcu of net/ipv4/route.c).
 */
function isSource(address: Address, dev: string | undefined): boolean {
  if (address.family === 6) return false
  try {
    return underlayPath(address, { local: address, dev }) !== undefined
  } catch (error) {
    if (error instanceof SystemError) return false
    throw error
  }
}

function wayFrom(local: Address, remote: Address, dev: string | undefined): UnderlayPath | undefined {
  try {
    return underlayPath(remote, { local, dev })
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    if (error.syscall.startsWith('bind'))
      refuse('TSGRE_NO_SOURCE', 'local', local.text, 'not an address of this host; see `ip address`')
    return undefined
  }
}
