// Tells of drops that go on, now and then: one line for each reason, with what to do about it.

import { DROP_REASONS, type DropReason } from '../drops.js'
import type { PeerStats } from '../tunnel/peer-stats.js'
import { REMEDIES } from './remedies.js'

const NOTABLE = 100

type Drops = Readonly<Record<DropReason, number>>
type Dropper = Pick<PeerStats, 'remote' | 'drops'>

/** What was dropped of a tunnel since it was looked at before. */
export class DropWatch {
  readonly #before = new Map<string, { drops: Drops; peers: readonly Dropper[] }>()

  /** Lines for a person; to be called about once a minute. */
  look(name: string, drops: Drops, peers: readonly Dropper[]): string[] {
    const before = this.#before.get(name)
    this.#before.set(name, { drops, peers })
    return DROP_REASONS.flatMap((reason) => {
      const grown = drops[reason] - (before?.drops[reason] ?? 0)
      if (grown < NOTABLE) return []
      const remedy = REMEDIES[reason]
      const words = `${reason}${most(reason, before?.peers ?? [], peers)}${remedy ? ` (${remedy})` : ''}`
      return [`${name}: ${grown} frames were dropped in the last minute: ${words}`]
    })
  }
}

/** The remote with the most of them; a packet of a stranger is nobody's. */
function most(reason: DropReason, before: readonly Dropper[], peers: readonly Dropper[]): string {
  const old = new Map(before.map(({ remote, drops }) => [remote, drops[reason]]))
  const grown = peers.map(({ remote, drops }) => ({ remote, count: drops[reason] - (old.get(remote) ?? 0) }))
  const { remote, count } = grown.reduce((top, next) => (next.count > top.count ? next : top), NOBODY)
  return count > 0 ? `, ${count} of them at ${remote}` : ''
}

const NOBODY = { remote: '', count: 0 }
