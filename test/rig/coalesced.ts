// Frames through the coalescer under watch: memory around them must stay as it is, each must be listed once, and what is
// not marked must be what came.

import * as assert from 'uvu/assert'
import { Coalescer } from '#tsgre/offload/coalesce.js'
import type { FrameList } from '#tsgre/offload/frame-list.js'
import type { Octets } from '#tsgre/wire/octets.js'
import { naiveKernel, type Written } from './naive/naive-kernel.js'
import { testMemory } from './test-memory.js'

/** One frame or superframe as it is written, and which frames are in it. */
export interface Delivered extends Written {
  members: number[]
}

export interface Run {
  udp?: boolean
  longest?: number
  /** What all memory around the frames holds. */
  canary?: number
  /** Whether their memory is of the kind that WebAssembly sums. */
  simd?: boolean
}

/** A list with room for `capacity` frames. */
export function frameList(memory: Octets, capacity: number): FrameList {
  const sixteen = () => new Uint16Array(capacity).fill(0xdead)
  return {
    memory,
    offset: new Int32Array(capacity).fill(-1),
    length: new Int32Array(capacity).fill(-1),
    peer: new Int16Array(capacity),
    joined: sixteen(),
    gsoType: new Uint8Array(capacity).fill(0xde),
    gsoSize: sixteen(),
    csumStart: sixteen(),
    csumOffset: sixteen(),
    count: 0,
  }
}

/** The frames one after the other, at all alignments, with some octets of `canary` between. */
export function listOf(frames: readonly Uint8Array[], canary = 0xa5, simd = false): FrameList {
  const space = frames.reduce((total, frame) => total + frame.length + 24, 64)
  const list = frameList(testMemory(space, canary, simd), frames.length)
  let at = 16
  for (const frame of frames) {
    list.memory.bytes.set(frame, at)
    list.offset[list.count] = at
    list.length[list.count++] = frame.length
    at += frame.length + 13 + (list.count & 7)
  }
  return list
}

const coalescers = [false, true].map((udp) => new Coalescer(256, udp))

/** Up to 256 frames through a coalescer that has seen others before. */
export function coalesce(frames: readonly Uint8Array[], run: Run = {}): Delivered[] {
  const { udp = true, longest = 1 << 16, canary = 0xa5, simd = false } = run
  const from = listOf(frames, canary, simd)
  const to = frameList(from.memory, frames.length)
  to.count = 1 // left from the list before
  coalescers[udp ? 1 : 0].run(from, to, longest)
  assert.is(to.count, frames.length, 'as many as came')
  assertAround(from, canary)
  const delivered: Delivered[] = []
  for (let i = 0; i < to.count; i++) {
    const member = from.offset.indexOf(to.offset[i])
    assert.ok(to.length[i] <= from.length[member], 'no longer than it came')
    if (to.joined[i] === 0) delivered.push(begin(to, i, member))
    else goOn(delivered.at(-1)!, to, i, member)
  }
  const all = delivered.flatMap(({ members }) => members).sort((a, b) => a - b)
  assert.equal(all, [...frames.keys()], 'each frame once')
  for (const { csumStart, members, frame } of delivered) {
    if (csumStart === 0) assert.ok(Buffer.compare(frame, frames[members[0]]) === 0, 'unmarked, but changed')
  }
  return delivered
}

/** Which frames go together. The kernel must make of them what came, octet for octet. */
export function together(frames: readonly Uint8Array[], run: Run = {}): number[][] {
  const delivered = coalesce(frames, run)
  const members = delivered.map((one) => one.members)
  const inOrder = members.flat().map((i) => frames[i])
  assert.equal(delivered.flatMap(naiveKernel), inOrder)
  return members
}

function begin(to: FrameList, i: number, member: number): Delivered {
  const frame = to.memory.bytes.slice(to.offset[i], to.offset[i] + to.length[i])
  const columns = { gsoType: to.gsoType[i], gsoSize: to.gsoSize[i] }
  return { members: [member], frame, ...columns, csumStart: to.csumStart[i], csumOffset: to.csumOffset[i] }
}

function goOn(superframe: Delivered, to: FrameList, i: number, member: number): void {
  assert.is.not(superframe.gsoType, 0, 'joined to an ordinary frame')
  const payload = to.memory.bytes.slice(to.offset[i] + to.joined[i], to.offset[i] + to.length[i])
  superframe.members.push(member)
  superframe.frame = Uint8Array.from(Buffer.concat([superframe.frame, payload]))
}

function assertAround({ memory, offset, length, count }: FrameList, canary: number): void {
  let at = 0
  for (let i = 0; i <= count; i++) {
    const gap = memory.bytes.subarray(at, i < count ? offset[i] : memory.bytes.length)
    assert.ok(
      gap.every((octet) => octet === canary),
      'written beside a frame',
    )
    if (i < count) at = offset[i] + length[i]
  }
}
