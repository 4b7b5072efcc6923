// A number for the flow of a TCP or UDP packet: equal for all its packets, and spread well in its upper bits.

import { read32 } from '../wire/network-order.js'
import type { Layers } from './layers.js'

/** Of addresses and ports; of IPv6 addresses the last four octets. 32 bits, signed. */
export function flowHash(bytes: Uint8Array, at: Layers): number {
  const source = at.ip + (at.version === 4 ? 12 : 20)
  const destination = at.ip + (at.version === 4 ? 16 : 36)
  return mix(read32(bytes, source) ^ Math.imul(read32(bytes, destination), 0x85eb_ca6b) ^ read32(bytes, at.transport))
}

/** Of the two hardware addresses, for whatever else a frame may carry. 32 bits, signed. */
export function pairHash(bytes: Uint8Array, start: number): number {
  return mix(read32(bytes, start + 2) ^ Math.imul(read32(bytes, start + 8), 0x85eb_ca6b))
}

function mix(word: number): number {
  return Math.imul(word ^ (word >>> 15), 0x9e37_79b1)
}
