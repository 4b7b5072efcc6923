// GRE the obvious way: slices, a DataView and a fresh object a packet. The oracle of wire/gre.ts and its 1.00× in
// bench/micro.
// Invariant: shares no line, no constant and no order of work with it; only the names of the drop reasons.

import type { DropReason } from '#tsgre/drops.js'
import { naiveChecksum, naiveSum } from './naive-checksum.js'

export interface NaiveGre {
  checksum?: number
  key?: number
  sequence?: number
  payload: Uint8Array
}

/** The packet in fields, or why it is refused. An absent field is absent. */
export function naiveParseGre(packet: Uint8Array): NaiveGre | DropReason {
  if (packet.length < 2) return 'truncated'
  const bits = [...packet.slice(0, 2)].map((octet) => octet.toString(2).padStart(8, '0')).join('')
  if (bits.slice(13) !== '000') return 'bad-version'
  if (bits[1] === '1' || bits[4] === '1' || bits[5] === '1') return 'reserved-bits'
  const parsed: NaiveGre = { payload: packet }
  const fields = new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
  try {
    let at = 4
    const next = () => {
      const value = fields.getUint32(at)
      at += 4
      return value
    }
    if (bits[0] === '1') parsed.checksum = Math.floor(next() / 0x10000)
    if (bits[2] === '1') parsed.key = next()
    if (bits[3] === '1') parsed.sequence = next()
    if (fields.getUint16(2) !== 0x6558) return 'unknown-protocol'
    parsed.payload = packet.slice(at)
  } catch (error) {
    if (error instanceof RangeError) return 'truncated'
    throw error
  }
  return parsed
}

/** A packet of its own: header, then payload; the checksum is computed where `checksum` is there, whatever it holds. */
export function naiveEmitGre({ checksum, key, sequence, payload }: NaiveGre): Uint8Array {
  const words: number[] = []
  if (checksum !== undefined) words.push(0)
  if (key !== undefined) words.push(key)
  if (sequence !== undefined) words.push(sequence)
  const flags =
    (checksum === undefined ? 0 : 2 ** 15) + (key === undefined ? 0 : 2 ** 13) + (sequence === undefined ? 0 : 2 ** 12)
  const packet = new Uint8Array(4 + 4 * words.length + payload.length)
  const view = new DataView(packet.buffer)
  view.setUint16(0, flags)
  view.setUint16(2, 0x6558)
  words.forEach((word, index) => {
    view.setUint32(4 + 4 * index, word)
  })
  packet.set(payload, 4 + 4 * words.length)
  if (checksum !== undefined) view.setUint16(4, naiveChecksum(packet, 0, packet.length))
  return packet
}

/** Whether a packet with a checksum sums up to all ones. */
export function naiveVerifyGre(packet: Uint8Array): boolean {
  return naiveSum(packet, 0, packet.length) === 0xffff
}
