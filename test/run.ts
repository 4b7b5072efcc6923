// The test runner: node .build/test/run.js [part of a file name …].
// Every *.test.js is a process of its own, with a mark and a temporary folder of its own: by them what a file left behind is told
// from what its neighbour runs. Which files are neighbours, rig/lanes.ts decides.
// Invariant: the last line is `N passed, N failed`, and nothing of the run is left on the machine.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { deadlineSeconds } from './rig/deadlines.js'
import { runInLanes } from './rig/lanes.js'
import { describeLeftovers, findLeftovers, findOrphans, RUN_MARK, removeLeftovers, rigOwner } from './rig/leftovers.js'
import { type FileReport, type RunningFile, runFile } from './rig/run-file.js'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const SUFFIX = '.test.js'
// Two, also where there are more processors: network devices come and go under one lock of the kernel.
const LANES = Math.min(2, availableParallelism())

const runMark = `${process.pid}.${Date.now()}`
const scratch = mkdtempSync(join(tmpdir(), 'tsgre-run-'))
// Tests that become another user find their files there.
chmodSync(scratch, 0o755)
const running = new Set<RunningFile>()
/** What failed, once more before the last line: who reads the end of a long output alone misses nothing. */
const failures: string[] = []
const totals = { passed: 0, failed: 0, skipped: 0 }
let started = 0
let interrupted = false

function testNames(filters: string[]): string[] {
  return readdirSync(HERE, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(SUFFIX))
    .map((path) => path.slice(0, -SUFFIX.length))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
    .sort()
}

/** Whose rigs a file made: its own process's, and those that folders name which were never removed. */
function ownersOf(pid: number, folder: string): Set<number> {
  const owners = readdirSync(folder).map(rigOwner)
  return new Set([pid, ...owners.filter((owner) => owner !== undefined)])
}

/** Removes and names what a file left. A process that was just killed gets some seconds to be gone. */
async function sweep(mark: string, owners: ReadonlySet<number>): Promise<string> {
  for (let attempt = 0; attempt < 100 && describeLeftovers(findLeftovers(mark, owners)); attempt++) await sleep(100)
  const left = findLeftovers(mark, owners)
  removeLeftovers(left)
  return describeLeftovers(left)
}

function print(name: string, report: FileReport): void {
  const { passed, failed, trouble, seconds, output } = report
  failures.push(...[trouble, ...report.failures].filter(Boolean).map((words) => `failed: ${name}: ${words}`))
  const counts = failed > 0 ? `${passed} passed, ${failed} failed` : `${passed} passed`
  console.log(
    `${failed > 0 ? 'FAIL' : 'ok  '} ${name.padEnd(44)} ${counts.padStart(12)} ${seconds.toFixed(1).padStart(7)} s`,
  )
  if (failed > 0) console.log(`${trouble ? `     ${name}: ${trouble}\n` : ''}${output.replace(/^/gm, '     | ')}`)
}

async function run(name: string): Promise<void> {
  if (interrupted) return
  const deadline = deadlineSeconds(name, Boolean(process.env.TSGRE_LONG)) * 1000
  const mark = `${runMark}.${++started}`
  // Where the file's os.tmpdir() is.
  const folder = join(scratch, String(started))
  mkdirSync(folder)
  const file = runFile(join(HERE, name + SUFFIX), { TMPDIR: folder, [RUN_MARK]: mark }, deadline)
  running.add(file)
  const report = await file.report
  running.delete(file)
  const left = await sweep(mark, ownersOf(report.pid, folder))
  if (left) {
    report.failed++
    report.trouble = [report.trouble, `left behind ${left}`].filter(Boolean).join('; ')
  }
  totals.passed += report.passed
  totals.failed += report.failed
  totals.skipped += report.skipped
  print(name, report)
}

function finish(): void {
  rmSync(scratch, { recursive: true, force: true })
  if (totals.passed + totals.failed === 0) console.log('no test ran')
  if (failures.length > 0) console.log(failures.join('\n'))
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

await runInLanes(testNames(process.argv.slice(2)), LANES, run)
finish()
