// A name server that gives no answer at all: what is waited for is told, once.

import dns from 'node:dns/promises'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FollowNames } from '#tsgre/daemon/follow-names.js'

test('tells once which name a start waits for, when no answer comes', async () => {
  const lookup = dns.lookup
  dns.lookup = (() => new Promise(() => {})) as unknown as typeof lookup
  syncBuiltinESMExports()
  const told: string[] = []
  const say = (message: string) => void told.push(message)
  const names = new FollowNames([{ remote: 'nosuch.example' }], undefined, { note: say, warn: say })
  const stop = new AbortController()
  void names.first(stop.signal)
  try {
    await new Promise((resolve) => setTimeout(resolve, 3500))
    assert.equal(told, ['--remote nosuch.example: no answer about the name yet; it is waited for'])
  } finally {
    stop.abort()
    dns.lookup = lookup
    syncBuiltinESMExports()
  }
})

test('says nothing of a name that is answered, nor when it was stopped before', async () => {
  const told: string[] = []
  const say = (message: string) => void told.push(message)
  const names = new FollowNames([{ remote: 'localhost' }], undefined, { note: say, warn: say })
  await names.first(new AbortController().signal)
  await new Promise((resolve) => setTimeout(resolve, 3500))
  assert.equal(told, [])
})

test.run()
