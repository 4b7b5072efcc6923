// The sum of words in WebAssembly: its bytes beside its text, its results beside the naive twin's.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import wabt from 'wabt'
import { slab } from '#tsgre/sys/memory.js'
import { sum } from '#tsgre/wire/checksum.js'
import { programBytes, summedMemory } from '#tsgre/wire/sum-words.js'
import { naiveSum } from '../../rig/naive/naive-checksum.js'
import { random } from '../../rig/random.js'
import { ROOT } from '../../rig/root.js'

test('the bytes in sum-words.ts are what sum-words.wat says', async () => {
  const text = readFileSync(new URL('src/wire/sum-words.wat', ROOT), 'utf8')
  const { buffer } = (await wabt()).parseWat('sum-words.wat', text, { simd: true }).toBinary({})
  assert.equal(programBytes(), Uint8Array.from(buffer))
})

test('memory for packets can sum itself, small memory does without', () => {
  assert.type(slab(65536).sumWords, 'function')
  assert.is(slab(65535).sumWords, undefined)
})

test('says undefined, and throws nothing, where there is no such memory to be had', () => {
  assert.is(summedMemory(2 ** 40), undefined)
})

test('sums any range of random octets as the naive twin does', () => {
  const source = random(17)
  const memory = slab(70_000)
  memory.bytes.set(source.bytes(70_000))
  for (let i = 0; i < 5000; i++) {
    const start = source.below(2000)
    const end = start + source.below(i % 100 === 0 ? 66_000 : 1600)
    assert.is(sum(memory, start, end), naiveSum(memory.bytes, start, end), `seed 17, [${start}, ${end})`)
  }
})

test('sums 65535 octets of 0xff without an overflow', () => {
  const memory = slab(65_536)
  memory.bytes.fill(0xff)
  assert.is(sum(memory, 0, 65_535), naiveSum(memory.bytes, 0, 65_535))
})

test.run()
