// The doctor's question as a GRE packet, and what of a packet of the other host's tells about it. Pure but for the nonce.

import type { Slab } from '../../sys/memory.js'
import { ETH_P_TEB, emitGre, GRE_CHECKSUM, GRE_KEY, greHeader, parseGre, sealGre, verifyGre } from '../../wire/gre.js'
import { ANSWER, ASK, emitProbe, isProbe, LEAST_PROBE_BYTES, parseProbe, probeFrame } from '../../wire/probe-frame.js'

const FRAME_AT = 64

export interface Question {
  readonly nonce: readonly [number, number]
  readonly checksum: boolean
  readonly askedAt: number
  /** Where the packet lies in the memory it was made in. */
  readonly offset: number
  readonly length: number
}

export interface Came {
  readonly key: number | 'none'
  readonly checksum: 'none' | 'right' | 'wrong'
  /** The nonce it answers; undefined where it is no answer. */
  readonly answers: readonly [number, number] | undefined
}

export function makeQuestion(memory: Slab, key: number | undefined, checksum: boolean, askedAt: number): Question {
  const [nonce0 = 0, nonce1 = 0] = crypto.getRandomValues(new Int32Array(2))
  const end = FRAME_AT + emitProbe(memory.bytes, FRAME_AT, { kind: ASK, size: LEAST_PROBE_BYTES, nonce0, nonce1 })
  const flags = (key === undefined ? 0 : GRE_KEY) | (checksum ? GRE_CHECKSUM : 0)
  const offset = emitGre(memory.bytes, FRAME_AT, { ...greHeader(), flags, protocol: ETH_P_TEB, key: key ?? 0 })
  if (checksum) sealGre(memory, offset, end)
  return { nonce: [nonce0, nonce1], checksum, askedAt, offset, length: end - offset }
}

/** Reads a packet at the start of `memory`; undefined for what is no Ethernet over GRE. */
export function readPacket(memory: Slab, length: number, hasIpHeader: boolean): Came | undefined {
  const { bytes } = memory
  const start = hasIpHeader ? (bytes[0]! & 0x0f) * 4 : 0
  const header = greHeader()
  const size = parseGre(bytes, start, length, header)
  if (size < 0) return undefined
  const right = header.flags & GRE_CHECKSUM && verifyGre(memory, start, length) ? 'right' : 'wrong'
  const frame = start + size
  const probe = probeFrame()
  const answered = isProbe(bytes, frame, length) && parseProbe(bytes, frame, length, probe) && probe.kind === ANSWER
  return {
    key: header.flags & GRE_KEY ? header.key : 'none',
    checksum: header.flags & GRE_CHECKSUM ? right : 'none',
    answers: answered ? [probe.nonce0, probe.nonce1] : undefined,
  }
}
