// What scale varies: the flows at the usual MTU, and the MTU with one flow; and its tables. Runs nothing.

import type { Peer } from '../netns/peers/peer.js'
import type { Rounds } from '../rounds.js'
import { cell, table } from '../table.js'

export interface Point {
  readonly name: string
  readonly peer: Peer
  readonly flows: number
  /** Of the underlay. */
  readonly mtu: number
}

export interface PointResult {
  gbits: number
  /** CPU seconds of the tunnel's processes. */
  cpu: number
}

const USUAL_MTU = 1500
const FLOWS = [1, 2, 4, 8, 16]
const MTUS = [1500, 3000, 6000, 9000]

/** Every combination once: one flow at the usual MTU is in both tables. */
export function pointsOf(peers: readonly Peer[]): Point[] {
  const pairs = [
    ...FLOWS.map((flows) => [flows, USUAL_MTU] as const),
    ...MTUS.filter((mtu) => mtu !== USUAL_MTU).map((mtu) => [1, mtu] as const),
  ]
  return pairs.flatMap(([flows, mtu]) =>
    peers.map((peer) => ({
      name: `${peer.name}, ${flows} ${flows === 1 ? 'flow' : 'flows'}, MTU ${mtu}`,
      peer,
      flows,
      mtu,
    })),
  )
}

export type ScaleResults = Rounds<Point, PointResult>

function cells(results: ScaleResults, peer: Peer, flows: number, mtu: number): [gbits: string, cpu: string] {
  const found = [...results].find(([point]) => point.peer === peer && point.flows === flows && point.mtu === mtu)
  const rounds = (found?.[1] ?? []).flatMap((round) => round ?? [])
  const of = (values: number[], digits: number) => cell(values.filter(Number.isFinite), digits)
  return [
    of(
      rounds.map(({ gbits }) => gbits),
      2,
    ),
    of(
      rounds.map(({ cpu }) => cpu),
      1,
    ),
  ]
}

function byPeer(
  results: ScaleResults,
  varied: string,
  rows: readonly (readonly [flows: number, mtu: number])[],
): string {
  const peers = [...new Set([...results.keys()].map(({ peer }) => peer))]
  const head = [varied, ...peers.flatMap(({ name }) => [`${name}, Gbit/s`, `${name}, CPU s/GB`])]
  const label = ([flows, mtu]: readonly [number, number]) => `${varied === 'flows' ? flows : mtu}`
  return table([
    head,
    ...rows.map((row) => [label(row), ...peers.flatMap((peer) => cells(results, peer, row[0], row[1]))]),
  ])
}

export function scaleTables(results: ScaleResults): string {
  return [
    `TCP A→B as flows are added, underlay MTU ${USUAL_MTU}; median (least–most):`,
    byPeer(
      results,
      'flows',
      FLOWS.map((flows) => [flows, USUAL_MTU]),
    ),
    'One TCP flow A→B as the underlay’s MTU grows:',
    byPeer(
      results,
      'underlay MTU',
      MTUS.map((mtu) => [1, mtu]),
    ),
  ].join('\n\n')
}
