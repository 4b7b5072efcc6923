// The frame by which a tunnel finds out that its LAN reaches a peer's LAN by another way than through it: written out of the TAP,
// it must not come back from a peer. Its group address is one that bridges do forward, its source one of the tunnel's own, so
// that no switch sees an address move. Who carries it from a LAN into a tunnel writes its own name in.
// Not a judge: tunnel/loop-guard.ts knows whose probe it is, and what follows.
//
//   14 Ethernet header · 4 "tsgr" · 1 version · 1 kind · 2 zero · 8 sender's name · 8 nonce · 8 carrier's name · zeros up to 60

import { read16, read32, write16, write32 } from './network-order.js'
import { ETH_P_PROBE } from './probe-frame.js'

export const LOOP_PROBE_BYTES = 60

const HEADER_BYTES = 46
const CARRIER = 38
const GROUP_HIGH = 0x0374 // 03:74:73:67:72:65, locally administered
const GROUP_LOW = 0x73677265
const MAGIC = 0x74736772
const VERSION = 1
/** Beside ASK and ANSWER of probe-frame.ts. */
const LOOP = 3

export interface LoopProbe {
  /** The name of the tunnel that asks, in two words, signed. */
  sender0: number
  sender1: number
  nonce0: number
  nonce1: number
  /** The name of the tunnel that carried it; zeros for one that knows nothing of loop probes. */
  carrier0: number
  carrier1: number
}

/** A fresh record that belongs to the caller. */
export function loopProbe(): LoopProbe {
  return { sender0: 0, sender1: 0, nonce0: 0, nonce1: 0, carrier0: 0, carrier1: 0 }
}

/** Whether the frame [start, end) may be a loop probe: its EtherType and address say so. */
export function isLoopProbe(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 14 || read16(bytes, start + 12) !== ETH_P_PROBE) return false
  return read16(bytes, start) === GROUP_HIGH && read32(bytes, start + 2) === GROUP_LOW
}

/** Reads a frame of which isLoopProbe; false for what is none of ours. */
export function parseLoopProbe(bytes: Uint8Array, start: number, end: number, out: LoopProbe): boolean {
  if (end - start < HEADER_BYTES || read32(bytes, start + 14) !== MAGIC) return false
  if (bytes[start + 18] !== VERSION || bytes[start + 19] !== LOOP) return false
  out.sender0 = read32(bytes, start + 22)
  out.sender1 = read32(bytes, start + 26)
  out.nonce0 = read32(bytes, start + 30)
  out.nonce1 = read32(bytes, start + 34)
  out.carrier0 = read32(bytes, start + CARRIER)
  out.carrier1 = read32(bytes, start + CARRIER + 4)
  return true
}

/** Writes a frame at `start` and returns its octets. */
export function emitLoopProbe(bytes: Uint8Array, start: number, probe: LoopProbe): number {
  bytes.fill(0, start, start + LOOP_PROBE_BYTES)
  write16(bytes, start, GROUP_HIGH)
  write32(bytes, start + 2, GROUP_LOW)
  write32(bytes, start + 6, (probe.sender0 & 0xfcff_ffff) | 0x0200_0000) // locally administered, no group
  write16(bytes, start + 10, probe.sender1)
  write16(bytes, start + 12, ETH_P_PROBE)
  write32(bytes, start + 14, MAGIC)
  bytes[start + 18] = VERSION
  bytes[start + 19] = LOOP
  write32(bytes, start + 22, probe.sender0)
  write32(bytes, start + 26, probe.sender1)
  write32(bytes, start + 30, probe.nonce0)
  write32(bytes, start + 34, probe.nonce1)
  writeCarrier(bytes, start, probe.carrier0, probe.carrier1)
  return LOOP_PROBE_BYTES
}

/** Says in a frame that parseLoopProbe has read who carries it. */
export function writeCarrier(bytes: Uint8Array, start: number, carrier0: number, carrier1: number): void {
  write32(bytes, start + CARRIER, carrier0)
  write32(bytes, start + CARRIER + 4, carrier1)
}
