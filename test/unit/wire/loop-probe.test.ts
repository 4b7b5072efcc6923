// The loop probe on the wire.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { emitLoopProbe, isLoopProbe, loopProbe, parseLoopProbe, writeCarrier } from '#tsgre/wire/loop-probe.js'
import { isProbe } from '#tsgre/wire/probe-frame.js'
import { random } from '../../rig/random.js'

const START = 3

function emitted(fields: object = {}): Uint8Array {
  const bytes = new Uint8Array(80).fill(0xee)
  assert.is(emitLoopProbe(bytes, START, { ...loopProbe(), ...fields }), 60)
  return bytes
}

test('lies on the wire as the drawing says', () => {
  const bytes = emitted({ sender0: -2, sender1: 0x01020304, nonce0: 5, nonce1: 6, carrier0: 7, carrier1: -8 })
  const hex = Buffer.from(bytes.subarray(START, START + 60)).toString('hex')
  const parts = ['037473677265', 'fefffffe0304', '88b5', '74736772', '01', '03', '0000', 'fffffffe01020304']
  assert.is(hex, [...parts, '0000000500000006', '00000007fffffff8', '00'.repeat(14)].join(''))
  assert.equal([bytes[START - 1], bytes[START + 60]], [0xee, 0xee])
})

test('reads what it wrote, with any numbers, from a sender that is one', () => {
  const source = random(5)
  const out = loopProbe()
  for (let i = 0; i < 1000; i++) {
    const word = () => source.word() | 0
    const fields = {
      sender0: word(),
      sender1: word(),
      nonce0: word(),
      nonce1: word(),
      carrier0: word(),
      carrier1: word(),
    }
    const bytes = emitted(fields)
    assert.ok(isLoopProbe(bytes, START, START + 60) && parseLoopProbe(bytes, START, START + 60, out))
    assert.equal(out, fields)
    assert.is(bytes[START + 6]! & 3, 2, 'locally administered, no group')
    writeCarrier(bytes, START, fields.nonce0, fields.nonce1)
    assert.ok(parseLoopProbe(bytes, START, START + 60, out))
    assert.equal(out, { ...fields, carrier0: fields.nonce0, carrier1: fields.nonce1 })
  }
})

test('is neither mistaken for a probe of sizes, nor taken where anything is not as it must be', () => {
  const good = emitted()
  assert.not(isProbe(good, START, START + 60))
  for (const at of [0, 1, 2, 5, 12, 13]) {
    const bytes = good.slice()
    bytes[START + at]! ^= 1
    assert.not(isLoopProbe(bytes, START, START + 60), `octet ${at}`)
  }
  for (const at of [14, 17, 18, 19]) {
    const bytes = good.slice()
    bytes[START + at]! ^= 1
    assert.not(parseLoopProbe(bytes, START, START + 60, loopProbe()), `octet ${at}`)
  }
  assert.not(isLoopProbe(good, START, START + 13))
  assert.not(parseLoopProbe(good, START, START + 45, loopProbe()))
})

test.run()
