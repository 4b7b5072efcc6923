import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { octets } from '#tsgre/wire/octets.js'

test('words lie over the octets they are made of', () => {
  const memory = octets(new Uint8Array(8))
  memory.words[1] = 0x04030201
  assert.equal([...memory.bytes], [0, 0, 0, 0, 1, 2, 3, 4])
})

test('views memory that starts inside its buffer', () => {
  const memory = octets(new Uint8Array(new ArrayBuffer(16), 4, 8))
  memory.bytes[0] = 7
  assert.is(memory.words[0], 7)
  assert.is(memory.words.length, 2)
})

test('leaves up to three octets at the end without a word', () => {
  for (const length of [8, 9, 10, 11]) assert.is(octets(new Uint8Array(length)).words.length, 2)
})

test('views shared memory', () => {
  assert.is(octets(new Uint8Array(new SharedArrayBuffer(8))).words.length, 2)
})

test('refuses memory that starts between two words', () => {
  for (const offset of [1, 2, 3]) {
    const between = new Uint8Array(new ArrayBuffer(16), offset, 8)
    assert.throws(
      () => octets(between),
      (error: unknown) => error instanceof RangeError,
    )
  }
})

test.run()
