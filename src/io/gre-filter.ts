// The classic BPF program that keeps other tunnels' GRE out of JavaScript (native-notes/bpf.md).
// What comes from no peer is dropped. Of a peer's packets those with its key pass whole; any other passes shortened to its
// headers, enough to count it and to show the key that was seen.
// Offset 0 is the outer IP header on a raw IPv4 socket and the GRE header on a raw IPv6 one (measured), where SKF_NET_OFF reaches the
// IP header.

import type { FilterInstruction } from '../sys/sockets.js'
import { GRE_CHECKSUM, GRE_KEY, GRE_ROUTING, GRE_VERSION } from '../wire/gre.js'
import { read32 } from '../wire/network-order.js'

// linux/bpf_common.h
const LD_W_ABS = 0x20
const LDX_MSH = 0xb1 // X = 4 * (byte[k] & 15): the length of an IPv4 header
const LDX_IMM = 0x01
const LD_W_LEN = 0x80
const LD_H_IND = 0x48
const LD_W_IND = 0x40
const ALU_SUB_X = 0x1c
const JMP_JA = 0x05
const JMP_JEQ_K = 0x15
const JMP_JGE_K = 0x35
const JMP_JSET_K = 0x45
const RET_K = 0x06

/** Of an offset: from the IP header on (linux/filter.h). */
const SKF_NET_OFF = -0x100000 >>> 0

const WHOLE = 0xffff_ffff
// The longest outer header (60), the longest GRE header (16), an Ethernet header (14): more never helps to name a packet.
const HEADERS_ONLY = 60 + 16 + 14
const KEY_ENDS = 12 // bytes from the start of GRE to behind a key that follows a checksum
const RESERVED = GRE_ROUTING | 0x0c00 | GRE_VERSION

/** Passes everything: the port looks at sender and key itself. */
export const PASS_ALL: readonly FilterInstruction[] = [[RET_K, 0, 0, WHOLE]]

/** Drops everything: for a socket that only sends, and for one that is not bound yet. */
export const DROP_ALL: readonly FilterInstruction[] = [[RET_K, 0, 0, 0]]

/** A peer as the filter knows it. */
export interface FilteredPeer {
  /** 4 or 16 octets. */
  readonly address: Uint8Array
  /** Key expected from it; undefined for none. */
  readonly keyIn: number | undefined
}

/** Passes what comes from one of `peers`, and drops the rest. */
export function greFilter(family: 4 | 6, peers: readonly FilteredPeer[]): readonly FilterInstruction[] {
  const keys = new Map<number | undefined, FilteredPeer[]>()
  for (const peer of peers) keys.set(peer.keyIn, [...(keys.get(peer.keyIn) ?? []), peer])
  const blocks = [...keys].map(([key, those]) => block(family, keyFilter(family, key), those))
  return [...blocks.flat(), [RET_K, 0, 0, 0]]
}

/** The same, whatever the key: shorter. */
export function senderFilter(family: 4 | 6, peers: readonly FilteredPeer[]): readonly FilterInstruction[] {
  return [...block(family, PASS_ALL, peers), [RET_K, 0, 0, 0]]
}

/** Looks for the senders among `peers`, and gives the verdict on them; what comes from another goes on behind the block. */
function block(
  family: 4 | 6,
  verdict: readonly FilterInstruction[],
  peers: readonly FilteredPeer[],
): FilterInstruction[] {
  const senders = peers.map(({ address }) => sender(family, address))
  const size = senders.reduce((sum, { length }) => sum + length, 0)
  let at = 0
  // Behind the last sender one jump leads past the verdict.
  const found = senders.flatMap((one) => {
    at += one.length
    return one.map((step): FilterInstruction => (step[0] === JMP_JA ? [JMP_JA, 0, 0, size + 1 - at] : step))
  })
  return [...found, [JMP_JA, 0, 0, verdict.length], ...verdict]
}

/** Jumps by its last instruction where the packet comes from `address`, and goes on behind that where not. */
function sender(family: 4 | 6, address: Uint8Array): FilterInstruction[] {
  const start = family === 4 ? 12 : SKF_NET_OFF + 8
  const words = family === 4 ? [0] : [12, 8, 4, 0] // the last is the one in which neighbours differ
  return [
    ...words.flatMap((word, index): FilterInstruction[] => [
      [LD_W_ABS, 0, 0, start + word],
      [JMP_JEQ_K, 0, 2 * (words.length - index) - 1, read32(address, word) >>> 0],
    ]),
    [JMP_JA, 0, 0, 0],
  ]
}

/**
 * Passes packets with `key` (undefined: without any key) whole, all others shortened. A packet too short to have a key
 * passes as it is: a load behind its end would drop it uncounted.
 */
function keyFilter(family: 4 | 6, key: number | undefined): readonly FilterInstruction[] {
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
