// The runner must not believe in silence: every way a test file can fail to tell is a failure.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { deadlineSeconds } from './deadlines.js'
import { type FileReport, runFile } from './run-file.js'

const totals = (total: number, passed: number) =>
  `console.log('\\n  Total:     ${total}\\n  Passed:    ${passed}\\n  Skipped:   0\\n')`

let folder = ''
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-file-'))
})
test.after(() => rmSync(folder, { recursive: true, force: true }))

function run(source: string, deadlineMs = 20_000): Promise<FileReport> {
  const path = join(folder, 'file.mjs')
  writeFileSync(path, source)
  return runFile(path, {}, deadlineMs).report
}

test('sums the totals of all suites of a file', async () => {
  const { passed, failed, trouble } = await run(`${totals(2, 2)}; ${totals(3, 3)}`)
  assert.equal([passed, failed, trouble], [5, 0, ''])
})

test('counts a failed test once, though the exit code tells it again', async () => {
  const { passed, failed } = await run(`${totals(2, 1)}; process.exitCode = 1`)
  assert.equal([passed, failed], [1, 1])
})

test('names the failed tests with their messages', async () => {
  const uvu = import.meta.resolve('uvu')
  const { failed, failures } = await run(
    `import { suite } from '${uvu}'
     for (const name of ['', 'of a suite']) {
       const test = suite(name)
       test('passes', () => {})
       test('fails "so"', () => { throw new Error('on purpose\\nand more') })
       test.run()
     }`,
  )
  assert.is(failed, 2)
  assert.equal(failures, ['"fails "so"": on purpose', '"fails "so"": on purpose'])
})

test('counts tests that were left out as failed, though the file exits with 0', async () => {
  const { failed, trouble } = await run(totals(4, 1))
  assert.is(failed, 3)
  assert.match(trouble, 'left out')
})

test('counts a file that crashes as failed and keeps what it said', async () => {
  const { failed, trouble, output } = await run(`throw new Error('on purpose')`)
  assert.is(failed, 1)
  assert.match(trouble, 'no test ran')
  assert.match(output, 'on purpose')
})

test('counts a file that says nothing as failed', async () => {
  assert.is((await run('')).failed, 1)
})

test('counts a file that crashes after its totals as failed', async () => {
  const { passed, failed, trouble } = await run(`${totals(2, 2)}; process.exitCode = 7`)
  assert.equal([passed, failed], [2, 1])
  assert.match(trouble, 'exit code 7')
})

test('ends a file at its deadline together with what it started', async () => {
  const source = `import { spawn } from 'node:child_process'
     console.log(spawn('sleep', ['600']).pid)`
  // A busy machine may take longer to start it.
  let report = await run(source, 1000)
  for (let ms = 5000; report.output === '' && ms < 100_000; ms *= 4) report = await run(source, ms)
  const { failed, trouble, output } = report
  assert.is(failed, 1)
  assert.match(trouble, 'still running')
  const pid = Number(output)
  assert.ok(pid > 1, output)
  const gone = () => process.kill(pid, 0)
  for (let tries = 0; tries < 300 && !throws(gone); tries++) await new Promise((resolve) => setTimeout(resolve, 100))
  assert.throws(gone, /ESRCH/)
})

test('gives the longest matching prefix its deadline', () => {
  assert.is(deadlineSeconds('netns/rig', false), 450)
  assert.is(deadlineSeconds('unit/wire/gre', false), 300)
  assert.is(deadlineSeconds('netns/rig', true), 4500)
})

function throws(action: () => void): boolean {
  try {
    action()
    return false
  } catch {
    return true
  }
}

test.run()
