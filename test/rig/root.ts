// Where the repository lies, seen from compiled tests: .build/test/rig is three folders deep.

import { readFileSync } from 'node:fs'

export const ROOT = new URL('../../../', import.meta.url)

/** Bytes of a file under test/fixtures. */
export function fixture(path: string): Buffer {
  return readFileSync(new URL(`test/fixtures/${path}`, ROOT))
}
