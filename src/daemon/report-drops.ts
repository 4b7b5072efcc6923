// Tells of drops that go on, now and then: one line for each reason, with what to do about it.

import { DROP_REASONS, type DropReason } from '../drops.js'
import { REMEDIES } from './remedies.js'

const NOTABLE = 100

/** What was dropped of a tunnel since it was looked at before. */
export class DropWatch {
  readonly #before = new Map<string, Readonly<Record<DropReason, number>>>()

  /** Lines for a person; to be called about once a minute. */
  look(name: string, drops: Readonly<Record<DropReason, number>>): string[] {
    const before = this.#before.get(name)
    this.#before.set(name, drops)
    return DROP_REASONS.flatMap((reason) => {
      const grown = drops[reason] - (before?.[reason] ?? 0)
      const remedy = REMEDIES[reason]
      if (grown < NOTABLE) return []
      return [`${name}: ${grown} frames were dropped in the last minute: ${reason}${remedy ? ` (${remedy})` : ''}`]
    })
  }
}
