// Whether two frames of a flow have the same headers, but for what differs between segments of one superframe: lengths,
// checksums, IP id, TCP sequence number, FIN and PSH. Everything else counts: addresses, tags, TTL, TOS, window, options.
// Word by word, with masks as the words stand in the RFCs, most significant octet first; DataView takes any alignment.

import { IPPROTO_TCP, type Layers } from './layers.js'

const WHOLE = -1
const UPPER = 0xffff_0000 | 0
const LOWER = 0x0000_ffff
/** Of the word with data offset, flags and window. */
const BUT_FIN_AND_PSH = ~(0x09 << 16)

/** Compares the frame at `start`, whose layers are `at`, with the one at `other`. Both have their headers in full. */
export function sameHeaders(view: DataView, other: number, start: number, at: Layers): boolean {
  const shift = other - start
  return (
    sameEthernet(view, shift, start, at.ip) &&
    (at.version === 4 ? sameIpv4(view, shift, at.ip, at.transport) : sameIpv6(view, shift, at.ip, at.transport)) &&
    same(view, shift, at.transport, WHOLE) && // the ports
    (at.protocol !== IPPROTO_TCP || sameTcp(view, shift, at.transport, at.payload))
  )
}

function same(view: DataView, shift: number, at: number, mask: number): boolean {
  return ((view.getInt32(at) ^ view.getInt32(at + shift)) & mask) === 0
}

/** Words from `from` to `to`, a multiple of four octets. */
function sameWords(view: DataView, shift: number, from: number, to: number): boolean {
  for (let at = from; at < to; at += 4) if (view.getInt32(at) !== view.getInt32(at + shift)) return false
  return true
}

/** 14 octets, and 4 for each tag. */
function sameEthernet(view: DataView, shift: number, start: number, ip: number): boolean {
  return sameWords(view, shift, start, ip - 2) && view.getInt16(ip - 2) === view.getInt16(ip - 2 + shift)
}

function sameIpv4(view: DataView, shift: number, ip: number, transport: number): boolean {
  return (
    same(view, shift, ip, UPPER) && // but the length
    same(view, shift, ip + 4, LOWER) && // but the id
    same(view, shift, ip + 8, UPPER) && // but the checksum
    sameWords(view, shift, ip + 12, transport)
  )
}

function sameIpv6(view: DataView, shift: number, ip: number, transport: number): boolean {
  // but the length
  return same(view, shift, ip, WHOLE) && same(view, shift, ip + 4, LOWER) && sameWords(view, shift, ip + 8, transport)
}

function sameTcp(view: DataView, shift: number, tcp: number, payload: number): boolean {
  return (
    same(view, shift, tcp + 8, WHOLE) && // not the sequence number before it
    same(view, shift, tcp + 12, BUT_FIN_AND_PSH) &&
    same(view, shift, tcp + 16, LOWER) && // but the checksum
    sameWords(view, shift, tcp + 20, payload)
  )
}
