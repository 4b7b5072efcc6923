// One compiled test file as a process group of its own, with a deadline. It reports; it prints nothing.
// Invariant: the promise settles, whatever the file leaves running; past its deadline the whole group is killed.

import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'

export interface FileReport {
  pid: number
  passed: number
  failed: number
  skipped: number
  seconds: number
  /** Why the file counts as failed besides its failed tests, or ''. */
  trouble: string
  /** The names of the failed tests, each with the message of its failure. */
  failures: string[]
  output: string
}

export interface RunningFile {
  report: Promise<FileReport>
  /** Lets the file clean up for two seconds, then kills its group. */
  abort(): void
}

const GRACE_MS = 2000
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that starts a colour
const COLOUR = /\x1b\[[0-9;]*m/g

function sum(output: string, label: string): number {
  const found = output.replace(COLOUR, '').matchAll(new RegExp(`^  ${label}: +(\\d+)$`, 'gm'))
  return [...found].reduce((total, match) => total + Number(match[1]), 0)
}

/** As uvu prints them: a name in quotation marks behind FAIL, the message in the next line. */
function failuresOf(output: string): string[] {
  const found = output.replace(COLOUR, '').matchAll(/^ {3}FAIL {2}(?:[^"]* )?(".*")\n +(.*)$/gm)
  return [...found].map(([, name, message]) => `${name}: ${message}`)
}

/** The end of what a file said, in one line. */
function lastOf(output: string): string {
  return output.replace(COLOUR, '').trim().slice(-600).replace(/\s+/g, ' ')
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal)
  } catch {
    // the group is empty
  }
}

function troubleOf(code: number | null, signal: NodeJS.Signals | null, total: number, failed: number): string {
  if (signal) return `ended by ${signal}`
  if (total === 0) return `no test ran (exit code ${code})`
  if (code !== 0 && failed === 0) return `exit code ${code} with no failed test`
  // uvu forgets what a `before` hook throws and exits 0; only its totals tell.
  if (code === 0 && failed > 0) return 'tests were left out, probably by a before hook that threw'
  return ''
}

export function runFile(file: string, environment: NodeJS.ProcessEnv, deadlineMs: number): RunningFile {
  const started = performance.now()
  const child = spawn(process.execPath, [file], {
    detached: true,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))

  let stopped = ''
  const stop = (why: string) => {
    stopped ||= why
    child.kill('SIGTERM')
    setTimeout(() => signalGroup(child.pid!, 'SIGKILL'), GRACE_MS).unref()
  }
  const deadline = setTimeout(() => stop(`still running after ${deadlineMs / 1000} s`), deadlineMs)

  const report = new Promise<FileReport>((resolve, reject) => {
    child.once('error', reject)
    // What the file left running holds its pipes open, and `close` would wait for that.
    child.once('exit', () => {
      if (stopped) signalGroup(child.pid!, 'SIGKILL')
      setTimeout(() => child.stdout.destroy() && child.stderr.destroy(), GRACE_MS).unref()
    })
    child.once('close', (code, signal) => {
      clearTimeout(deadline)
      const output = Buffer.concat(chunks).toString()
      const total = sum(output, 'Total')
      const passed = sum(output, 'Passed')
      const found = stopped || troubleOf(code, signal, total, total - passed)
      // Without totals no failed test has a name, and what was said last is all there is.
      const trouble = found && total === 0 ? `${found}: ${lastOf(output)}` : found
      const seconds = (performance.now() - started) / 1000
      const failed = Math.max(total - passed, trouble ? 1 : 0)
      const skipped = sum(output, 'Skipped')
      const failures = failuresOf(output)
      resolve({ pid: child.pid!, passed, failed, skipped, seconds, trouble, failures, output })
    })
  })
  return { report, abort: () => stop('interrupted') }
}
