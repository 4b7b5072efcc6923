import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { unifiedDiff } from '#tsgre/host/line-diff.js'

test('prints a change with three lines around it', () => {
  const before = '{\n  "a": 1,\n  "b": 2,\n  "c": 3,\n  "d": 4,\n  "e": 5,\n  "f": 6\n}\n'
  assert.is(
    unifiedDiff(before, before.replace('"d": 4', '"d": 9'), '/etc/docker/daemon.json'),
    `--- /etc/docker/daemon.json
+++ /etc/docker/daemon.json
@@ -2,7 +2,7 @@
   "a": 1,
   "b": 2,
   "c": 3,
-  "d": 4,
+  "d": 9,
   "e": 5,
   "f": 6
 }
`,
  )
})

test('prints a new file whole, from /dev/null', () => {
  assert.is(unifiedDiff(undefined, '{\n}\n', 'd'), '--- /dev/null\n+++ d\n@@ -0,0 +1,2 @@\n+{\n+}\n')
})

test('shows a last line that had no end', () => {
  assert.is(unifiedDiff('{}', '{}\n', 'd'), '--- d\n+++ d\n@@ -1 +1 @@\n-{}\n\\ No newline at end of file\n+{}\n')
})

test('keeps far changes apart and near ones together', () => {
  const lines = Array.from({ length: 30 }, (_, i) => `${i}\n`)
  const changed = (...at: number[]) => lines.map((line, i) => (at.includes(i) ? `new ${line}` : line)).join('')
  const headers = (after: string) => unifiedDiff(lines.join(''), after, 'd').match(/^@@.*@@$/gm)
  assert.equal(headers(changed(5, 25)), ['@@ -3,7 +3,7 @@', '@@ -23,7 +23,7 @@'])
  assert.equal(headers(changed(5, 11)), ['@@ -3,13 +3,13 @@'])
})

test('is empty when nothing differs', () => {
  assert.is(unifiedDiff('{}', '{}', 'd'), '')
})

/** Applies a diff by its own numbers, refusing any line that does not fit: the slow twin. */
function patched(text: string, diff: string): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? []
  const result: string[] = []
  let at = 0
  for (const [, start, length = '1', body] of diff.matchAll(/^@@ -(\d+)(?:,(\d+))? \+\S+ @@\n((?:[ +\-\\].*\n)*)/gm)) {
    const from = Number(start) - (length === '0' ? 0 : 1)
    result.push(...lines.slice(at, from))
    at = from
    for (const [, sign, line] of body!.replace(/\n\\.*\n/g, '\u0000\n').matchAll(/^(.)(.*\n)/gm)) {
      const whole = line!.replace('\u0000\n', '')
      if (sign !== '+' && lines[at++] !== whole) throw new Error(`line ${at} is not ${JSON.stringify(whole)}`)
      if (sign !== '-') result.push(whole)
    }
  }
  return result.concat(lines.slice(at)).join('')
}

test('leads from any text to any other', () => {
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
  const text = () =>
    Array.from({ length: random(25) }, () => `${'abcd'[random(4)]}\n`).join('') + (random(3) ? '' : 'no end')
  for (let round = 0; round < 3000; round++) {
    const before = text()
    const after = text()
    assert.is(patched(before, unifiedDiff(before, after, 'd')), after)
  }
})

test.run()
