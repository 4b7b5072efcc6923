// tshark and capinfos on a file: fields of every packet, or all it says.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs `use` with a file of these bytes, which then goes. */
export function withFile<T>(bytes: Uint8Array, use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'tsgre-capture-'))
  try {
    const path = join(folder, 'file.pcapng')
    writeFileSync(path, bytes)
    return use(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The asked fields of every packet; checksums are judged. */
export function tsharkFields(
  bytes: Uint8Array,
  fields: readonly string[],
  options: readonly string[] = [],
): string[][] {
  const argv = ['-n', ...options, '-T', 'fields', '-E', 'separator=|', ...fields.flatMap((field) => ['-e', field])]
  for (const protocol of ['ip', 'udp']) argv.push('-o', `${protocol}.check_checksum:TRUE`)
  const text = withFile(bytes, (path) => output('tshark', [...argv, '-r', path]))
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('|'))
}

export function output(command: string, argv: readonly string[]): string {
  return execFileSync(command, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
