// A superframe cut the obvious way: every segment a fresh array, its fields set one by one, its checksums summed over the
// whole of it. The oracle of offload/segment.ts, its 1.00× in bench/micro, and the kernel in the tests of coalescing.
// Invariant: shares no line and no constant with offload.

import { naiveSum } from './naive-checksum.js'
import { type NaiveTransport, naivePseudoSum, naiveTransport } from './naive-transport.js'

/** All segments, or undefined for what cannot be cut. Of UDP `longest` is not asked, as a datagram must stay what it is. */
export function naiveSegments(superframe: Uint8Array, asked: number, longest: number): Uint8Array[] | undefined {
  const at = naiveTransport(superframe)
  if (typeof at === 'string' || at.payload > 240) return undefined
  const size = at.protocol === 6 ? Math.min(asked, longest - at.payload) : asked
  const payload = superframe.slice(at.payload, at.stop)
  if (size < 1 || payload.length === 0) return undefined
  const pieces: Uint8Array[] = []
  for (let from = 0; from < payload.length; from += size) pieces.push(payload.slice(from, from + size))
  return pieces.map((piece, i) => naiveSegment(superframe, at, i, i * size, piece, i === pieces.length - 1))
}

/** Segment `index` of a superframe, whose payload `piece` stands `ahead` octets behind the first one's. */
export function naiveSegment(
  superframe: Uint8Array,
  at: NaiveTransport,
  index: number,
  ahead: number,
  piece: Uint8Array,
  last: boolean,
): Uint8Array {
  const segment = new Uint8Array(at.payload + piece.length)
  segment.set(superframe.slice(0, at.payload))
  segment.set(piece, at.payload)
  const view = new DataView(segment.buffer)
  if (at.version === 4) {
    view.setUint16(at.ip + 2, segment.length - at.ip)
    view.setUint16(at.ip + 4, (view.getUint16(at.ip + 4) + index) % 65536)
    view.setUint16(at.ip + 10, 0)
    view.setUint16(at.ip + 10, 65535 - naiveSum(segment, at.ip, at.transport))
  } else view.setUint16(at.ip + 4, segment.length - at.ip - 40)
  if (at.protocol === 6) fillTcp(view, at, index, ahead, last)
  else fillUdp(view, at)
  return segment
}

function fillTcp(view: DataView, at: NaiveTransport, index: number, ahead: number, last: boolean): void {
  const { transport } = at
  view.setUint32(transport + 4, (view.getUint32(transport + 4) + ahead) % 4294967296)
  const bits = [
    ...view
      .getUint8(transport + 13)
      .toString(2)
      .padStart(8, '0'),
  ] // CWR ECE URG ACK PSH RST SYN FIN
  if (index > 0) bits[0] = '0'
  if (!last) bits[4] = bits[7] = '0'
  view.setUint8(transport + 13, Number.parseInt(bits.join(''), 2))
  view.setUint16(transport + 16, 0)
  view.setUint16(transport + 16, naiveTransportChecksum(view, at))
}

function fillUdp(view: DataView, at: NaiveTransport): void {
  view.setUint16(at.transport + 4, view.byteLength - at.transport)
  view.setUint16(at.transport + 6, 0)
  const sum = naiveTransportChecksum(view, at)
  view.setUint16(at.transport + 6, sum === 0 ? 65535 : sum)
}

/** Of the packet that fills `view` from the transport to the end; its field is 0. */
function naiveTransportChecksum(view: DataView, at: NaiveTransport): number {
  const bytes = new Uint8Array(view.buffer)
  const pseudo = naivePseudoSum(bytes, at, bytes.length - at.transport)
  const total = naiveSum(bytes, at.transport, bytes.length) + pseudo
  return 65535 - (total > 65535 ? total - 65535 : total)
}
