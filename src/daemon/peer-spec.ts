// One remote as it is typed, `192.168.56.6,key=7,csum,checksum=require`, or as a configuration file has it, read into
// PeerOptions. Names are not resolved here; whether an address can be a remote is for the tunnel to say.

import { MOST_PEERS } from '../drops.js'
import { ConfigError, type ErrorCode } from '../errors.js'
import { type Address, parseAddress } from '../sys/address.js'
import { readEnd } from '../tunnel/addresses.js'
import type { ChecksumRule, Key, Keys, PeerOptions } from '../tunnel/peer-options.js'
import { parseKey } from '../tunnel/resolve-peers.js'
import { oneOf, shown } from '../tunnel/values.js'
import { type Refuse, raise, readEach } from './options/refuse.js'

/** As a file has it, in the words of the command line. */
export interface RemoteEntry {
  address: string
  key?: Key | undefined
  ikey?: Key | undefined
  okey?: Key | undefined
  csum?: boolean | undefined
  checksum?: ChecksumRule | undefined
  seq?: boolean | undefined
}

export type AskedRemote = string | RemoteEntry

/** One socket, one filter and one thread serve them all. */
export const MOST_REMOTES = MOST_PEERS

export const CHECKSUM_RULES = ['require', 'accept', 'forbid'] as const

const SWITCHES = ['csum', 'seq']
const VALUED = ['key', 'ikey', 'okey', 'checksum']

/**
 * Reads `ADDRESS-OR-NAME[,SETTING…]`.
 * @throws ConfigError naming the setting
 */
export function parsePeerSpec(spec: string): PeerOptions {
  const [address = '', ...words] = spec.split(',')
  const settings: Record<string, string | boolean> = {}
  for (const word of words) {
    const [name, value] = readSetting(spec, word)
    if (name in settings) refuse('TSGRE_CONFLICT', spec, `${name} is given twice; give it once`)
    settings[name] = value
  }
  return peerOf({ ...settings, address }, spec)
}

function readSetting(spec: string, word: string): [name: string, value: string | boolean] {
  const at = word.indexOf('=')
  const name = at < 0 ? word : word.slice(0, at)
  const value = at < 0 ? undefined : word.slice(at + 1)
  if (SWITCHES.includes(name)) {
    if (value === undefined || value === 'on') return [name, true]
    if (value === 'off') return [name, false]
    refuse('TSGRE_BAD_OPTION', spec, `${word}: say ${name}, ${name}=on or ${name}=off`)
  }
  if (!VALUED.includes(name)) {
    const wayOut = `a remote takes ${VALUED.map((known) => `${known}=…`).join(', ')}, ${SWITCHES.join(', ')}`
    refuse('TSGRE_BAD_OPTION', spec, `"${word}" is no setting of a remote; ${wayOut}`)
  }
  if (value === undefined || value === '')
    refuse('TSGRE_BAD_OPTION', spec, `${name} needs a value, as in ${EXAMPLE[name]}`)
  return [name, value]
}

const EXAMPLE: Readonly<Record<string, string>> = {
  key: 'key=7',
  ikey: 'ikey=7',
  okey: 'okey=7',
  checksum: 'checksum=require',
}

/**
 * Reads an entry of a file, or the parts of a spec.
 * @throws ConfigError
 */
export function peerOf(entry: RemoteEntry, spec = entry.address): PeerOptions {
  const { address, csum, checksum, seq } = entry
  refuseNoHost(address)
  const key = keysOf(entry, spec)
  if (checksum !== undefined) naming(spec, () => oneOf('checksum', checksum, CHECKSUM_RULES))
  return {
    remote: address,
    ...(key === undefined ? {} : { key }),
    ...(csum === undefined ? {} : { checksum: csum }),
    ...(checksum === undefined ? {} : { receiveChecksum: checksum }),
    ...(seq === undefined ? {} : { sequence: seq }),
  }
}

