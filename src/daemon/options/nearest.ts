// What was probably meant by a word that is not known: a key of a file, an option, a command.

/** The known word that is nearest to `word`, where one is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, '')
  const same = known.find((one) => plain(one) === plain(word))
  if (same !== undefined) return same
  const [best] = known.map((one) => ({ one, far: distance(word, one) })).sort((a, b) => a.far - b.far)
  return best !== undefined && best.far <= Math.max(1, Math.floor(word.length / 3)) ? best.one : undefined
}

/**
 * Levenshtein's: how many letters to add, take away, change or swap with the next one. Bounded: nobody types a key of 64 letters by
 * mistake.
 */
function distance(a: string, b: string): number {
  if (a.length > 64) return 64
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= a.length; i++) {
    const [row, before, next] = [rows[i - 1]!, rows[i - 2], [i]]
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, changed, isSwap && before ? before[j - 2]! + 1 : changed))
    }
    rows.push(next)
  }
  return rows.at(-1)![b.length]!
}
