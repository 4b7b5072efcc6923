// No garbage collection in a million segments taken apart, nor in a million put together. Sequence numbers, acknowledgments
// and addresses are above 2^31, where V8 may keep a number in memory of its own. The young generation is made as small as
// V8 lets it be.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Coalescer } from '#tsgre/offload/coalesce.js'
import type { FrameList } from '#tsgre/offload/frame-list.js'
import { FOUND, findLayers, layers } from '#tsgre/offload/layers.js'
import { Segmenter } from '#tsgre/offload/segment.js'
import { type Octets, octets } from '#tsgre/wire/octets.js'
import { frameList, listOf } from '../rig/coalesced.js'
import { steadyCollections } from '../rig/collections.js'
import { ACK, type Inner, innerFrame, neighbours, PSH, TIMESTAMPS, UDP } from '../rig/flows.js'
import { QINQ } from '../rig/frames.js'
import { random } from '../rig/random.js'
import { withFlags } from '../rig/reexec.js'
import { testMemory } from '../rig/test-memory.js'
import { Traffic } from '../rig/traffic.js'

withFlags(import.meta.url, '--max-semi-space-size=1')

const SEGMENTS = 1_000_000

/** IPv4 addresses of the rig begin with 192, so they are above 2^31 anyway. */
const HIGH: Inner = { source: 0xfe, destination: 0xff, sequence: 0xf000_0000, acknowledgment: 0xfedc_ba98 }

const KINDS: Inner[] = [
  { ...HIGH, options: TIMESTAMPS, flags: ACK | PSH },
  { ...HIGH, version: 6, tags: QINQ },
  { ...HIGH, protocol: UDP },
  { ...HIGH, protocol: UDP, version: 6, extensions: [[60, Array(6).fill(0)]] },
]

interface Superframe {
  memory: Octets
  end: number
}

const START = 64

function superframe(inner: Inner, simd = false): Superframe {
  const frame = innerFrame({ ...inner, payload: random(1).bytes(64000), checksum: 'partial' })
  const memory = testMemory(START + frame.length, 0, simd)
  memory.bytes.set(frame, START)
  return { memory, end: START + frame.length }
}

/** Takes superframes apart until there were `count` segments; `kept` would hold on to something of each. */
function takeApart(count: number, kinds: readonly Superframe[], headers: Octets, kept?: unknown[]): number {
  let total = 0
  for (let done = 0, kind = 0; done < count; kind++) {
    const { memory, end } = kinds[kind % kinds.length]
    // from a word and from an odd offset, as headers may lie
    if (!segmenter.begin(memory, START, end, 1000, 1 << 16)) throw new Error('refused')
    for (; segmenter.more; done++) {
      total += segmenter.next(headers, done & 3) + segmenter.payloadSum
      if (kept) kept[0] = { total }
    }
  }
  return total
}

const segmenter = new Segmenter()

test('takes a million segments of superframes without a collection', async () => {
  const kinds = KINDS.map((inner) => superframe(inner))
  const headers = octets(new Uint8Array(512))
  const total = new Float64Array(1)
  const found = await steadyCollections(SEGMENTS, (count) => {
    total[0] += takeApart(count, kinds, headers)
  })
  assert.is(found, 0)
  assert.ok(total[0] > SEGMENTS)
})

test('takes a million segments of a superframe in memory that WebAssembly sums without a collection', async () => {
  const kinds = [superframe(KINDS[0], true)]
  const headers = octets(new Uint8Array(512))
  assert.is(await steadyCollections(SEGMENTS, (count) => takeApart(count, kinds, headers)), 0)
})

test('finds the layers of a million frames without a collection', async () => {
  const kinds = KINDS.map((inner) => superframe(inner))
  const at = layers()
  const wrong = new Float64Array(1)
  const found = await steadyCollections(SEGMENTS, (count) => {
    for (let i = 0; i < count; i++) {
      const { memory, end } = kinds[i & 3]
      if (findLayers(memory.bytes, START, end, at) !== FOUND) wrong[0]++
    }
  })
  assert.is(found, 0)
  assert.is(wrong[0], 0)
})

/** A list that can be put together again and again: what a run changes are the octets of headers, which are put back. */
class Again {
  readonly #from: FrameList
  readonly #to: FrameList
  readonly #before: Uint8Array
  readonly #coalescer: Coalescer

  constructor(frames: readonly Uint8Array[], simd = false) {
    this.#from = listOf(frames, 0, simd)
    this.#to = frameList(this.#from.memory, frames.length)
    this.#before = this.#from.memory.bytes.slice()
    this.#coalescer = new Coalescer(frames.length, true)
  }

  /** Puts together `count` frames at least; returns how many of the last list went on with another. */
  run(count: number): number {
    for (let done = 0; done < count; done += this.#from.count) {
      this.#from.memory.bytes.set(this.#before)
      this.#coalescer.run(this.#from, this.#to, 1476)
    }
    let joined = 0
    for (let i = 0; i < this.#to.count; i++) if (this.#to.joined[i] > 0) joined++
    return joined
  }
}

/** Collections while a million frames are put together, and how many of a list went on with others. */
async function collections(again: Again): Promise<{ found: number; joined: number }> {
  let joined = 0
  const found = await steadyCollections(SEGMENTS, (count) => {
    joined = again.run(count)
  })
  return { found, joined }
}

test('puts a million frames of interleaved flows together without a collection', async () => {
  const flows = [HIGH, { ...HIGH, version: 6 as const, options: TIMESTAMPS }, { ...HIGH, protocol: UDP, sourcePort: 9 }]
  const lists = flows.map((inner) => neighbours({ ...inner, id: 0xfff0 }, Array(20).fill(700)).map(innerFrame))
  const frames = lists[0].flatMap((_, i) => lists.map((list) => list[i]))
  for (const simd of [false, true]) {
    assert.equal(await collections(new Again(frames, simd)), { found: 0, joined: 57 })
  }
})

test('puts a million frames with every kind of fault together without a collection', async () => {
  const traffic = new Traffic(random(51), { every: 6, anywhere: true })
  const { found, joined } = await collections(new Again(traffic.list(250)))
  assert.is(found, 0)
  assert.ok(joined > 20, `${joined} joined`)
})

test('leaves a million merged frames with partial checksums to the kernel without a collection', async () => {
  const frames = KINDS.map((inner) => innerFrame({ ...inner, payload: new Uint8Array(3000), checksum: 'partial' }))
  assert.is((await collections(new Again(frames))).found, 0)
})

test('takes a million segments without a collection after V8 has seen all of the above', async () => {
  const kinds = KINDS.map((inner) => superframe(inner))
  const headers = octets(new Uint8Array(512))
  assert.is(await steadyCollections(SEGMENTS, (count) => takeApart(count, kinds, headers)), 0)
})

test('would see one small object made for every segment', async () => {
  const kinds = KINDS.map((inner) => superframe(inner))
  const headers = octets(new Uint8Array(512))
  assert.ok((await steadyCollections(SEGMENTS, (count) => takeApart(count, kinds, headers, [{}]))) > 0)
})

test.run()
