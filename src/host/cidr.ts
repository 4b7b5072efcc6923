// Networks as a user writes them, 10.103.200.0/24 or 2001:db8:1::/64, and the arithmetic on them.
// Invariant: `network` is canonical, so two networks are equal exactly when their texts are.

import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import { ConfigError } from '../errors.js'

export interface Cidr {
  /** The address in front of the slash, canonical. */
  readonly address: string
  readonly prefixLength: number
  readonly family: 4 | 6
  /** The network in full: `10.103.200.0/24`. */
  readonly network: string
  /** Whether an address lies in the network; a `%zone` is ignored, another family is outside. */
  contains(address: string): boolean
}

/**
 * Reads a network.
 * @throws ConfigError TSGRE_BAD_ROUTE
 */
export function parseCidr(text: string): Cidr {
  const cidr = readCidr(text)
  if (!cidr) throw new ConfigError('TSGRE_BAD_ROUTE', 'route', text, `--route ${text || '""'}: ${whyNoCidr(text)}`)
  const network = cidr.network
  if (network === `${cidr.address}/${cidr.prefixLength}`) return cidr
  throw new ConfigError(
    'TSGRE_BAD_ROUTE',
    'route',
    text,
    `--route ${text}: ${text} has host bits set; did you mean ${network}?`,
  )
}

/** The address and its network, host bits or not; undefined when `text` is not ADDRESS/LENGTH. */
export function readCidr(text: string): Cidr | undefined {
  const [, address = '', length] = /^([^/%]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const family = familyOf(address)
  const prefixLength = Number(length)
  if (!family || prefixLength > WIDTH[family]) return undefined
  const hostBits = BigInt(WIDTH[family] - prefixLength)
  const prefix = toNumber(address, family) >> hostBits
  return {
    address: toText(toNumber(address, family), family),
    prefixLength,
    family,
    network: `${toText(prefix << hostBits, family)}/${prefixLength}`,
    contains(other) {
      const plain = other.replace(/%.*/, '')
      return familyOf(plain) === family && toNumber(plain, family) >> hostBits === prefix
    },
  }
}

/** The last address of the network: of IPv4 its broadcast address. */
export function lastAddress(cidr: Cidr): string {
  const hosts = (1n << BigInt(WIDTH[cidr.family] - cidr.prefixLength)) - 1n
  return toText(toNumber(cidr.address, cidr.family) | hosts, cidr.family)
}

/** Whether two networks share an address: one then holds the other. */
export function overlap(a: Cidr, b: Cidr): boolean {
  return a.contains(b.address) || b.contains(a.address)
}

/** 4 or 6; undefined for anything else, also for an address with a zone. */
export function familyOf(address: string): 4 | 6 | undefined {
  if (isIPv4(address)) return 4
  return isIPv6(address) && !address.includes('%') ? 6 : undefined
}

const WIDTH = { 4: 32, 6: 128 } as const

function toNumber(address: string, family: 4 | 6): bigint {
  if (family === 4) return address.split('.').reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n)
  return groups(address).reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}

/** The eight groups. A URL writes IPv4-mapped addresses in groups too (WHATWG URL, host serializer). */
function groups(address: string): string[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail ? tail.split(':') : []
  return [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back]
}

function toText(value: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
  const hex = value.toString(16).padStart(32, '0')
  return new SocketAddress({ address: hex.match(/.{4}/g)!.join(':'), family: 'ipv6' }).address
}

function whyNoCidr(text: string): string {
  const family = familyOf(text)
  if (family) return `the prefix length is missing; did you mean ${text}/${WIDTH[family]}?`
  const [address = '', length = ''] = text.split('/')
  const of = familyOf(address)
  if (of && /^\d+$/.test(length)) {
    return `an IPv${of} prefix length goes from 0 to ${WIDTH[of]}, with no zero in front`
  }
  return 'not a network; write one as 10.103.200.0/24 or 2001:db8:1::/64'
}
