// The figures of one peer in one round, and what to call them.

import type { Hosts } from '../../test/rig/hosts.js'
import { tunnelMegabytes } from './load.js'
import { quietly } from './quietly.js'
import { ping, tcp, udp } from './steps.js'

const PINGS = 2000

/** In the order of the report. NaN where a peer has no such figure. */
export const FIGURES = {
  forth: { title: 'TCP A→B, Gbit/s', digits: 2 },
  back: { title: 'TCP B→A, Gbit/s', digits: 2 },
  cpu: { title: 'tunnel CPU, s/GB', digits: 1 },
  packets: { title: '64-byte UDP received, k/s', digits: 0 },
  loss: { title: 'lost at that rate, %', digits: 0 },
  p50: { title: 'ping p50, µs', digits: 0 },
  p99: { title: 'ping p99, µs', digits: 0 },
  rss: { title: 'RSS a host, MB', digits: 0 },
  foreign: { title: 'others, cores', digits: 2 },
} as const

export type FigureName = keyof typeof FIGURES
export type Figures = Record<FigureName, number>

export interface Round {
  figures: Figures
  /** Everything measured, for the record. */
  details: unknown
}

/** Measures the peer that is up in `rig`. */
export async function measure(rig: Hosts, seconds: number): Promise<Round> {
  const pings = await quietly(rig, () => ping(rig, PINGS))
  const forth = await quietly(rig, () => tcp(rig, 'cA', 'cB', seconds))
  const back = await quietly(rig, () => tcp(rig, 'cB', 'cA', seconds))
  const small = await quietly(rig, () => udp(rig))
  const most = small.result.reduce((a, b) => (b.received > a.received ? b : a))
  const cpuSeconds = forth.result.cpuSeconds + back.result.cpuSeconds
  const gigabytes = forth.result.gigabytes + back.result.gigabytes
  const figures: Figures = {
    forth: forth.result.gbits,
    back: back.result.gbits,
    cpu: cpuSeconds > 0 ? cpuSeconds / gigabytes : Number.NaN,
    packets: most.received / 1000,
    loss: most.loss * 100,
    p50: pings.result.p50,
    p99: pings.result.p99,
    rss: tunnelMegabytes(rig) || Number.NaN,
    foreign: Math.max(pings.foreignCores, forth.foreignCores, back.foreignCores, small.foreignCores),
  }
  return {
    figures,
    details: { pings, forth, back, small } satisfies Record<string, { result: unknown; tries: number }>,
  }
}
