// A unified diff (as `diff -u` prints) of two short texts, to show a change before it is made. Quadratic in the lines:
// meant for configuration files, not for logs.

interface Line {
  /** ' ' in both, '-' only before, '+' only after. */
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

const CONTEXT = 3

/** '' when nothing differs; undefined `before` is a file that does not exist. */
export function unifiedDiff(before: string | undefined, after: string, path: string): string {
  if (before === after) return ''
  const script = editScript(linesOf(before ?? ''), linesOf(after))
  const head = `--- ${before === undefined ? '/dev/null' : path}\n+++ ${path}\n`
  return (
    head +
    hunks(script)
      .map(([from, to]) => hunkText(script, from, to))
      .join('')
  )
}

/** Lines with their ends, so that a missing last newline is a difference too. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

function editScript(a: readonly string[], b: readonly string[]): Line[] {
  const common = commonLengths(a, b)
  const script: Line[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && a[i] === b[j]) {
      script.push({ sign: ' ', text: a[i++]! })
      j++
    } else if (i < a.length && (j === b.length || common[i + 1]![j]! >= common[i]![j + 1]!)) {
      script.push({ sign: '-', text: a[i++]! })
    } else script.push({ sign: '+', text: b[j++]! })
  }
  return script
}

/** At [i][j]: how many lines of a from i on and of b from j on can stay in common. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i]![j] = a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!)
    }
  }
  return table
}

/** Ranges of the script to show: each change with its context, those that touch in one. */
function hunks(script: readonly Line[]): [number, number][] {
  const ranges: [number, number][] = []
  script.forEach(({ sign }, at) => {
    if (sign === ' ') return
    const from = Math.max(0, at - CONTEXT)
    const to = Math.min(script.length, at + CONTEXT + 1)
    const last = ranges.at(-1)
    if (last && from <= last[1]) last[1] = to
    else ranges.push([from, to])
  })
  return ranges
}

function hunkText(script: readonly Line[], from: number, to: number): string {
  const shown = script.slice(from, to)
  const body = shown.map(
    ({ sign, text }) => sign + (text.endsWith('\n') ? text : `${text}\n\\ No newline at end of file\n`),
  )
  return `@@ -${range(script, from, shown, '+')} +${range(script, from, shown, '-')} @@\n${body.join('')}`
}

/** Where the hunk stands in the text that lacks the lines signed `foreign`; an empty range names the line before it. */
function range(script: readonly Line[], from: number, shown: readonly Line[], foreign: '+' | '-'): string {
  const count = (lines: readonly Line[]) => lines.filter(({ sign }) => sign !== foreign).length
  const length = count(shown)
  const start = count(script.slice(0, from)) + (length === 0 ? 0 : 1)
  return length === 1 ? `${start}` : `${start},${length}`
}
