// A bar picture in plain text, for a terminal of 100 columns.

export interface Bar {
  name: string
  value: number
}

const COLUMNS = 100
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** To an eighth of a column; something is never nothing. */
function bar(columns: number): string {
  const eighths = Math.max(1, Math.round(columns * 8))
  return '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]
}

/** The longest bar is the largest value; those that are not numbers are left out. */
export function bars(title: string, all: readonly Bar[], digits: number): string {
  const rows = all.filter(({ value }) => Number.isFinite(value))
  const most = Math.max(...rows.map(({ value }) => value), Number.MIN_VALUE)
  const names = Math.max(...rows.map(({ name }) => name.length), 0)
  const numbers = Math.max(...rows.map(({ value }) => value.toFixed(digits).length), 0)
  const room = COLUMNS - names - numbers - 4
  const lines = rows.map(({ name, value }) => {
    const drawn = value > 0 ? bar((value / most) * room) : ''
    return `  ${name.padEnd(names)} ${value.toFixed(digits).padStart(numbers)} ${drawn}`
  })
  return [title, ...lines].join('\n')
}
