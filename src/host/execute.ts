// Runs one command of this machine, without a shell. What changes the host or asks about it takes an Execute as its last
// parameter, so that a test can compare argv and answer in the command's place.

import { execFile } from 'node:child_process'
import { HostError } from '../errors.js'

/** Runs `command` and gives its stdout. */
export type Execute = (command: string, args: readonly string[]) => Promise<string>

/** Where Debian keeps the commands tsgre runs. */
const PACKAGES: Readonly<Record<string, string>> = {
  groupadd: 'passwd',
  ip: 'iproute2',
  ping: 'iputils-ping',
  systemctl: 'systemd',
  tcpdump: 'tcpdump',
  useradd: 'passwd',
}

/** @throws HostError TSGRE_COMMAND_FAILED when the command is missing, cannot be run, or fails */
export async function execute(command: string, args: readonly string[]): Promise<string> {
  // A routing table may be long: a router with a full table prints some hundred megabytes of JSON.
  const options = { maxBuffer: Number.POSITIVE_INFINITY, env: { ...process.env, LC_ALL: 'C' } }
  return await new Promise((resolve, reject) => {
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error) reject(failure(command, args, error, stderr))
      else resolve(stdout)
    })
    child.stdin?.end()
  })
}

/** The command as a person would type it: `ip route add 10.103.200.0/24 dev docker0`. */
export function typed(command: string, args: readonly string[]): string {
  return [command, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoted(word))).join(' ')
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

function failure(
  command: string,
  args: readonly string[],
  error: Error & { code?: unknown },
  stderr: string,
): HostError {
  const line = typed(command, args)
  if (error.code === 'ENOENT') return new HostError('TSGRE_COMMAND_FAILED', line, '', notFound(command, line))
  const said = stderr.trim() || error.message
  return new HostError('TSGRE_COMMAND_FAILED', line, stderr, `${line}: ${said}`)
}

function notFound(command: string, line: string): string {
  const debian = PACKAGES[command]
  const wayOut = debian ? `; on Debian it is in the package ${debian} (apt-get install ${debian})` : ''
  return `${line}: there is no command ${command} in PATH${wayOut}`
}
