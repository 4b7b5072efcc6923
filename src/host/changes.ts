// The changes one tunnel has made to this host. Rule: a change's way back is remembered, and written down, before it is made;
// all ways back bear that the change never happened.

import { writeFile } from 'node:fs/promises'
import type { Action, Change, Undo } from './change.js'
import { type Execute, execute } from './execute.js'
import type { Entry, Journal } from './journal.js'
import type { HeldSettings } from './settings.js'
import { takeBack } from './take-back.js'
import { fileError } from './whole-file.js'

/** A change that could not be taken back; the others were all the same. */
export interface UndoFailure extends Entry {
  readonly error: Error
}

/** What a Changes writes to; a Journal, or nothing. */
export type Record = Pick<Journal, 'add' | 'keep'>

export class Changes {
  readonly #run: Execute
  readonly #record: Record | undefined
  readonly #held: () => HeldSettings
  #made: readonly Entry[]
  #stale: Error | undefined

  /**
   * `held` tells which settings other tunnels of this host hold; `left` is what an earlier process could not take back, and
   * is in the record already.
   */
  constructor(
    run: Execute = execute,
    record?: Record,
    held: () => HeldSettings = () => [],
    left: readonly Entry[] = [],
  ) {
    this.#run = run
    this.#record = record
    this.#held = held
    this.#made = left
  }

  /**
   * Makes the changes in their order, and returns those that did something.
   * @throws HostError or SystemError of the first that fails; those before it stand until `unwind`
   */
  async make(changes: readonly Change[]): Promise<Change[]> {
    const done: Change[] = []
    for (const change of changes) {
      const known = this.#remember(change)
      if (!change.action) continue
      try {
        await act(change.action, this.#run)
      } catch (error) {
        if (!known) this.#forget(change.undo) // nothing was changed; what is there by now is somebody else's
        throw error
      }
      done.push(change)
    }
    return done
  }

  /** Why the record still tells of all that `unwind` took back; undefined where it does not. */
  get stale(): Error | undefined {
    return this.#stale
  }

  /** Takes everything back once, the latest first. Never rejects; what failed stays written down, see also `stale`. */
  async unwind(): Promise<UndoFailure[]> {
    const made = this.#made
    this.#made = []
    const failed = await takeAllBack(made, this.#held(), this.#run)
    const left = made.filter(({ undo }) => failed.some((failure) => failure.undo === undo))
    if (made.length > 0) this.#keepAtEnd(left)
    return failed
  }

  #keepAtEnd(left: readonly Entry[]): void {
    try {
      this.#record?.keep(left)
    } catch (error) {
      this.#stale = error as Error
    }
  }

  /** Whether it was remembered already: a change may have to be made again, its way back stays the first one. */
  #remember({ what, undo }: Change): boolean {
    if (this.#made.some((entry) => same(entry.undo, undo))) return true
    this.#record?.add({ what, undo })
    this.#made = [...this.#made, { what, undo }]
    return false
  }

  #forget(undo: Undo): void {
    this.#made = this.#made.filter((entry) => entry.undo !== undo)
    this.#record?.keep(this.#made)
  }
}

/** Takes back the entries, the latest first, and goes on past a failure. */
export async function takeAllBack(
  entries: readonly Entry[],
  held: HeldSettings,
  run: Execute = execute,
): Promise<UndoFailure[]> {
  const failures: UndoFailure[] = []
  for (const entry of [...entries].reverse()) {
    try {
      await takeBack(entry.undo, held, run)
    } catch (error) {
      failures.push({ ...entry, error: error instanceof Error ? error : new Error(String(error)) })
    }
  }
  return failures
}

async function act(action: Action, run: Execute): Promise<void> {
  if ('run' in action) await run(action.run[0], action.run.slice(1))
  else await writeFile(action.write, action.text).catch((error) => Promise.reject(fileError(error, action.write)))
}

function same(a: Undo, b: Undo): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
