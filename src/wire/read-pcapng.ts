// Reads the pcapng that pcapng.ts writes, block by block, as it comes through a socket. Not a reader of all there is: one
// section, one interface, little-endian, microseconds.
// Invariant: nothing is read beyond the block, whatever it says of itself.

import {
  EPB_FLAGS,
  INTERFACE_BLOCK,
  ISB_IFDROP,
  ISB_IFRECV,
  OPT_COMMENT,
  OPT_END,
  PACKET_BLOCK,
  PACKET_DATA,
  type PcapngPacket,
  SECTION_BLOCK,
  STATISTICS_BLOCK,
} from './pcapng.js'

const LARGE = 0x1_0000_0000
const LEAST_BLOCK_BYTES = 12
const MOST_BLOCK_BYTES = 1 << 20

/** Octets of the block at `at`; 0 where it has not arrived in full, -1 where this is no block. */
export function blockLength(view: DataView, at: number): number {
  if (view.byteLength - at < 8) return 0
  const length = view.getUint32(at + 4, true)
  if (length < LEAST_BLOCK_BYTES || length > MOST_BLOCK_BYTES || length % 4 !== 0) return -1
  if (view.byteLength - at < length) return 0
  return view.getUint32(at + length - 4, true) === length ? length : -1
}

export function blockType(view: DataView, at: number): number {
  return view.getUint32(at, true)
}

/** Link type of the interface block at `at`, which has `length` octets; -1 where it is none. */
export function linkTypeOf(view: DataView, at: number, length: number): number {
  return blockType(view, at) === INTERFACE_BLOCK && length >= 20 ? view.getUint16(at + 8, true) : -1
}

/** Reads the packet block at `at` into `out`; false where it is another block, or none. The packet lies at `at + PACKET_DATA`. */
export function readPacket(view: DataView, at: number, length: number, out: PcapngPacket): boolean {
  if (blockType(view, at) !== PACKET_BLOCK || length < PACKET_DATA + 4) return false
  out.captured = view.getUint32(at + 20, true)
  out.original = view.getUint32(at + 24, true)
  if (out.captured > length - PACKET_DATA - 4) return false
  out.time = (view.getUint32(at + 12, true) * LARGE + view.getUint32(at + 16, true)) / 1000
  out.direction = 0
  out.comment = NOTHING
  readOptions(view, at + PACKET_DATA + ((out.captured + 3) & ~3), at + length - 4, (code, from, size) => {
    if (code === EPB_FLAGS && size === 4) out.direction = view.getUint32(from, true) & 3
    if (code === OPT_COMMENT) out.comment = new Uint8Array(view.buffer, view.byteOffset + from, size)
  })
  return true
}

/** The packets counted by the statistics block at `at`, and those of them that were lost; undefined where it is none. */
export function readStatistics(
  view: DataView,
  at: number,
  length: number,
): { received: number; dropped: number } | undefined {
  if (blockType(view, at) !== STATISTICS_BLOCK || length < 24) return undefined
  const counts = { received: 0, dropped: 0 }
  readOptions(view, at + 20, at + length - 4, (code, from, size) => {
    if (size !== 8) return
    const count = view.getUint32(from, true) + view.getUint32(from + 4, true) * LARGE
    if (code === ISB_IFRECV) counts.received = count
    if (code === ISB_IFDROP) counts.dropped = count
  })
  return counts
}

/** Whether `at` is where a file begins. */
export function isSection(view: DataView, at: number): boolean {
  return blockType(view, at) === SECTION_BLOCK
}

const NOTHING = new Uint8Array(0)

function readOptions(
  view: DataView,
  start: number,
  end: number,
  found: (code: number, from: number, size: number) => void,
): void {
  for (let at = start; at + 4 <= end; ) {
    const code = view.getUint16(at, true)
    const size = view.getUint16(at + 2, true)
    if (code === OPT_END || at + 4 + size > end) return
    found(code, at + 4, size)
    at += 4 + ((size + 3) & ~3)
  }
}
