// One end of a tunnel, or two joined, on memory ports. Driven by hand (a Pump each) or by the event loop (runTunnel), under
// one face, so that a test can say the same of both.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import type { Port } from '#tsgre/io/port.js'
import { runTunnel } from '#tsgre/tunnel/open-tunnel.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import type { PumpSettings } from '#tsgre/tunnel/settings.js'
import { Counters, type TunnelStats } from '#tsgre/tunnel/stats.js'
import { mirrored, settings } from './settings.js'

/** Room for Ethernet, tags and GRE around the largest payload. */
const OUTSIDE = 40

export interface End {
  /** The far side of the overlay port: what is written here the tunnel sends, what it delivers is read here. */
  readonly overlay: Port
  stats(): TunnelStats
  pause(paused: boolean): void
  /** Whether anything was there to do in one turn; by the event loop, turns happen by themselves. */
  turn(now?: number): boolean
  close(): Promise<void>
}

export type Driver = 'Pump' | 'runTunnel'
export const DRIVERS: readonly Driver[] = ['Pump', 'runTunnel']

/** An end on the given underlay port. */
export async function endOn(driver: Driver, given: PumpSettings, underlay: Port, mtu = 1500): Promise<End> {
  const [overlay, inner] = memoryPorts(mtu)
  if (driver === 'runTunnel') {
    const tunnel = await runTunnel(inner, underlay, given)
    return {
      overlay,
      stats: () => tunnel.stats(),
      pause: (paused) => tunnel.pause(paused),
      turn: () => false,
      close: () => tunnel.close(),
    }
  }
  const counters = new Counters()
  counters.reset()
  const pump = new Pump(inner, underlay, given, counters)
  return {
    overlay,
    stats: () => counters.snapshot(),
    pause: (paused) => {
      pump.command({ kind: 'pause', peer: 0, paused })
    },
    turn: (now) => pump.turn(now),
    close: async () => {
      inner.close()
      underlay.close()
    },
  }
}

/** An end and the far side of its underlay: packets are written and read there. */
export async function oneEnd(
  given: Partial<PumpSettings> = {},
  { driver = 'Pump' as Driver, mtu = 1500 } = {},
): Promise<End & { underlay: Port }> {
  const [near, underlay] = memoryPorts(mtu + OUTSIDE)
  return { ...(await endOn(driver, settings(given), near, mtu)), underlay }
}

export interface PairOptions {
  driver?: Driver
  /** Of the overlay; the underlay carries it whole. */
  mtu?: number
  /** The other end's settings where they do not mirror this one's. */
  other?: Partial<PumpSettings>
  /** What stands between the underlay and the second end. */
  spoil?: (port: Port) => Port
}

export interface Pair {
  readonly a: End
  readonly b: End
  /** Turns until nothing is left to do. */
  settle(now?: number): Promise<void>
  close(): Promise<void>
}

export async function pair(given: Partial<PumpSettings> = {}, options: PairOptions = {}): Promise<Pair> {
  const { driver = 'Pump', mtu = 1500, other, spoil = (port) => port } = options
  const [left, right] = memoryPorts(mtu + OUTSIDE)
  const mine = settings(given)
  const a = await endOn(driver, mine, left, mtu)
  const b = await endOn(driver, { ...mirrored(mine), ...other }, spoil(right), mtu)
  return {
    a,
    b,
    settle: (now) => settle([a, b], now),
    close: async () => void (await Promise.all([a.close(), b.close()])),
  }
}

/** Turns the ends until they have nothing to do: by hand, or while the event loop still changes their counters. */
export async function settle(ends: readonly End[], now = 0): Promise<void> {
  let quiet = 0
  let before = ''
  while (quiet < 4) {
    const worked = ends.map((end) => end.turn(now)).includes(true)
    await nextTurn()
    const after = JSON.stringify(ends.map((end) => end.stats()))
    quiet = worked || after !== before ? 0 : quiet + 1
    before = after
  }
}

/** The drops of an end that happened, by name. */
export function dropsOf(end: End): Record<string, number> {
  return Object.fromEntries(Object.entries(end.stats().drops).filter(([, count]) => count > 0))
}