function keysOf({ key, ikey, okey }: RemoteEntry, spec: string): Keys | undefined {
  const [both, into, out] = naming(spec, () => [parseKey('key', key), parseKey('ikey', ikey), parseKey('okey', okey)])
  if (into === undefined && out === undefined) return both
  if (both === undefined) return { in: into, out }
  refuse('TSGRE_CONFLICT', spec, `key=${key} sets both directions: leave it away, or leave ikey and okey away`)
}

/** Refusals of a setting name the remote it is of. */
function naming<T>(spec: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const setting = error.message.replace(/^--(\w+) /, '$1=')
    throw new ConfigError(error.code as ErrorCode, 'remote', spec, `--remote ${spec}: ${setting}`)
  }
}

/** Names as RFC 1123 §2.1 has them: the last label is no number. */
const NAME = /^(?=.{1,253}$)(?:[a-z\d_](?:[\w-]{0,61}[a-z\d_])?\.)*(?!\d+\.?$)[a-z\d_](?:[\w-]{0,61}[a-z\d_])?\.?$/i

/** @throws ConfigError where the text is neither an address nor can be the name of a host */
export function refuseNoHost(text: string): void {
  if (text === '')
    refuse('TSGRE_REMOTE_MISSING', text, 'give the underlay address of the other host: --remote 192.168.56.5')
  const address = parseAddress(text)
  if (address && isLoopback(address))
    refuse('TSGRE_REMOTE_IS_LOCAL', text, 'a loopback address, which every host has; give the address of the other one')
  if (address) readEnd('remote', text)
  else if (!NAME.test(text))
    refuse('TSGRE_NOT_AN_ADDRESS', text, 'not an IPv4 or IPv6 address, and not the name of a host')
}

function isLoopback({ family, bytes, text }: Address): boolean {
  return family === 4 ? bytes[0] === 127 : text === '::1'
}

/**
 * Reads all remotes of a tunnel: those that are good, where `refuse` only takes note of the others.
 * @throws ConfigError; TSGRE_CONFLICT when there are too many, or one twice; TSGRE_FAMILY_MISMATCH
 */
export function readRemotes(asked: readonly AskedRemote[], refuse: Refuse = raise): PeerOptions[] {
  if (asked.length > MOST_REMOTES) {
    const words = `--remote: ${asked.length} remotes, but one tunnel takes ${MOST_REMOTES}; give the others a tunnel of their own`
    refuse(new ConfigError('TSGRE_CONFLICT', 'remote', asked.length, words))
  }
  const read = (one: AskedRemote) => (typeof one === 'string' ? parsePeerSpec(one) : peerOf(one))
  const seen = new Map<string, string>()
  const peers = readEach(asked, read, refuse)
  const first = peers.find(({ remote }) => parseAddress(remote))
  const fitting = (peer: PeerOptions) => {
    refuseTwin(peer.remote, seen)
    if (first) refuseMixed(peer.remote, first.remote)
    return peer
  }
  return readEach(peers, fitting, refuse)
}

function refuseTwin(remote: string, seen: Map<string, string>): void {
  const before = seen.get(canonical(remote))
  seen.set(canonical(remote), remote)
  if (before === undefined) return
  const as = before === remote ? '' : ` (as ${before})`
  refuse('TSGRE_CONFLICT', remote, `given twice${as}; give each remote once`)
}

/** What is one host has one spelling. */
export function canonical(host: string): string {
  return parseAddress(host)?.text ?? host.toLowerCase().replace(/\.$/, '')
}

function refuseMixed(remote: string, first: string): void {
  const family = parseAddress(remote)?.family
  const wanted = parseAddress(first)?.family
  if (family === undefined || wanted === undefined || family === wanted) return
  const why = `IPv${family}, but --remote ${first} is IPv${wanted}; all remotes of a tunnel must be of one family`
  refuse('TSGRE_FAMILY_MISMATCH', remote, why)
}

function refuse(code: ErrorCode, value: string, why: string): never {
  throw new ConfigError(code, 'remote', value, `--remote ${shown(value)}: ${why}`)
}
