// Starts a test file again under another command: in a network namespace of its own, or with flags of V8.
// Invariant: only the inner run gets past the call; the outer one ends with the inner one's exit code.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MARK = 'TSGRE_TEST_INNER'

function reexec(url: string, command: readonly string[]): void {
  const file = fileURLToPath(url)
  if (process.env[MARK] === file) return
  const [program, ...words] = [...command, file]
  const inner = spawnSync(program, words, { stdio: 'inherit', env: { ...process.env, [MARK]: file } })
  if (inner.error) throw inner.error
  if (inner.signal) process.kill(process.pid, inner.signal) // so that the runner tells it
  process.exit(inner.status ?? 1)
}

/** Runs the file in a fresh network namespace, which goes with the process; without root, in a user namespace too. */
export function inOwnNetwork(url: string): void {
  const mapped = process.getuid?.() === 0 ? [] : ['--map-root-user']
  reexec(url, ['unshare', ...mapped, '--net', process.execPath])
}

/** Runs the file with flags of V8 that can only be given at the start. */
export function withFlags(url: string, ...flags: string[]): void {
  reexec(url, [process.execPath, ...flags])
}
