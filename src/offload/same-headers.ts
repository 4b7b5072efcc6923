// Whether two frames of a flow have the same headers, but for what differs between segments of one superframe: lengths,
// checksums, IP id, TCP sequence number, FIN and PSH. Everything else counts: addresses, tags, TTL, TOS, window, options.

import { IPPROTO_TCP, type Layers } from './layers.js'

const FIN_AND_PSH = 0x09

/** Compares the frame at `start`, whose layers are `at`, with the one at `other`. Both have their headers in full. */
export function sameHeaders(bytes: Uint8Array, other: number, start: number, at: Layers): boolean {
  const shift = other - start
  return (
    sameOctets(bytes, shift, start, at.ip) &&
    (at.version === 4 ? sameIpv4(bytes, shift, at.ip, at.transport) : sameIpv6(bytes, shift, at.ip, at.transport)) &&
    (at.protocol === IPPROTO_TCP
      ? sameTcp(bytes, shift, at.transport, at.payload)
      : sameOctets(bytes, shift, at.transport, at.transport + 4))
  )
}

function sameOctets(bytes: Uint8Array, shift: number, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== bytes[i + shift]) return false
  return true
}

function sameIpv4(bytes: Uint8Array, shift: number, ip: number, transport: number): boolean {
  return (
    sameOctets(bytes, shift, ip, ip + 2) &&
    sameOctets(bytes, shift, ip + 6, ip + 10) &&
    sameOctets(bytes, shift, ip + 12, transport)
  )
}

function sameIpv6(bytes: Uint8Array, shift: number, ip: number, transport: number): boolean {
  return sameOctets(bytes, shift, ip, ip + 4) && sameOctets(bytes, shift, ip + 6, transport)
}

function sameTcp(bytes: Uint8Array, shift: number, tcp: number, payload: number): boolean {
  return (
    sameOctets(bytes, shift, tcp, tcp + 4) &&
    sameOctets(bytes, shift, tcp + 8, tcp + 13) &&
    ((bytes[tcp + 13] ^ bytes[tcp + 13 + shift]) & ~FIN_AND_PSH) === 0 &&
    sameOctets(bytes, shift, tcp + 14, tcp + 16) &&
    sameOctets(bytes, shift, tcp + 18, payload)
  )
}
