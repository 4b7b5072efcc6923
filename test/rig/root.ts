// Where the repository lies, seen from compiled tests: .build/test/rig is three folders deep.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT = new URL('../../../', import.meta.url)

/** Bytes of a file under test/fixtures. */
export function fixture(path: string): Buffer {
  return readFileSync(new URL(`test/fixtures/${path}`, ROOT))
}

/** The path of a file of the repository that is used as it is. */
export function fileOf(path: string): string {
  return fileURLToPath(new URL(path, ROOT))
}
