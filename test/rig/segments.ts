// A superframe through the segmenter and each segment put together as the socket would gather it, under watch: memory it
// has no business in must stay as it is, and its payload must lie in the superframe.

import * as assert from 'uvu/assert'
import { MOST_HEADER_BYTES, Segmenter } from '#tsgre/offload/segment.js'
import { octets } from '#tsgre/wire/octets.js'
import { naiveSum } from './naive/naive-checksum.js'
import { testMemory } from './test-memory.js'

const segmenter = new Segmenter()
const SLAB_BYTES = 320
/** A header is copied by words, so up to three octets behind it are written too. */
const SLACK = 3

export interface Cut {
  asked: number
  longest?: number
  /** Where the superframe begins, and where headers are written, past a multiple of four. */
  align?: number
  into?: number
  /** What all memory around holds. */
  canary?: number
  /** Whether the superframe's memory is of the kind that WebAssembly sums. */
  simd?: boolean
}

/** The segments, or undefined where the segmenter refuses. */
export function segmentsOf(superframe: Uint8Array, cut: Cut): Uint8Array[] | undefined {
  const { asked, longest = 1 << 16, align = 0, canary = 0xa5, simd = false } = cut
  const start = 64 + align
  const end = start + superframe.length
  const memory = testMemory(end + 64, canary, simd)
  memory.bytes.set(superframe, start)
  const before = memory.bytes.slice()
  if (!segmenter.begin(memory, start, end, asked, longest)) {
    assert.not(segmenter.more, 'nothing comes of what was refused')
    return undefined
  }
  const segments: Uint8Array[] = []
  let expected = -1
  while (segmenter.more) {
    const header = nextHeader(cut)
    const { payload, payloadLength } = segmenter
    if (expected !== -1) assert.is(payload, expected, 'the payload goes on where the last one ended')
    assert.ok(payload > start && payload + payloadLength <= end, 'the payload lies in the superframe')
    expected = payload + payloadLength
    const piece = memory.bytes.slice(payload, expected)
    assert.is(segmenter.payloadSum, naiveSum(piece, 0, piece.length), 'sum of the payload')
    segments.push(Uint8Array.from(Buffer.concat([header, piece])))
  }
  assert.ok(Buffer.compare(memory.bytes, before) === 0, 'the superframe is only read')
  return segments
}

/** The next segment's headers; around them the slab must stay what it was. */
function nextHeader({ into = 0, canary = 0xa5 }: Cut): Uint8Array {
  const headers = octets(new Uint8Array(SLAB_BYTES).fill(canary))
  const at = 16 + into
  const length = segmenter.next(headers, at)
  assert.ok(length <= MOST_HEADER_BYTES)
  const around = [...headers.bytes.slice(0, at), ...headers.bytes.slice(at + length + SLACK)]
  assert.ok(
    around.every((octet) => octet === canary),
    'only the header is written',
  )
  return headers.bytes.slice(at, at + length)
}
