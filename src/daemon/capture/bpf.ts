// Classic BPF, as tcpdump compiles expressions to: which packets of a capture are wanted. The program comes through the control
// socket, so it is judged before it runs: only opcodes known here, jumps only forward and inside, a return at its end.
// Invariant: a program that was accepted ends after at most as many steps as it has instructions, throws nothing, and reads
// nothing outside the packet; what would, rejects the packet. Semantics: bpf(4) of the BSDs, pcap's bpf_filter.

import { ConfigError } from '../../errors.js'

/** As in BPF_MAXINSNS (linux/bpf_common.h). */
export const MOST_INSTRUCTIONS = 4096
const CELLS = 16

/** An instruction: code, jump if true, jump if false, operand. */
export type Instruction = readonly [code: number, jt: number, jf: number, k: number]

const KNOWN = new Set([
  ...[0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x80, 0x00, 0x60], // ld: absolute, indirect, length, immediate, cell
  ...[0x01, 0x61, 0x81, 0xb1], // ldx: immediate, cell, length, IPv4 header length
  ...[0x02, 0x03], // st, stx
  ...[0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x84, 0x94, 0xa4], // computations with k
  ...[0x0c, 0x1c, 0x2c, 0x3c, 0x4c, 0x5c, 0x6c, 0x7c, 0x9c, 0xac], // and with X
  ...[0x05, 0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d], // jumps
  ...[0x06, 0x16], // ret
  ...[0x07, 0x87], // tax, txa
])

/**
 * A program out of what came through the socket.
 * @throws ConfigError TSGRE_BAD_FILTER
 */
export function bpfProgram(value: unknown): Bpf {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_INSTRUCTIONS)
    refuse(`it must have 1 to ${MOST_INSTRUCTIONS} instructions`)
  value.forEach((instruction, at) => {
    const wrong = faultOf(instruction, at, value.length)
    if (wrong) refuse(`instruction ${at}: ${wrong}`)
  })
  if ((value.at(-1)[0] & 0x07) !== 0x06) refuse('it does not end with a return')
  return new Bpf(value)
}

function refuse(why: string): never {
  const wayOut = 'give an expression to tsgre capture --filter, which tcpdump then compiles'
  throw new ConfigError('TSGRE_BAD_FILTER', 'filter', undefined, `this is no BPF program: ${why}; ${wayOut}`)
}

function faultOf(instruction: unknown, at: number, length: number): string | undefined {
  const limits = [0xffff, 0xff, 0xff, 0xffff_ffff]
  const isFour = Array.isArray(instruction) && instruction.length === 4
  if (!isFour || !instruction.every((n, i) => Number.isInteger(n) && n >= 0 && n <= limits[i]))
    return 'it is not four numbers within their bounds'
  const [code, jt, jf, k] = instruction as unknown as Instruction
  if (!KNOWN.has(code)) return `no such code, ${code}`
  if ((code & 0x07) === 0x05) {
    const furthest = code === 0x05 ? k : Math.max(jt, jf)
    if (at + 1 + furthest >= length) return 'it jumps out of the program'
  }
  if ((code === 0x34 || code === 0x94) && k === 0) return 'it divides by zero'
  if ((code === 0x64 || code === 0x74) && k > 31) return 'it shifts by more than 31'
  if ([0x60, 0x61, 0x02, 0x03].includes(code) && k >= CELLS) return `there is no cell ${k}`
  return undefined
}

export class Bpf {
  readonly #codes: Uint8Array
  readonly #whenTrue: Uint8Array
  readonly #whenFalse: Uint8Array
  readonly #operands: Uint32Array
  readonly #cells = new Uint32Array(CELLS)

  /** Not to be called but by `bpfProgram`. */
  constructor(program: readonly Instruction[]) {
    this.#codes = Uint8Array.from(program, ([code]) => code)
    this.#whenTrue = Uint8Array.from(program, ([, jt]) => jt)
    this.#whenFalse = Uint8Array.from(program, ([, , jf]) => jf)
    this.#operands = Uint32Array.from(program, ([, , , k]) => k)
  }

  /** Whether the packet of `original` octets is wanted, of which `packet` is what is there. */
  accepts(packet: Uint8Array, original = packet.length): boolean {
    let a = 0
    let x = 0
    this.#cells.fill(0)
    for (let at = 0; at < this.#codes.length; at++) {
      const code = this.#codes[at]
      const k = this.#operands[at]
      switch (code & 0x07) {
        case 0x00:
        case 0x01: {
          const value = this.#load(code, k, x, packet, original)
          if (value < 0) return false
          if ((code & 0x07) === 0) a = value
          else x = value
          break
        }
        case 0x02:
          this.#cells[k] = a
          break
        case 0x03:
          this.#cells[k] = x
          break
        case 0x04:
          a = computed(code, a, code & 0x08 ? x : k)
          if (a < 0) return false
          break
        case 0x05:
          if (code === 0x05) at += k
          else at += holds(code, a, code & 0x08 ? x : k) ? this.#whenTrue[at] : this.#whenFalse[at]
          break
        case 0x06:
          return (code === 0x16 ? a : k) !== 0
        default:
          if (code === 0x07) x = a
          else a = x
      }
    }
    return false
  }

  /** The value, or -1 for a load behind the end. */
  #load(code: number, k: number, x: number, packet: Uint8Array, original: number): number {
    switch (code & 0xe0) {
      case 0x00:
        return k
      case 0x20:
        return octetsAt(packet, k, code)
      case 0x40:
        return octetsAt(packet, x + k, code)
      case 0x60:
        return this.#cells[k]
      case 0x80:
        return original
      default:
        return k < packet.length ? (packet[k] & 0x0f) << 2 : -1
    }
  }
}

function octetsAt(packet: Uint8Array, at: number, code: number): number {
  const size = code & 0x10 ? 1 : code & 0x08 ? 2 : 4
  if (at + size > packet.length) return -1
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + packet[at + i]
  return value
}

/** 32 bits, unsigned; -1 for a division by zero. */
function computed(code: number, a: number, operand: number): number {
  switch (code & 0xf0) {
    case 0x00:
      return (a + operand) >>> 0
    case 0x10:
      return (a - operand) >>> 0
    case 0x20:
      return Math.imul(a, operand) >>> 0
    case 0x30:
      return operand === 0 ? -1 : Math.floor(a / operand)
    case 0x40:
      return (a | operand) >>> 0
    case 0x50:
      return (a & operand) >>> 0
    case 0x60:
      return operand > 31 ? 0 : (a << operand) >>> 0
    case 0x70:
      return operand > 31 ? 0 : a >>> operand
    case 0x80:
      return -a >>> 0
    case 0x90:
      return operand === 0 ? -1 : a % operand
    default:
      return (a ^ operand) >>> 0
  }
}

function holds(code: number, a: number, operand: number): boolean {
  switch (code & 0xf0) {
    case 0x10:
      return a === operand
    case 0x20:
      return a > operand
    case 0x30:
      return a >= operand
    default:
      return (a & operand) !== 0
  }
}
