import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { close, eventfd, read, write } from '#tsgre/sys/libc.js'
import { putPointer, slab } from '#tsgre/sys/memory.js'

test('gives zeroed memory, whatever its size', () => {
  for (const size of [1, 4, 64, 65, 4096]) {
    const { bytes } = slab(size)
    assert.is(bytes.length, size)
    assert.ok(bytes.every((octet) => octet === 0))
  }
})

test('shows the same memory as octets, as words and as a view', () => {
  const { bytes, words, view } = slab(10)
  view.setUint32(4, 0x01020304, true)
  assert.equal([...bytes], [0, 0, 0, 0, 4, 3, 2, 1, 0, 0])
  assert.is(words[1], 0x01020304)
  assert.is(words.length, 2, 'only whole words')
})

test('tells an address that a double holds exactly, and that the kernel can reach', () => {
  const there = slab(8)
  const back = slab(8)
  for (const { address } of [there, back]) assert.ok(Number.isSafeInteger(address) && address > 0)
  const fd = eventfd(0, 0)
  there.view.setBigUint64(0, 0x0123_4567_89ab_cdefn, true)
  assert.is(write(fd, there.address, 8), 8)
  assert.is(read(fd, back.address, 8), 8)
  assert.equal(back.bytes, there.bytes)
  close(fd)
})

test('stays at its address while other memory comes and goes', () => {
  const pinned = slab(16)
  pinned.bytes[0] = 42
  for (let i = 0; i < 200; i++) new Uint8Array(100_000).fill(i)
  const fd = eventfd(0, 0)
  assert.is(write(fd, pinned.address, 8), 8)
  const copy = slab(8)
  read(fd, copy.address, 8)
  assert.is(copy.bytes[0], 42)
  close(fd)
})

test('gives each slab memory of its own', () => {
  const slabs = Array.from({ length: 50 }, () => slab(24))
  const addresses = slabs.map(({ address }) => address).sort((a, b) => a - b)
  for (let i = 1; i < addresses.length; i++) assert.ok(addresses[i]! - addresses[i - 1]! >= 24)
})

test('writes pointers and sizes of more than 32 bits exactly', () => {
  const { view } = slab(16)
  for (const value of [0, 1, 0xffff_ffff, 0x1_0000_0000, 0x7fff_ffff_f000, Number.MAX_SAFE_INTEGER]) {
    putPointer(view, 8, value)
    assert.is(view.getBigUint64(8, true), BigInt(value))
  }
  assert.is(view.getBigUint64(0, true), 0n, 'and nothing beside them')
})

test.run()
