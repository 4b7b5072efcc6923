import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checksum, sum, updateChecksum } from '#tsgre/wire/checksum.js'
import { octets } from '#tsgre/wire/octets.js'
import { naiveChecksum, naiveSum } from '../../rig/naive/naive-checksum.js'
import { random } from '../../rig/random.js'

test('sums the example of RFC 1071 §3', () => {
  const memory = octets(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))
  assert.is(sum(memory, 0, 8), 0xddf2)
  assert.is(checksum(memory, 0, 8), 0x220d)
})

test('agrees with the naive twin from every alignment to every other, at every short length', () => {
  const memory = octets(random(1).bytes(67))
  for (let start = 0; start <= 8; start++) {
    for (let end = start; end <= 67; end++) {
      assert.is(sum(memory, start, end), naiveSum(memory.bytes, start, end), `[${start}, ${end})`)
    }
  }
})

test('agrees with the naive twin on random ranges of random memory', () => {
  const dice = random(2)
  for (let i = 0; i < 2000; i++) {
    const memory = octets(dice.bytes(dice.below(2000)))
    const start = dice.below(memory.bytes.length + 1)
    const end = start + dice.below(memory.bytes.length - start + 1)
    assert.is(checksum(memory, start, end), naiveChecksum(memory.bytes, start, end), `round ${i}: [${start}, ${end})`)
  }
})

test('does not overflow on 65536 octets of ones, nor on 8 MiB of them', () => {
  assert.is(sum(octets(new Uint8Array(65536).fill(0xff)), 0, 65536), 0xffff)
  const large = octets(new Uint8Array(8 * 1024 * 1024 - 4).fill(0xff))
  large.bytes[large.bytes.length - 1] = 0xfe
  assert.is(sum(large, 0, large.bytes.length), 0xfffe)
})

test('brings around the carry that bringing a carry around leaves', () => {
  const memory = octets(new Uint8Array(12).fill(0xff, 0, 8))
  memory.bytes[8] = 1
  assert.is(sum(memory, 0, 12), 0x0100)
})

test('is zero only for zeros', () => {
  const memory = octets(new Uint8Array(32))
  assert.is(sum(memory, 0, 32), 0)
  assert.is(sum(memory, 5, 5), 0)
  assert.is(checksum(memory, 0, 32), 0xffff)
  memory.bytes.fill(0xff)
  assert.is(sum(memory, 0, 32), 0xffff)
})

test('reads the last octets where no word covers them', () => {
  const memory = octets(Uint8Array.of(0, 0, 0, 0, 0x12, 0x34, 0x56))
  assert.is(sum(memory, 0, 7), 0x12_34 + 0x56_00)
})

test('goes on from the sum of what went before', () => {
  const dice = random(3)
  for (let i = 0; i < 500; i++) {
    const memory = octets(dice.bytes(200))
    const middle = 2 * dice.below(100)
    const end = middle + dice.below(200 - middle + 1)
    assert.is(sum(memory, middle, end, sum(memory, 0, middle)), sum(memory, 0, end), `round ${i}`)
  }
})

test('updates a checksum as if everything had been summed again', () => {
  const dice = random(4)
  for (let i = 0; i < 2000; i++) {
    const memory = octets(dice.bytes(40))
    const view = new DataView(memory.bytes.buffer)
    const old = checksum(memory, 0, 40)
    const at = 2 * dice.below(20)
    const from = view.getUint16(at)
    const to = dice.oneIn(4) ? [0, 0xffff][dice.below(2)] : dice.below(0x10000)
    view.setUint16(at, to)
    assert.is(updateChecksum(old, from, to), checksum(memory, 0, 40), `round ${i}: ${from} to ${to}`)
  }
})

test('updates the example of RFC 1624 §4, where the older equation goes wrong', () => {
  assert.is(updateChecksum(0xdd2f, 0x5555, 0x3285), 0x0000)
})

test.run()
