// Figures as text: a cell of median and range, and tables that read as Markdown and in a terminal alike.

import { median } from './measure.js'

export const NOTHING = '–'

/** `2.00 (1.00–3.00)`; a dash where there is no value. */
export function cell(all: readonly number[], digits: number): string {
  if (all.length === 0) return NOTHING
  const [middle, least, most] = [median(all), Math.min(...all), Math.max(...all)].map((value) => value.toFixed(digits))
  return `${middle} (${least}–${most})`
}

/** The first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const lines = rows.map((row) => `| ${row.map((text, column) => text.padEnd(widths[column])).join(' | ')} |`)
  return [lines[0], `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...lines.slice(1)].join('\n')
}
