// Blocks out of a stream that is cut anywhere.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockSplitter } from '#tsgre/cli/block-splitter.js'
import { StateError } from '#tsgre/errors.js'
import { octets } from '#tsgre/wire/octets.js'
import { emitInterface, emitSection, emitStatistics } from '#tsgre/wire/pcapng.js'

const memory = octets(new Uint8Array(4096))
const name = new TextEncoder().encode('tap0')
const ends = [emitSection(memory, 0, name)]
ends.push(emitInterface(memory, ends[0]!, 1, 0, name))
for (let i = 2; i < 20; i++) ends.push(emitStatistics(memory, ends[i - 1]!, i, i, i))
const file = memory.bytes.slice(0, ends.at(-1))
const lengths = ends.map((end, i) => end - (ends[i - 1] ?? 0))

for (const size of [1, 3, 7, 28, 100, 4096]) {
  test(`gives every block once, whole, when ${size} octets come at a time`, () => {
    const splitter = new BlockSplitter()
    const found: DataView[] = []
    for (let at = 0; at < file.length; at += size) found.push(...splitter.push(file.slice(at, at + size)))
    assert.equal(
      found.map(({ byteLength }) => byteLength),
      lengths,
    )
    const joined = Buffer.concat(
      found.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
    )
    assert.equal(new Uint8Array(joined), file)
  })
}

test('throws for what is no pcapng', () => {
  const words = new TextEncoder().encode('HTTP/1.1 500 something went wrong')
  assert.throws(
    () => new BlockSplitter().push(words),
    (error: unknown) => error instanceof StateError && error.code === 'TSGRE_BAD_ANSWER',
  )
})

test.run()
