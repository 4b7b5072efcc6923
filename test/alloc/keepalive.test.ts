// No garbage collection in half a million answers that are heard, and as many that are nobody's.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Keepalive, UP } from '#tsgre/tunnel/keepalive.js'
import { steadyCollections } from '../rig/collections.js'
import { withFlags } from '../rig/reexec.js'

withFlags(import.meta.url, '--max-semi-space-size=1')

const ANSWERS = 500_000

test('hears answers, and what is none, without a collection', async () => {
  const nonce = new Int32Array(2)
  const ask = (_peer: number, _size: number, nonce0: number, nonce1: number) => {
    nonce[0] = nonce0
    nonce[1] = nonce1
    return true
  }
  const keepalive = new Keepalive(0, 1, 3, { ask })
  keepalive.tick(0)
  let now = 1000
  const found = await steadyCollections(ANSWERS, (times) => {
    for (let i = 0; i < times; i++) {
      if ((i & 1023) === 0) {
        now += 1000
        keepalive.tick(now)
      }
      keepalive.hear(nonce[0]!, nonce[1]!, now)
      keepalive.hear(nonce[1]!, i, now)
      keepalive.noticed()
    }
  })
  assert.is(found, 0)
  assert.is(keepalive.state, UP)
})

test.run()
