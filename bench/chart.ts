// Horizontal bars as an SVG by itself: no script, no font, no file beside it. It follows the reader's light or dark mode,
// with a ground of its own, since the page around it may not.

export interface ChartBar {
  name: string
  value: number
  /** Which of the three tones it has: `ours` stands out. */
  tone: Tone
}

export type Tone = 'ours' | 'other' | 'kernel'

export interface Panel {
  title: string
  digits: number
  bars: readonly ChartBar[]
}

export interface Chart {
  title: string
  /** Two: more has no room. */
  subtitle: readonly [string, string]
  legend: Readonly<Record<Tone, string>>
  panels: readonly Panel[]
}

const WIDTH = 860
const MARGIN = 28
const NAMES = 222
const VALUES = 56
const ROW = 26
const BAR = 16
const HEAD = 124
const PANEL_HEAD = 40

const STYLE = `
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 }
.panel { font-size: 14px; font-weight: 600 }
.quiet { fill: #59636e }
.name { text-anchor: end }
.strong { font-weight: 600 }
.ground { fill: #ffffff; stroke: #d1d9e0 }
.ours { fill: #0a67d3 }
.other { fill: #8c959f }
.kernel { fill: #c9d1d9 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.quiet { fill: #9198a1 }
.ground { fill: #0d1117; stroke: #3d444d }
.ours { fill: #4493f8 }
.other { fill: #768390 }
.kernel { fill: #444c56 }
}`

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}

function text(x: number, y: number, words: string, names = ''): string {
  return `<text x="${x}" y="${y}"${names && ` class="${names}"`}>${escaped(words)}</text>`
}

function rect(x: number, y: number, width: number, height: number, names: string, radius = 2): string {
  const size = `width="${Number(width.toFixed(1))}" height="${height}"`
  return `<rect x="${x}" y="${y}" ${size} rx="${radius}" class="${names}"/>`
}

function row({ name, value, tone }: ChartBar, top: number, most: number, digits: number): string[] {
  const start = MARGIN + NAMES
  const width = Math.max(1, (value / most) * (WIDTH - MARGIN - VALUES - start))
  const base = top + BAR - 3.5
  const strong = tone === 'ours' ? ' strong' : ''
  return [
    text(start - 10, base, name, `name${strong}`),
    rect(start, top, width, BAR, tone),
    text(Number((start + width + 8).toFixed(1)), base, value.toFixed(digits), strong.trim()),
  ]
}

function panel({ title, digits, bars }: Panel, top: number): string[] {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE)
  const rows = bars.flatMap((bar, i) => row(bar, top + PANEL_HEAD + i * ROW, most, digits))
  return [text(MARGIN, top + 24, title, 'panel'), ...rows]
}

function legend(entries: Chart['legend']): string[] {
  let x = MARGIN
  return (Object.keys(entries) as Tone[]).flatMap((tone) => {
    const drawn = [rect(x, 98, 12, 12, tone), text(x + 18, 109, entries[tone], 'quiet')]
    x += 18 + entries[tone].length * 7 + 24
    return drawn
  })
}

/** Bars whose value is not a number are left out, and so are panels without bars. */
export function chart({ title, subtitle, legend: entries, panels }: Chart): string {
  const shown = panels
    .map((one) => ({ ...one, bars: one.bars.filter(({ value }) => Number.isFinite(value)) }))
    .filter(({ bars }) => bars.length > 0)
  let height = HEAD
  const drawn = shown.flatMap((one) => {
    const top = height
    height += PANEL_HEAD + one.bars.length * ROW + 8
    return panel(one, top)
  })
  height += MARGIN - 12
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    rect(0.5, 0.5, WIDTH - 1, height - 1, 'ground', 8),
    text(MARGIN, 36, title, 'title'),
    ...subtitle.map((line, i) => text(MARGIN, 58 + i * 20, line, 'quiet')),
    ...legend(entries),
    ...drawn,
    '</svg>',
    '',
  ].join('\n')
}
