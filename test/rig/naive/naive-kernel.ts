// The kernel behind a TAP with offload, as the tests of coalescing need it: cuts superframes, completes checksums, and
// throws where a real one would refuse the frame or make bad data of it.
// Invariant: shares no line and no constant with offload.

import { naiveSum } from './naive-checksum.js'
import { naiveSegments } from './naive-segment.js'
import { naivePseudoSum, naiveTransport, naiveVerifyIp } from './naive-transport.js'

/** What is written to a TAP: the frame, and what its virtio_net_hdr says. */
export interface Written {
  frame: Uint8Array
  gsoType: number
  gsoSize: number
  csumStart: number
  csumOffset: number
}

/** The frames as they leave the kernel again on a device without offload. */
export function naiveKernel(written: Written): Uint8Array[] {
  const { frame, gsoType, gsoSize, csumStart, csumOffset } = written
  if (csumStart === 0) {
    demand(gsoType === 0, 'a superframe whose checksum is not left to us')
    return [frame]
  }
  const at = naiveTransport(frame)
  if (typeof at === 'string') throw new Error(`marked, but ${at}`)
  const tcp = at.protocol === 6
  demand(csumStart === at.transport && csumOffset === (tcp ? 16 : 6), 'the checksum is somewhere else')
  demand(at.stop === frame.length, 'padding would become payload')
  const field = csumStart + csumOffset
  const held = frame[field] * 256 + frame[field + 1]
  demand(held === naivePseudoSum(frame, at, frame.length - at.transport), 'the field is not the pseudo sum')
  demand(naiveVerifyIp(frame, at), 'the IPv4 header would be repaired')
  if (gsoType === 0) return [completed(frame, csumStart, field)]
  const ecn = tcp && frame[at.transport + 13] >= 128 ? 128 : 0
  demand(gsoType === (tcp ? (at.version === 4 ? 1 : 4) : 5) + ecn, `type ${gsoType}`)
  demand(frame.length - at.ip <= 65535, 'too long for an IP packet')
  if (!tcp) demand(frame.length - at.payload <= 64 * gsoSize, 'more than UDP_MAX_SEGMENTS')
  const segments = naiveSegments(frame, gsoSize, Number.POSITIVE_INFINITY)
  if (segments === undefined) throw new Error('naive kernel: cannot be cut')
  return segments
}

function completed(frame: Uint8Array, from: number, field: number): Uint8Array {
  const whole = frame.slice()
  const sum = 65535 - naiveSum(frame, from, frame.length) || 65535
  whole[field] = Math.floor(sum / 256)
  whole[field + 1] = sum % 256
  return whole
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`naive kernel: ${otherwise}`)
}
