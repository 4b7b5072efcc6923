// Remotes that come, go and change while frames are carried, as steps that can be taken back. No step waits, so that all of them
// are made in one go.

import { isDeepStrictEqual } from 'node:util'
import type { PeerOptions } from '../tunnel/peer-options.js'
import { remotesOf } from './config/tunnel-change.js'
import type { FollowNames } from './follow-names.js'
import type { Candidate } from './reload-plan.js'

export interface LiveStep {
  /** A remote may go from one tunnel to another: the lower ones of all tunnels come first. */
  readonly turn: number
  /** What it does: `192.168.56.6 added`. */
  readonly words: string
  readonly make: () => void
  readonly undo: () => void
}

/** From what a running tunnel has to what is wanted of it. */
export function liveSteps({ running, next }: Pick<Candidate, 'running' | 'next'>): LiveStep[] {
  const { names } = running!
  const wanted = remotesOf(next.options)
  const had = names.list.map(({ asked }) => asked)
  const goes = had.filter(({ remote }) => !wanted.some((one) => one.remote === remote))
  return [
    ...goes.map((peer) => swapped(adding(names, peer, addressIn(names, peer)), 0, `${peer.remote} removed`)),
    ...wanted.flatMap((peer) => {
      const before = had.find(({ remote }) => remote === peer.remote)
      if (!before) return [adding(names, peer, addressIn(next.names, peer))]
      return isDeepStrictEqual(before, peer) ? [] : [changing(names, before, peer)]
    }),
  ]
}

function addressIn({ list }: FollowNames, { remote }: PeerOptions): string | undefined {
  return list.find(({ asked }) => asked.remote === remote)?.address
}

function adding(names: FollowNames, peer: PeerOptions, address: string | undefined): LiveStep {
  return {
    turn: 2,
    words: `${peer.remote} added`,
    make: () => names.take(peer, address),
    undo: () => names.remove(peer.remote),
  }
}

function changing(names: FollowNames, before: PeerOptions, after: PeerOptions): LiveStep {
  return {
    turn: 1,
    words: `${after.remote} changed`,
    make: () => names.change(after),
    undo: () => names.change(before),
  }
}

function swapped({ make, undo }: LiveStep, turn: number, words: string): LiveStep {
  return { turn, words, make: undo, undo: make }
}

/** Makes them and notes in `made` which were. @throws what a step throws */
export function makeSteps(steps: readonly LiveStep[], made: LiveStep[]): void {
  for (const step of [...steps].sort((a, b) => a.turn - b.turn)) {
    step.make()
    made.push(step)
  }
}

/** Takes them back, the last one first; returns what could not be. */
export function undoSteps(made: readonly LiveStep[]): string[] {
  return [...made].reverse().flatMap(({ words, undo }) => {
    try {
      undo()
      return []
    } catch (error) {
      return [`${words}: ${(error as Error).message}`]
    }
  })
}
