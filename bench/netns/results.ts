// What a run has measured, and how two peers of it are related: within a round, where they ran next to each other.

import type { Rounds } from '../rounds.js'
import type { FigureName, Figures, Round } from './figures.js'
import type { Peer } from './peers/peer.js'

export type Results = Rounds<Peer, Round>

/** A peer's figures of each round, holes included; empty for one that was not asked for. */
function figuresOf(results: Results, name: string): readonly (Figures | undefined)[] {
  const peer = [...results.keys()].find((candidate) => candidate.name === name)
  return Array.from((peer && results.get(peer)) ?? [], (round) => round?.figures)
}

/** The relation of two peers in each round that both of them finished. */
export function roundByRound(
  results: Results,
  first: string,
  second: string,
  relation: (first: Figures, second: Figures) => number,
): number[] {
  const others = figuresOf(results, second)
  const related = figuresOf(results, first).map((own, round) => {
    const other = others[round]
    return own && other ? relation(own, other) : Number.NaN
  })
  return related.filter(Number.isFinite)
}

/** What a peer has of a figure, or of something made of several. */
export function valuesOf(rounds: readonly (Round | undefined)[], of: FigureName | ((figures: Figures) => number)) {
  const value = typeof of === 'string' ? (figures: Figures) => figures[of] : of
  return rounds.flatMap((round) => (round ? [value(round.figures)] : [])).filter((one) => !Number.isNaN(one))
}

/** The peers that have at least one round. */
export function measured(results: Results): [Peer, readonly (Round | undefined)[]][] {
  return [...results].filter(([, rounds]) => rounds.some(Boolean))
}
