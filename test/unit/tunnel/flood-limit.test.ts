// The limit of frames that go to all peers.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { floodLimit } from '#tsgre/tunnel/flood-limit.js'

/** How many of 10 000 frames a second pass within `ms`. */
function passed(perSecond: number, ms: number): number {
  const limit = floodLimit(perSecond)
  let count = 0
  for (let i = 0; i < 10 * ms; i++) if (limit.take(1000 + i / 10)) count++
  return count
}

test('lets a tenth of a second pass at once, and then so many a second', () => {
  const limit = floodLimit(500)
  let burst = 0
  while (limit.take(7)) burst++
  assert.is(burst, 50)
  assert.ok(Math.abs(passed(500, 4000) - 2050) <= 1)
})

test('lets one pass even where a tenth of a second is none', () => {
  assert.is(passed(1, 10), 1)
  assert.is(passed(3, 2000), 6)
})

test.run()
