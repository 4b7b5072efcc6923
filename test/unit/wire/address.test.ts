import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ipv4Number, ipv4Text } from '#tsgre/wire/address.js'
import { random } from '../../rig/random.js'

test('reads and writes dotted quads, unsigned', () => {
  const known: [string, number][] = [
    ['0.0.0.0', 0],
    ['10.20.30.40', 0x0a141e28],
    ['192.0.2.1', 0xc0000201],
    ['255.255.255.255', 0xffffffff],
  ]
  for (const [text, value] of known) {
    assert.is(ipv4Number(text), value)
    assert.is(ipv4Text(value), text)
  }
})

test('round-trips any 32 bits', () => {
  const dice = random(1)
  for (let i = 0; i < 1000; i++) {
    const value = dice.word()
    assert.is(ipv4Number(ipv4Text(value)), value)
  }
})

test('answers -1 for what is not a dotted quad', () => {
  const others = ['', '1', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1.2.3.-1', '1.2.3.4 ', ' 1.2.3.4', '1.2.3.', '1..3.4']
  for (const text of [...others, '01.2.3.4', '1.2.3.00', '0x1.2.3.4', '1e1.2.3.4', '1.2.3.٤', '1.2.3.4\n', '::1']) {
    assert.is(ipv4Number(text), -1, JSON.stringify(text))
  }
})

test.run()
