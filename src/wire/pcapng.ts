// pcapng, the file format of captures (draft-ietf-opsawg-pcapng): one section, one interface, packets with direction and comment.
// Writes blocks into memory of the caller's and returns where the next one begins; read-pcapng.ts reads them back.
// Invariant: a block is a multiple of four octets, little-endian, and carries its length at both ends.

import type { Octets } from './octets.js'

export const SECTION_BLOCK = 0x0a0d0d0a
export const INTERFACE_BLOCK = 1
export const STATISTICS_BLOCK = 5
export const PACKET_BLOCK = 6
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d

export const OPT_END = 0
export const OPT_COMMENT = 1
const SHB_USERAPPL = 4
const IF_NAME = 2
const IF_TSRESOL = 9
export const EPB_FLAGS = 2
export const ISB_IFRECV = 4
export const ISB_IFDROP = 5

export const LINKTYPE_ETHERNET = 1
/** A packet that begins with its IPv4 or IPv6 header. */
export const LINKTYPE_RAW = 101

/** The low two bits of a packet's flags. */
export const INBOUND = 1
export const OUTBOUND = 2

/** Octets of a packet block in front of the packet. */
export const PACKET_DATA = 28
/** Octets of a block beside its texts and its packet, at most. */
export const MOST_BLOCK_BYTES = 96

const MICROSECONDS = 6 // if_tsresol: ten to the power of minus six
const LARGE = 0x1_0000_0000

export interface PcapngPacket {
  /** Milliseconds since the epoch, with fractions. */
  time: number
  /** Octets in the file, and on the wire. */
  captured: number
  original: number
  /** INBOUND or OUTBOUND. */
  direction: number
  /** UTF-8; empty for none. */
  comment: Uint8Array
}

/** The block every file begins with; `application` in UTF-8. */
export function emitSection({ view, bytes }: Octets, at: number, application: Uint8Array): number {
  view.setUint32(at + 8, BYTE_ORDER_MAGIC, true)
  view.setUint16(at + 12, 1, true) // version 1.0
  view.setUint16(at + 14, 0, true)
  view.setInt32(at + 16, -1, true) // a length that is not known yet
  view.setInt32(at + 20, -1, true)
  const end = emitOption(view, bytes, at + 24, SHB_USERAPPL, application)
  return finish(view, at, SECTION_BLOCK, end)
}

/** The one interface: what its packets begin with, and the most octets kept of one (0: all). */
export function emitInterface(
  { view, bytes }: Octets,
  at: number,
  linkType: number,
  snaplen: number,
  name: Uint8Array,
): number {
  view.setUint16(at + 8, linkType, true)
  view.setUint16(at + 10, 0, true)
  view.setUint32(at + 12, snaplen, true)
  let end = emitOption(view, bytes, at + 16, IF_NAME, name)
  view.setUint16(end, IF_TSRESOL, true)
  view.setUint16(end + 2, 1, true)
  view.setUint32(end + 4, MICROSECONDS, true)
  end += 8
  return finish(view, at, INTERFACE_BLOCK, end)
}

/** The block around the packet whose `captured` octets already lie at `at + PACKET_DATA`. */
export function emitPacket({ view, bytes }: Octets, at: number, packet: PcapngPacket): number {
  view.setUint32(at + 8, 0, true)
  putTime(view, at + 12, packet.time)
  view.setUint32(at + 20, packet.captured, true)
  view.setUint32(at + 24, packet.original, true)
  let end = pad(bytes, at + PACKET_DATA + packet.captured)
  view.setUint16(end, EPB_FLAGS, true)
  view.setUint16(end + 2, 4, true)
  view.setUint32(end + 4, packet.direction, true)
  end += 8
  if (packet.comment.length > 0) end = emitOption(view, bytes, end, OPT_COMMENT, packet.comment)
  return finish(view, at, PACKET_BLOCK, end)
}

/** How many packets there were until `time`, and how many of them are not in the file because nobody read fast enough. */
export function emitStatistics({ view }: Octets, at: number, time: number, received: number, dropped: number): number {
  view.setUint32(at + 8, 0, true)
  putTime(view, at + 12, time)
  const end = emitCount(view, emitCount(view, at + 20, ISB_IFRECV, received), ISB_IFDROP, dropped)
  return finish(view, at, STATISTICS_BLOCK, end)
}

function emitCount(view: DataView, at: number, code: number, count: number): number {
  view.setUint16(at, code, true)
  view.setUint16(at + 2, 8, true)
  view.setUint32(at + 4, count % LARGE, true)
  view.setUint32(at + 8, Math.floor(count / LARGE), true)
  return at + 12
}

function emitOption(view: DataView, bytes: Uint8Array, at: number, code: number, value: Uint8Array): number {
  view.setUint16(at, code, true)
  view.setUint16(at + 2, value.length, true)
  bytes.set(value, at + 4)
  return pad(bytes, at + 4 + value.length)
}

/** In microseconds, upper half first. A double holds them exactly. */
function putTime(view: DataView, at: number, milliseconds: number): void {
  const time = Math.round(milliseconds * 1000)
  view.setUint32(at, Math.floor(time / LARGE), true)
  view.setUint32(at + 4, time % LARGE, true)
}

/** Zeros up to the next multiple of four. Blocks begin on one. */
function pad(bytes: Uint8Array, at: number): number {
  let end = at
  while ((end & 3) !== 0) bytes[end++] = 0
  return end
}

/** Ends the options at `at`, and the block that began at `start`. */
function finish(view: DataView, start: number, type: number, at: number): number {
  view.setUint32(at, OPT_END, true)
  const length = at + 8 - start
  view.setUint32(start, type, true)
  view.setUint32(start + 4, length, true)
  view.setUint32(at + 4, length, true)
  return at + 8
}
