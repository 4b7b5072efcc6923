import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bars } from '../../../bench/bars.js'
import { type Chart, chart } from '../../../bench/chart.js'
import { peersNamed } from '../../../bench/netns/peers.js'
import { pointsOf } from '../../../bench/scale/points.js'

const CHART: Chart = {
  title: 'A & B',
  subtitle: ['<here>', 'now'],
  legend: { ours: 'ours', other: 'theirs', kernel: 'kernel' },
  panels: [
    {
      title: 'Gbit/s',
      digits: 1,
      bars: [
        { name: 'one', value: 4, tone: 'ours' },
        { name: 'half', value: 2, tone: 'other' },
        { name: 'none', value: Number.NaN, tone: 'other' },
      ],
    },
    { title: 'nobody', digits: 1, bars: [{ name: 'none', value: Number.NaN, tone: 'other' }] },
  ],
}

const widths = (svg: string) => [...svg.matchAll(/height="16" rx="2" class="(\w+)"/g)].map((found) => found[1])

test('draws bars as long as their values, none wider than 100 columns', () => {
  const [title, ...rows] = bars(
    'Gbit/s',
    [
      { name: 'one', value: 10 },
      { name: 'quarter', value: 2.5 },
    ],
    1,
  ).split('\n')
  assert.is(title, 'Gbit/s')
  const [whole, quarter] = rows.map((row) => [...row].filter((char) => char === '█').length)
  assert.is(Math.floor(whole! / 4), quarter)
  assert.ok(rows.every((row) => row.length <= 100))
  assert.ok(whole! > 70)
})

test('draws a small value as something and zero as nothing', () => {
  const rows = bars(
    '',
    [
      { name: 'a', value: 1e6 },
      { name: 'b', value: 1 },
      { name: 'c', value: 0 },
    ],
    0,
  ).split('\n')
  assert.match(rows[2]!, /▏$/)
  assert.match(rows[3]!, /0 $/)
})

test('leaves what has no value out of a bar picture', () => {
  assert.not.match(
    bars(
      '',
      [
        { name: 'one', value: 1 },
        { name: 'none', value: Number.NaN },
      ],
      1,
    ),
    /none/,
  )
})

test('makes an SVG with a bar and its number for every value, and no panel without bars', () => {
  const svg = chart(CHART)
  assert.equal(widths(svg), ['ours', 'other'])
  assert.match(svg, />4\.0</)
  assert.match(svg, />2\.0</)
  assert.not.match(svg, /nobody|NaN|none</)
})

test('draws the bar of half the value half as wide', () => {
  const [one, half] = [...chart(CHART).matchAll(/width="([\d.]+)" height="16"/g)].map((found) => Number(found[1]))
  assert.ok(Math.abs(one! / 2 - half!) < 0.1)
})

test('escapes words in an SVG', () => {
  const svg = chart(CHART)
  assert.match(svg, /A &amp; B/)
  assert.match(svg, /&lt;here&gt;/)
})

test('scales every peer over flows and MTUs, no point twice', () => {
  const points = pointsOf(peersNamed(['tsgre', 'tsgre-udp']))
  assert.is(points.length, 16)
  assert.is(new Set(points.map(({ name }) => name)).size, 16)
})

test.run()
