// The rounds of all peers as tables and pictures: medians with their range, ratios within each round.

import { bars } from '../bars.js'
import { type Chart, chart, type Tone } from '../chart.js'
import { machineLine, median } from '../measure.js'
import { versions } from '../record.js'
import { cell, table } from '../table.js'
import { FIGURES, type FigureName, type Figures } from './figures.js'
import { measured, type Results, roundByRound, valuesOf } from './results.js'
import { stream, targetsTable } from './targets.js'

/** Of these a ratio says something. */
const COMPARED: readonly FigureName[] = ['forth', 'back', 'four', 'cpu', 'packets', 'p50', 'p99']
const NAMES = Object.keys(FIGURES) as FigureName[]

const PICTURES = [
  { title: 'One TCP stream, Gbit/s (mean of both directions)', of: stream, digits: 2 },
  { title: 'CPU of the tunnel’s processes, seconds for each GB (less is better)', of: named('cpu'), digits: 1 },
  { title: '64-byte UDP packets received, thousands a second', of: named('packets'), digits: 0 },
  { title: 'Idle ping, median, µs (less is better)', of: named('p50'), digits: 0 },
]
/** Of these the SVG is made. */
const CHARTED = 2

const LEGEND: Record<Tone, string> = { ours: 'tsgre', other: 'other user space', kernel: 'kernel only' }

function named(name: FigureName): (figures: Figures) => number {
  return (figures) => figures[name]
}

export function figuresTable(results: Results): string {
  const head = ['peer', ...NAMES.map((name) => FIGURES[name].title)]
  const rows = measured(results).map(([peer, rounds]) => [
    peer.name,
    ...NAMES.map((name) => cell(valuesOf(rounds, name), FIGURES[name].digits)),
  ])
  return table([head, ...rows])
}

/** The last peer beside each of the others, for who has named a few to hold against each other. */
export function ratiosTable(results: Results): string {
  const peers = measured(results).map(([peer]) => peer.name)
  const last = peers.pop()
  if (last === undefined || peers.length === 0) return ''
  const head = ['ratio', ...COMPARED.map((name) => FIGURES[name].title.replace(/,.*/, '')), 'ping p50, µs more']
  const rows = peers.map((other) => [
    `${last} : ${other}`,
    ...COMPARED.map((name) =>
      cell(
        roundByRound(results, last, other, (a, b) => a[name] / b[name]),
        2,
      ),
    ),
    cell(
      roundByRound(results, last, other, (a, b) => a.p50 - b.p50),
      0,
    ),
  ])
  return table([head, ...rows])
}

/** Without a picture that would have no bar. */
export function pictures(results: Results): string {
  const drawn = PICTURES.map(({ title, of, digits }) => {
    const rows = measured(results).map(([{ name }, rounds]) => ({ name, value: middle(valuesOf(rounds, of)) }))
    return rows.some(({ value }) => Number.isFinite(value)) ? bars(title, rows, digits) : ''
  })
  return drawn.filter(Boolean).join('\n\n')
}

function middle(values: readonly number[]): number {
  return values.length > 0 ? median(values) : Number.NaN
}

export function svg(results: Results, rounds: number): string {
  const described: Chart = {
    title: 'Container to container through each tunnel',
    subtitle: [
      machineLine(),
      `both hosts on one machine · median of ${rounds} · “on a wire”: no packet above the underlay’s MTU`,
    ],
    legend: LEGEND,
    panels: PICTURES.slice(0, CHARTED).map(({ title, of, digits }) => ({
      title,
      digits,
      bars: measured(results).map(([peer, all]) => ({
        name: peer.title,
        value: middle(valuesOf(all, of)),
        tone: peer.kind,
      })),
    })),
  }
  return chart(described)
}

/** Targets, where there are some, before all figures. `ratios`: each peer beside the last one, too. */
export function tables(results: Results, ratios: boolean): string {
  const targets = targetsTable(results)
  const compared = ratios ? ratiosTable(results) : ''
  return [
    ...(targets ? ['Figures to reach; a ratio is the median (and range) of the ratios within a round:', targets] : []),
    'All figures, median (least–most):',
    figuresTable(results),
    ...(compared ? ['Ratios, each the median (and range) of the ratios within a round:', compared] : []),
  ].join('\n\n')
}

export function markdown(results: Results, how: string, ratios: boolean, leftOut: readonly string[]): string {
  const about = measured(results).map(([peer]) => `- **${peer.name}**: ${peer.about}`)
  return [
    '# Container to container, both hosts on one machine',
    `${machineLine()}\n${versions()}\n${how}`,
    about.join('\n'),
    ...(leftOut.length > 0 ? [`Without a result:\n\n${leftOut.map((line) => `- ${line}`).join('\n')}`] : []),
    tables(results, ratios),
    `\`\`\`\n${pictures(results)}\n\`\`\``,
    '',
  ].join('\n\n')
}
