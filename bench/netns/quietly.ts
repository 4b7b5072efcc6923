// A step of the bench on a machine that others use too: done again when they disturbed it, and the quietest one counts.
// Invariant: a step always ends with a result; a busy machine is noted, never an error.

import type { Hosts } from '../../test/rig/hosts.js'
import { foreignSeconds } from './load.js'

/** Cores that others may use, on average, before a step counts as disturbed. */
const DISTURBED = 0.2
const TRIES = 3

export interface Step<Result> {
  result: Result
  /** Cores that others used meanwhile. */
  foreignCores: number
  tries: number
}

export async function quietly<Result>(rig: Hosts, step: () => Promise<Result>): Promise<Step<Result>> {
  let best: Step<Result> | undefined
  for (let tries = 1; tries <= TRIES; tries++) {
    const [seconds, started] = [foreignSeconds(rig), performance.now()]
    const result = await step()
    const elapsed = (performance.now() - started) / 1000
    const foreignCores = Math.max(0, foreignSeconds(rig) - seconds) / elapsed
    if (!best || foreignCores < best.foreignCores) best = { result, foreignCores, tries }
    best.tries = tries
    if (foreignCores < DISTURBED) break
  }
  return best!
}
