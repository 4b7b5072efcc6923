// Underlay addresses: from the text a user gives to the sockaddr the kernel takes.
// Invariant: `text` is the canonical spelling, so two addresses are equal exactly when their texts are.

import { SOCKADDR_IN, SOCKADDR_IN6 } from './abi.js'
import { AF_INET, AF_INET6, IFNAMSIZ } from './constants.js'
import { addressFromText, addressToText, interfaceIndex } from './libc.js'
import type { Slab } from './memory.js'

/** An underlay address. `zone` only with IPv6 link-local addresses: the device's name (RFC 4007 §11). */
export interface Address {
  readonly family: 4 | 6
  /** Canonical, with `%zone` where there is one. */
  readonly text: string
  /** 4 or 16 octets in network order. */
  readonly bytes: Uint8Array
  readonly zone: string | undefined
}

/** Reads an IPv4 or IPv6 address; undefined when `text` is neither. */
export function parseAddress(text: string): Address | undefined {
  const four = new Uint8Array(4)
  if (addressFromText(AF_INET, text, four))
    return { family: 4, text: addressToText(AF_INET, four), bytes: four, zone: undefined }
  const percent = text.indexOf('%')
  const zone = percent < 0 ? undefined : text.slice(percent + 1)
  const plain = percent < 0 ? text : text.slice(0, percent)
  const six = new Uint8Array(16)
  if (zone === '' || (zone && zone.length >= IFNAMSIZ) || !addressFromText(AF_INET6, plain, six)) return undefined
  return { family: 6, text: addressToText(AF_INET6, six) + (zone ? `%${zone}` : ''), bytes: six, zone }
}

/** The address in a sockaddr_in or sockaddr_in6 the kernel wrote at `offset`; its scope is left to the caller. */
export function readSockaddr(memory: Slab, offset: number): Address {
  const family = memory.view.getUint16(offset, true)
  const field = family === AF_INET ? SOCKADDR_IN.at.sin_addr : SOCKADDR_IN6.at.sin6_addr
  const bytes = memory.bytes.slice(offset + field.offset, offset + field.offset + field.size)
  return { family: family === AF_INET ? 4 : 6, text: addressToText(family, bytes), bytes, zone: undefined }
}

/** Writes `address` as a sockaddr at `offset` and returns its length. A zone that names no device writes scope 0. */
export function writeSockaddr(memory: Slab, offset: number, address: Address, port = 0): number {
  const { view, bytes } = memory
  if (address.family === 4) {
    bytes.fill(0, offset, offset + SOCKADDR_IN.size)
    view.setUint16(offset + SOCKADDR_IN.at.sin_family.offset, AF_INET, true)
    view.setUint16(offset + SOCKADDR_IN.at.sin_port.offset, port)
    bytes.set(address.bytes, offset + SOCKADDR_IN.at.sin_addr.offset)
    return SOCKADDR_IN.size
  }
  bytes.fill(0, offset, offset + SOCKADDR_IN6.size)
  view.setUint16(offset + SOCKADDR_IN6.at.sin6_family.offset, AF_INET6, true)
  view.setUint16(offset + SOCKADDR_IN6.at.sin6_port.offset, port)
  bytes.set(address.bytes, offset + SOCKADDR_IN6.at.sin6_addr.offset)
  const scope = address.zone ? interfaceIndex(address.zone) : 0
  view.setUint32(offset + SOCKADDR_IN6.at.sin6_scope_id.offset, scope, true)
  return SOCKADDR_IN6.size
}
