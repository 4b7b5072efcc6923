import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ago, brief, duration, roundTrip, size } from '#tsgre/cli/amounts.js'

test('a brief number has five characters at most, also where it rounds up to a thousand', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [0.4, '0'],
    [999.4, '999'],
    [999.6, '1.0k'],
    [1234, '1.2k'],
    [9949, '9.9k'],
    [9951, '10k'],
    [999_499, '999k'],
    [999_600, '1.0M'],
    [34_000_000, '34M'],
    [1e9, '1.0G'],
  ]
  for (const [value, words] of cases) assert.is(brief(value), words)
  for (let value = 1; value < 1e15; value *= 1.37) assert.ok(brief(value).length <= 5, `${value}: ${brief(value)}`)
})

test('a time is told in the two units that matter', () => {
  assert.equal([5, 184, 18_360, 633_600].map(duration), ['5.0 s', '3 min 4 s', '5 h 6 min', '7 d 8 h'])
})

test('what never happened was never, and what comes from a faster clock is now', () => {
  assert.equal(
    [undefined, 10_500, 9_001, 7_000, -120_000, -7_200_000].map((at) => ago(at, 10_000)),
    ['never', 'now', 'now', '3 s ago', '2 min ago', '2 h 0 min ago'],
  )
})

test('bytes and round trips', () => {
  assert.equal([0, 999, 1000, 3_400_000].map(size), ['0 B', '999 B', '1.0 kB', '3.4 MB'])
  assert.equal([undefined, 0.312, 12.4].map(roundTrip), ['-', '0.31 ms', '12 ms'])
})

test.run()
