// Tests of one file that run at the same time: they wait for clocks more than they work. Each is reported in its turn.

import { test } from 'uvu'

export function together(claim: string, story: () => Promise<void>): void {
  const told = story()
  told.catch(() => {}) // until its turn
  test(claim, () => told)
}
