// Classic BPF run the plain way, after Documentation/networking/filter.rst and the semantics of net/core/filter.c: 32-bit
// registers, network order, and a load behind the end of the packet ends the program with 0, which drops it.
// Only what a socket filter may use without ancillary data; an opcode that is not known here throws.

import type { FilterInstruction } from '#tsgre/sys/sockets.js'

interface Machine {
  a: number
  x: number
  readonly packet: Uint8Array
  /** From the IP header on, which may lie in front of the packet. */
  readonly network: Uint8Array
}

/** BPF_JMP | BPF_JA: by k instructions. */
const JUMP_ALWAYS = 0x05

class BehindTheEnd extends Error {}

function load(packet: Uint8Array, offset: number, size: number): number {
  if (offset < 0 || offset + size > packet.length) throw new BehindTheEnd()
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + packet[offset + i]
  return value
}

const SIZES: Readonly<Record<number, number>> = { 0: 4, 8: 2, 16: 1 } // BPF_W, BPF_H, BPF_B

function loaded(code: number, k: number, { x, packet, network }: Machine): number {
  const size = SIZES[code & 0x18]
  switch (code & 0xe0) {
    case 0x00: // BPF_IMM
      return k
    case 0x20: // BPF_ABS, perhaps from the IP header on
      return k < 0 || k >= 0x8000_0000 ? load(network, (k | 0) + 0x100000, size) : load(packet, k, size)
    case 0x40: // BPF_IND
      return load(packet, x + k, size)
    case 0x80: // BPF_LEN
      return packet.length
    case 0xa0: // BPF_MSH
      return 4 * (load(packet, k, 1) & 15)
  }
  throw new Error(`load ${code}`)
}

function computed(code: number, a: number, operand: number): number {
  switch (code & 0xf0) {
    case 0x00:
      return (a + operand) >>> 0
    case 0x10:
      return (a - operand) >>> 0
    case 0x40:
      return (a | operand) >>> 0
    case 0x50:
      return (a & operand) >>> 0
  }
  throw new Error(`computation ${code}`)
}

function holds(code: number, a: number, operand: number): boolean {
  switch (code & 0xf0) {
    case 0x10:
      return a === operand
    case 0x20:
      return a > operand
    case 0x30:
      return a >= operand
    case 0x40:
      return (a & operand) !== 0
  }
  throw new Error(`jump ${code}`)
}

function run(program: readonly FilterInstruction[], machine: Machine): number {
  for (let at = 0; at < program.length; at++) {
    const [code, jt, jf, k] = program[at]
    const operand = code & 0x08 ? machine.x : k
    switch (code & 0x07) {
      case 0: // BPF_LD
        machine.a = loaded(code, k, machine)
        break
      case 1: // BPF_LDX
        machine.x = loaded(code, k, machine)
        break
      case 4: // BPF_ALU
        machine.a = computed(code, machine.a, operand)
        break
      case 5: // BPF_JMP
        at += code === JUMP_ALWAYS ? k : holds(code, machine.a, operand) ? jt : jf
        break
      case 6: // BPF_RET
        return k
      default:
        throw new Error(`opcode ${code}`)
    }
  }
  throw new Error('the program runs past its end')
}

/** How many octets of `packet` the socket gets; 0 drops it. `network`: the IP header, where the packet does not begin with it. */
export function runFilter(
  program: readonly FilterInstruction[],
  packet: Uint8Array,
  network: Uint8Array = packet,
): number {
  try {
    return Math.min(run(program, { a: 0, x: 0, packet, network }), packet.length)
  } catch (error) {
    if (error instanceof BehindTheEnd) return 0
    throw error
  }
}

/** That every jump lands inside the program and every road through it ends in a return, as the kernel's checker asks. */
export function isSound(program: readonly FilterInstruction[]): boolean {
  return program.every(([code, jt, jf, k], at) => {
    const jump = (code & 0x07) === 5
    const returns = (code & 0x07) === 6
    const furthest = at + 1 + (code === JUMP_ALWAYS ? k : jump ? Math.max(jt, jf) : 0)
    return returns || furthest < program.length
  })
}
