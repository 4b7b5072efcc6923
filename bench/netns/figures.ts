// The figures of one peer in one round, and what to call them.

import type { Hosts } from '../../test/rig/hosts.js'
import { tunnelMegabytes } from './load.js'
import { quietly, type Step } from './quietly.js'
import {
  type IdleResult,
  idle,
  type PingResult,
  ping,
  STEPS,
  type StepName,
  type TcpResult,
  tcp,
  type UdpRate,
  udp,
} from './steps.js'

const PINGS = 1000
const STREAMS = 4
const FORTH = ['cA', 'cB'] as const
const BACK = ['cB', 'cA'] as const

/** In the order of the report. NaN where a peer has no such figure. */
export const FIGURES = {
  forth: { title: 'TCP A→B, Gbit/s', digits: 2 },
  back: { title: 'TCP B→A, Gbit/s', digits: 2 },
  four: { title: '4 TCP A→B, Gbit/s', digits: 2 },
  cpu: { title: 'tunnel CPU, s/GB', digits: 1 },
  packets: { title: '64-byte UDP received, k/s', digits: 0 },
  loss: { title: 'lost at that rate, %', digits: 0 },
  p50: { title: 'ping p50, µs', digits: 0 },
  p99: { title: 'ping p99, µs', digits: 0 },
  idle: { title: 'both at idle, cores', digits: 2 },
  rss: { title: 'RSS a host, MB', digits: 0 },
  foreign: { title: 'others, cores', digits: 2 },
} as const

export type FigureName = keyof typeof FIGURES
export type Figures = Record<FigureName, number>

/** Everything measured, for the record; without the steps the peer did not ask for. */
export interface Details {
  ping?: Step<PingResult>
  idle?: IdleResult
  forth?: Step<TcpResult>
  back?: Step<TcpResult>
  four?: Step<TcpResult>
  small?: Step<UdpRate[]>
}

export interface Round {
  figures: Figures
  details: Details & { end?: unknown }
}

/** Measures the peer that is up in `rig`. */
export async function measure(rig: Hosts, seconds: number, only: readonly StepName[] = STEPS): Promise<Round> {
  const has = (name: StepName) => only.includes(name)
  const details: Details = {}
  if (has('forth')) details.forth = await quietly(rig, () => tcp(rig, FORTH, seconds))
  if (has('back')) details.back = await quietly(rig, () => tcp(rig, BACK, seconds))
  if (has('four')) details.four = await quietly(rig, () => tcp(rig, FORTH, seconds, STREAMS))
  // Behind the streams: what a tunnel takes in its first seconds, its code not yet compiled, is not what it takes.
  if (has('ping')) details.ping = await quietly(rig, () => ping(rig, PINGS))
  if (has('idle')) details.idle = await idle(rig)
  if (has('small')) details.small = await quietly(rig, () => udp(rig))
  return { figures: figuresOf(details, tunnelMegabytes(rig)), details }
}

/** CPU seconds for each gigabyte of these steps together; NaN without a process that carried it. */
export function cpuForEachGigabyte(steps: readonly (Step<TcpResult> | undefined)[]): number {
  const results = steps.flatMap((step) => step?.result ?? [])
  const sum = (of: (result: TcpResult) => number) => results.reduce((total, result) => total + of(result), 0)
  const cpuSeconds = sum((result) => result.cpuSeconds)
  return cpuSeconds > 0 ? cpuSeconds / sum((result) => result.gigabytes) : Number.NaN
}

function figuresOf({ ping, idle, forth, back, four, small }: Details, megabytes: number): Figures {
  const most = small?.result.reduce((a, b) => (b.received > a.received ? b : a))
  const foreign = [ping, forth, back, four, small].flatMap((step) => step?.foreignCores ?? [])
  return {
    forth: forth?.result.gbits ?? Number.NaN,
    back: back?.result.gbits ?? Number.NaN,
    four: four?.result.gbits ?? Number.NaN,
    cpu: cpuForEachGigabyte([forth, back]),
    packets: (most?.received ?? Number.NaN) / 1000,
    loss: (most?.loss ?? Number.NaN) * 100,
    p50: ping?.result.p50 ?? Number.NaN,
    p99: ping?.result.p99 ?? Number.NaN,
    // Where nothing runs there is nothing to be idle.
    idle: megabytes > 0 ? (idle?.cores ?? Number.NaN) : Number.NaN,
    rss: megabytes || Number.NaN,
    foreign: Math.max(0, ...foreign),
  }
}
