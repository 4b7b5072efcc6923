import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { farEnds, narrowestWay } from '#tsgre/cli/report.js'

test('the far end is told by its address, of several the first and how many more', () => {
  assert.is(farEnds(['192.0.2.5']), '192.0.2.5')
  assert.is(farEnds(['192.0.2.5', '192.0.2.6', '192.0.2.7']), '192.0.2.5 and 2 more')
  assert.is(farEnds([]), 'no remote')
})

test('another tunnel MTU is put down to the way, and of several to the narrowest', () => {
  const ways = [1462, 1400, 1420].map((tunnelMtu, index) => ({ remote: `192.0.2.${5 + index}`, tunnelMtu }))
  assert.is(narrowestWay(ways), 'of the ways to 3 remotes the narrowest is that to 192.0.2.6')
  assert.is(narrowestWay(ways.slice(1, 2)), 'that is what fits the way to 192.0.2.6')
  assert.is(narrowestWay([]), 'there is no remote')
})

test.run()
