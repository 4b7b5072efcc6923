// The figures to reach: ratios of two peers within a round, and what is to be 0 by itself.
// Invariant: judged is what is shown, rounded as it is shown; a target whose peers did not run is named, never passed over.

import { median } from '../measure.js'
import { cell, table } from '../table.js'
import type { Figures } from './figures.js'
import { type Results, roundByRound } from './results.js'

export interface Target {
  what: string
  /** By their names. Without a second, the figure itself is held against the limit. */
  peers: readonly [first: string, second?: string]
  of(figures: Figures): number
  at: 'least' | 'most'
  limit: number
}

/** Of one stream, both directions alike. */
export const stream = ({ forth, back }: Figures): number => (forth + back) / 2
const cpu = (figures: Figures) => figures.cpu
const p50 = (figures: Figures) => figures.p50

function faster(first: string, second: string, limit: number): Target {
  return { what: 'one TCP stream', peers: [first, second], of: stream, at: 'least', limit }
}

export const TARGETS: readonly Target[] = [
  faster('tsgre', 'ovs', 3),
  faster('tsgre', 'ovs-afxdp', 1.25),
  faster('tsgre', 'direct-wire', 0.62),
  faster('tsgre-udp', 'vxlan-wire', 1.15),
  faster('tsgre-udp-wire', 'direct-wire', 0.85),
  { what: 'CPU for each GB', peers: ['tsgre', 'ovs-afxdp'], of: cpu, at: 'most', limit: 0.8 },
  { what: 'CPU for each GB', peers: ['tsgre-udp', 'ovs-afxdp'], of: cpu, at: 'most', limit: 0.3 },
  { what: '64-byte UDP received', peers: ['tsgre', 'ovs'], of: ({ packets }) => packets, at: 'least', limit: 1.5 },
  { what: 'idle ping p50', peers: ['tsgre', 'naive-c'], of: p50, at: 'most', limit: 1 },
  { what: 'idle ping p50', peers: ['tsgre-busy', 'naive-c'], of: p50, at: 'most', limit: 0.4 },
  { what: 'cores of both at idle', peers: ['tsgre'], of: ({ idle }) => idle, at: 'most', limit: 0 },
  { what: 'cores of both at idle', peers: ['tsgre-udp'], of: ({ idle }) => idle, at: 'most', limit: 0 },
]

export type Verdict = 'reached' | 'short' | 'not run'

export function judge({ at, limit }: Pick<Target, 'at' | 'limit'>, values: readonly number[], digits: number): Verdict {
  if (values.length === 0) return 'not run'
  const shown = Number(median(values).toFixed(digits))
  return (at === 'least' ? shown >= limit : shown <= limit) ? 'reached' : 'short'
}

function row(results: Results, target: Target): string[] {
  const { what, peers, of, at, limit } = target
  const [first, second] = peers
  const values = second
    ? roundByRound(results, first, second, (a, b) => of(a) / of(b))
    : roundByRound(results, first, first, of)
  const digits = second ? 2 : 1
  const pair = second ? `${first} : ${second}` : first
  return [what, pair, `${limit.toFixed(digits)} at ${at}`, cell(values, digits), judge(target, values, digits)]
}

/** One row a target all of whose peers were asked for; empty without any. */
export function targetsTable(results: Results): string {
  const asked = new Set([...results.keys()].map(({ name }) => name))
  const rows = TARGETS.filter(({ peers }) => peers.every((name) => asked.has(name!))).map((target) =>
    row(results, target),
  )
  return rows.length === 0 ? '' : table([['figure', 'of', 'to reach', 'measured', ''], ...rows])
}
