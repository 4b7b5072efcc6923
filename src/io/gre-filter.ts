// The classic BPF program that keeps other tunnels' GRE out of JavaScript (native-notes/bpf.md).
// connect(2) has already limited the socket to one remote; this looks at the key. A packet with our key passes whole; any
// other passes shortened to its headers, enough to count it and to show the key that was seen.
// Offset 0 is the outer IP header on a raw IPv4 socket and the GRE header on a raw IPv6 one (measured).

import type { FilterInstruction } from '../sys/sockets.js'
import { GRE_CHECKSUM, GRE_KEY, GRE_ROUTING, GRE_VERSION } from '../wire/gre.js'

// linux/bpf_common.h
const LDX_MSH = 0xb1 // X = 4 * (byte[k] & 15): the length of an IPv4 header
const LDX_IMM = 0x01
const LD_W_LEN = 0x80
const LD_H_IND = 0x48
const LD_W_IND = 0x40
const ALU_SUB_X = 0x1c
const JMP_JEQ_K = 0x15
const JMP_JGE_K = 0x35
const JMP_JSET_K = 0x45
const RET_K = 0x06

const WHOLE = 0xffff_ffff
// The longest outer header (60), the longest GRE header (16), an Ethernet header (14): more never helps to name a packet.
const HEADERS_ONLY = 60 + 16 + 14
const KEY_ENDS = 12 // bytes from the start of GRE to behind a key that follows a checksum
const RESERVED = GRE_ROUTING | 0x0c00 | GRE_VERSION

/** Drops everything: for a socket that only sends, and for one that is not bound yet. */
export const DROP_ALL: readonly FilterInstruction[] = [[RET_K, 0, 0, 0]]

/**
 * Passes packets with `key` (undefined: without any key) whole, all others shortened. A packet too short to have a key
 * passes as it is: a load behind its end would drop it uncounted.
 */
export function greFilter(family: 4 | 6, key: number | undefined): readonly FilterInstruction[] {
  const start: FilterInstruction = family === 4 ? [LDX_MSH, 0, 0, 0] : [LDX_IMM, 0, 0, 0]
  const flags: FilterInstruction = [LD_H_IND, 0, 0, 0]
  const whole: FilterInstruction = [RET_K, 0, 0, WHOLE]
  const shortened: FilterInstruction = [RET_K, 0, 0, HEADERS_ONLY]
  const measure: readonly FilterInstruction[] = [start, [LD_W_LEN, 0, 0, 0], [ALU_SUB_X, 0, 0, 0]]
  if (key === undefined) {
    return [...measure, [JMP_JGE_K, 0, 3, KEY_ENDS], flags, [JMP_JSET_K, 0, 1, RESERVED | GRE_KEY], shortened, whole]
  }
  return [
    ...measure,
    [JMP_JGE_K, 0, 8, KEY_ENDS],
    flags,
    [JMP_JSET_K, 7, 0, RESERVED], // version or routing: what follows is not a key
    [JMP_JSET_K, 0, 6, GRE_KEY],
    [JMP_JSET_K, 0, 2, GRE_CHECKSUM],
    [LD_W_IND, 0, 0, 8], // the key stands behind checksum and reserved1
    [JMP_JEQ_K, 2, 3, key],
    [LD_W_IND, 0, 0, 4],
    [JMP_JEQ_K, 0, 1, key],
    whole,
    shortened,
  ]
}
