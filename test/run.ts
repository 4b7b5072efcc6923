// The test runner: node .build/test/run.js [part of a file name …].
// Every *.test.js is a process of its own. Those that measure or change the machine run one after the other, the rest side by side.
// Invariant: the last line is `N passed, N failed`, and nothing of the run is left on the machine.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { deadlineSeconds } from './rig/deadlines.js'
import { describeLeftovers, findLeftovers, findOrphans, RUN_MARK, removeLeftovers, rigOwner } from './rig/leftovers.js'
import { type FileReport, type RunningFile, runFile } from './rig/run-file.js'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const SUFFIX = '.test.js'
const ALONE = /^(netns|host|alloc)\//

const mark = `${process.pid}.${Date.now()}`
// Everything the files write to os.tmpdir() lands here, so the folders of rigs that were never closed name their owners.
const scratch = mkdtempSync(join(tmpdir(), 'tsgre-run-'))
const owners = new Set<number>()
const running = new Set<RunningFile>()
const totals = { passed: 0, failed: 0, skipped: 0 }
let interrupted = false

function testNames(filters: string[]): string[] {
  return readdirSync(HERE, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(SUFFIX))
    .map((path) => path.slice(0, -SUFFIX.length))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
    .sort()
}

/** Removes and names what is left. A process that was just killed gets a second to be gone. */
async function sweep(): Promise<string> {
  for (const entry of readdirSync(scratch)) {
    const owner = rigOwner(entry)
    if (owner !== undefined) owners.add(owner)
  }
  for (let attempt = 0; attempt < 10 && describeLeftovers(findLeftovers(mark, owners)); attempt++) await sleep(100)
  const left = findLeftovers(mark, owners)
  removeLeftovers(left)
  return describeLeftovers(left)
}

function print(name: string, report: FileReport): void {
  const { passed, failed, trouble, seconds, output } = report
  const counts = failed > 0 ? `${passed} passed, ${failed} failed` : `${passed} passed`
  console.log(
    `${failed > 0 ? 'FAIL' : 'ok  '} ${name.padEnd(44)} ${counts.padStart(12)} ${seconds.toFixed(1).padStart(7)} s`,
  )
  if (failed > 0) console.log(`${trouble ? `     ${name}: ${trouble}\n` : ''}${output.replace(/^/gm, '     | ')}`)
}

async function run(name: string): Promise<void> {
  if (interrupted) return
  const deadline = deadlineSeconds(name, Boolean(process.env.TSGRE_LONG)) * 1000
  const file = runFile(join(HERE, name + SUFFIX), { TMPDIR: scratch, [RUN_MARK]: mark }, deadline)
  running.add(file)
  const report = await file.report
  running.delete(file)
  owners.add(report.pid)
  // Side by side, what a file left cannot be told from what its neighbours run: those are swept together.
  const left = ALONE.test(name) ? await sweep() : ''
  if (left) {
    report.failed++
    report.trouble = [report.trouble, `left behind ${left}`].filter(Boolean).join('; ')
  }
  totals.passed += report.passed
  totals.failed += report.failed
  totals.skipped += report.skipped
  print(name, report)
}

async function sideBySide(names: string[], lanes: number): Promise<void> {
  const waiting = [...names]
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await run(name)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

function finish(): void {
  rmSync(scratch, { recursive: true, force: true })
  if (totals.passed + totals.failed === 0) console.log('no test ran')
  if (totals.skipped > 0) console.log(`${totals.skipped} skipped`)
  console.log(`${totals.passed} passed, ${totals.failed} failed`)
  process.exitCode = interrupted ? 130 : totals.failed > 0 || totals.passed === 0 ? 1 : 0
}

function interrupt(): void {
  interrupted = true
  for (const file of running) file.abort()
}

process.on('SIGINT', interrupt)
process.on('SIGTERM', interrupt)

const orphans = findOrphans()
removeLeftovers(orphans)
if (orphans.namespaces.length > 0) console.log(`removed what an earlier run left: ${describeLeftovers(orphans)}`)

const names = testNames(process.argv.slice(2))
await sideBySide(
  names.filter((name) => !ALONE.test(name)),
  Math.min(4, availableParallelism()),
)
const left = await sweep()
if (left) {
  totals.failed++
  console.log(`FAIL left behind: ${left}`)
}
for (const name of names.filter((name) => ALONE.test(name))) await run(name)
finish()
