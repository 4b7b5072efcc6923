// The remotes of a tunnel: what each was given for itself, and what it has of the tunnel. Nothing is opened here.

import { MOST_PEERS } from '../drops.js'
import { ConfigError } from '../errors.js'
import { OUTER_BYTES, UDP_BYTES } from '../io/ip-options.js'
import type { Address } from '../sys/address.js'
import { ETH_HLEN } from '../wire/ethernet.js'
import { resolveRemote } from './addresses.js'
import { greBytes } from './gre-bytes.js'
import type { TunnelOptions } from './options.js'
import type { Key, Keys, PeerOptions } from './peer-options.js'
import type { PeerSettings } from './settings.js'
import { LEAST_MTU, oneOf, shown } from './values.js'

/** What all remotes of a tunnel have in common. */
export interface PeerBase {
  readonly options: Omit<TunnelOptions, 'remote'>
  readonly local: Address
  /** Whether GRE goes in UDP. */
  readonly udp: boolean
}

/** A remote with every question answered. */
export interface ResolvedPeer {
  readonly address: Address
  /** MTU of the way there, in bytes; and the largest layer-3 payload that fits one packet of it. */
  readonly mtu: number
  readonly tunnelMtu: number
  readonly settings: PeerSettings
}

/** One or several, as a list. */
export function listRemotes(remote: TunnelOptions['remote'] | undefined): PeerOptions[] {
  const list = Array.isArray(remote) ? remote : remote === undefined ? [] : [remote]
  return list.map((one: string | PeerOptions) => (typeof one === 'string' ? { remote: one } : one))
}

/**
 * Answers what the options leave open, and asks the kernel for the ways.
 * @throws ConfigError naming option, value and way out
 */
export function resolvePeers(remotes: readonly PeerOptions[], base: PeerBase): ResolvedPeer[] {
  if (remotes.length > MOST_PEERS) {
    const why = `${remotes.length} remotes; a tunnel has ${MOST_PEERS} at most: share them out among several`
    throw new ConfigError('TSGRE_CONFLICT', 'remote', remotes.length, `--remote: ${why}`)
  }
  const peers: ResolvedPeer[] = []
  for (const remote of remotes) peers.push(resolvePeer(remote, base, peers))
  return peers
}

/** The same of one more, besides `others`. */
export function resolvePeer(peer: PeerOptions, base: PeerBase, others: readonly ResolvedPeer[]): ResolvedPeer {
  const { options, local, udp } = base
  const { remote: address, mtu } = resolveRemote(peer.remote, local, options.dev)
  refuseTwin(address, others)
  const [keyIn, keyOut] = resolveKeys(peer.key ?? options.key)
  const checksum = peer.checksum ?? options.checksum ?? false
  const sequence = peer.sequence ?? options.sequence ?? false
  const rule = peer.receiveChecksum ?? options.receiveChecksum ?? 'accept'
  const receiveChecksum = oneOf('checksum', rule, ['require', 'accept', 'forbid'])
  const headers = greBytes({ checksum, sequence, keyOut }) + (udp ? UDP_BYTES : 0)
  const tunnelMtu = tunnelMtuOf(mtu, address.family, headers)
  refuseNarrow(address, tunnelMtu, mtu)
  return {
    address,
    mtu,
    tunnelMtu,
    settings: { keyIn, keyOut, checksum, receiveChecksum, sequence, remote: address.bytes },
  }
}

/** A packet says its sender's address, and nothing of the device: two remotes with one address cannot be told apart. */
function refuseTwin(address: Address, others: readonly ResolvedPeer[]): void {
  const twin = others.find((other) => Buffer.compare(other.address.bytes, address.bytes) === 0)
  if (!twin) return
  const why =
    twin.address.text === address.text
      ? 'is a remote of this tunnel already; give it once'
      : `has the address of ${twin.address.text}; run another tunnel for one of them`
  throw new ConfigError('TSGRE_CONFLICT', 'remote', address.text, `--remote ${address.text}: ${why}`)
}

/** Largest layer-3 payload that fits one packet of an underlay of `underlayMtu` bytes, with `headers` of GRE and UDP. */
export function tunnelMtuOf(underlayMtu: number, family: 4 | 6, headers: number): number {
  return underlayMtu - OUTER_BYTES[family] - headers - ETH_HLEN
}

/** Less than IPv4 takes is of no use to anybody. */
function refuseNarrow({ text }: Address, tunnelMtu: number, underlayMtu: number): void {
  if (tunnelMtu >= LEAST_MTU) return
  const why = `the way to it has an MTU of ${underlayMtu} bytes, which leaves ${tunnelMtu} for the tunnel: too few; raise the underlay's MTU`
  throw new ConfigError('TSGRE_BAD_MTU', 'remote', text, `--remote ${text}: ${why}`)
}

function resolveKeys(key: Keys | undefined): [keyIn: number | undefined, keyOut: number | undefined] {
  if (typeof key === 'object') return [parseKey('ikey', key.in), parseKey('okey', key.out)]
  const both = parseKey('key', key)
  return [both, both]
}

/** Reads a key; undefined stays undefined. */
export function parseKey(option: string, key: Key | undefined): number | undefined {
  if (key === undefined) return undefined
  const text = String(key)
  const dotted = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  const octets = dotted?.slice(1).map(Number)
  if (octets?.every((octet) => octet <= 255)) return octets.reduce((value, octet) => value * 256 + octet, 0)
  if (/^(\d{1,10}|0x[\da-f]{1,8})$/i.test(text) && Number(text) <= 0xffff_ffff) return Number(text)
  const rule = 'a key is a number from 0 to 4294967295, or four numbers with dots as in 10.20.30.40'
  throw new ConfigError('TSGRE_BAD_KEY', option, key, `--${option} ${shown(text)}: ${rule}`)
}
