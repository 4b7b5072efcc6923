// Whether one condition of an nft rule holds for a packet: the left side says what is looked at, the right side what it is to
// be. Pure. What is not known here cannot be told.

import { type FilteredPacket, isDevice, isPort, isProtocol, isState, within } from './filter-chain.js'
import { all, any, not, type Truth } from './truth.js'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

interface Match {
  readonly op: string
  readonly left: Json
  readonly right: Json
}

/** libnftables-json(5), MATCH. */
export function matchTruth(
  body: Json | undefined,
  packet: FilteredPacket,
  elementsOf: (name: string) => readonly Json[] | undefined,
): Truth {
  const { op, left, right } = body as unknown as Match
  const truth = any(
    valuesOf(right, elementsOf).map((value) => (value === UNKNOWN ? undefined : valueTruth(left, value, packet))),
  )
  if (op === '==' || op === 'in') return truth
  if (op === '!=') return foreign(left, packet) ? false : not(truth)
  return foreign(left, packet) ? false : undefined
}

const UNKNOWN = { unknown: true } as const

/** One value, or those of a set, anonymous or named. */
function valuesOf(right: Json, elementsOf: (name: string) => readonly Json[] | undefined): readonly Json[] {
  if (typeof right === 'string' && right.startsWith('@')) return (elementsOf(right) ?? [UNKNOWN]).map(plain)
  if (Array.isArray(right)) return right as readonly Json[]
  const { set } = (right ?? {}) as { set?: readonly Json[] }
  return set ? set.map(plain) : [right]
}

/** An element of a set may have a timeout or a counter around it. */
function plain(element: Json): Json {
  const { elem } = (element ?? {}) as { elem?: { val?: Json } }
  return elem?.val ?? element
}

/** Whether what `left` looks at has that value. */
export function valueTruth(left: Json, value: Json, packet: FilteredPacket): Truth {
  if (foreign(left, packet)) return false
  const { meta, payload, ct, fib, concat } = left as Left
  if (concat) {
    const values = (value as { concat?: readonly Json[] }).concat ?? []
    return all(concat.map((part, i) => valueTruth(part, values[i] ?? UNKNOWN, packet)))
  }
  if (value === UNKNOWN) return undefined
  if (meta) return metaTruth(meta.key, value, packet)
  if (payload) return payloadTruth(payload, value, packet)
  if (ct?.key === 'state') return typeof value === 'string' ? isState(packet, [value]) : undefined
  if (fib?.result === 'type' && fib.flags?.join() === 'daddr') return value === packet.toType
  return undefined
}

interface Left {
  readonly meta?: { readonly key: string }
  readonly payload?: { readonly protocol?: string; readonly field?: string }
  readonly ct?: { readonly key: string }
  readonly fib?: { readonly result: string; readonly flags?: readonly string[] }
  readonly concat?: readonly Json[]
  readonly '&'?: readonly Json[]
}

/** Whether `left` looks into a header that the packet does not have: such a rule never matches. */
function foreign(left: Json, packet: FilteredPacket): boolean {
  const { payload, '&': masked } = (left ?? {}) as Left
  if (masked) return foreign(masked[0] ?? null, packet)
  const protocol = payload?.protocol
  if (protocol === 'ip') return packet.family !== 4
  if (protocol === 'ip6') return packet.family !== 6
  const transport = ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'dccp', 'udplite', 'esp', 'ah'].includes(protocol ?? '')
  return transport && packet.protocol !== undefined && !(protocol === 'udp' && packet.protocol === 17)
}

const NFPROTO: Readonly<Record<string, 4 | 6>> = { ipv4: 4, ipv6: 6, ip: 4, ip6: 6 }

function metaTruth(key: string, value: Json, packet: FilteredPacket): Truth {
  if (key === 'l4proto') return isProtocol(packet, value as string)
  if (key === 'nfproto' || key === 'protocol') return NFPROTO[`${value}`] === packet.family
  if (key === 'iifname' || key === 'iif') return isDevice(packet.in, `${value}`, '*')
  if (key === 'oifname' || key === 'oif') return isDevice(packet.out, `${value}`, '*')
  if (key === 'pkttype') return value === 'host' || value === 'unicast'
  return undefined
}

function payloadTruth({ protocol, field }: NonNullable<Left['payload']>, value: Json, packet: FilteredPacket): Truth {
  if (field === 'saddr' || field === 'daddr') {
    if (protocol !== 'ip' && protocol !== 'ip6') return undefined
    return addressTruth(field === 'saddr' ? packet.from : packet.to, value)
  }
  if ((protocol === 'ip' && field === 'protocol') || (protocol === 'ip6' && field === 'nexthdr'))
    return isProtocol(packet, value as string)
  if (field === 'dport') {
    const { range } = (value ?? {}) as { range?: readonly number[] }
    return range ? isPort(packet, range[0]!, range[1]) : isPort(packet, Number(value))
  }
  return undefined
}

function addressTruth(range: FilteredPacket['from'], value: Json): Truth {
  if (typeof value === 'string') return within(range, value)
  const { prefix } = (value ?? {}) as { prefix?: { addr: string; len: number } }
  return prefix ? within(range, `${prefix.addr}/${prefix.len}`) : undefined
}
