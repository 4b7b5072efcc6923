// What a running tunnel prints: a line when it is up, a line when it ends, warnings between. For people, or as JSON lines.

import type { DryRun } from '../daemon/dry-run.js'
import type { Log } from '../daemon/log.js'
import type { Place } from '../daemon/place.js'
import type { Report } from '../daemon/run-daemon.js'
import type { SetupPlan } from '../daemon/setup.js'
import { typedAction } from '../host/change.js'
import type { PeerStats } from '../tunnel/peer-stats.js'
import { dropsThatHappened, type TunnelStats } from '../tunnel/stats.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { amount, duration } from './amounts.js'

/** A Report that can also tell how it goes. */
export interface CountingReport extends Report {
  counters(tunnel: Tunnel): void
  planned(plan: DryRun): void
}

/** Lines for a person. */
export function humanReport(log: Log): CountingReport {
  return {
    up(tunnel, place, done) {
      const mtu =
        tunnel.mtu === tunnel.tunnelMtu ? `MTU ${tunnel.mtu}` : `MTU ${tunnel.mtu} (tunnel ${tunnel.tunnelMtu})`
      const way = tunnel.udpPort === undefined ? '' : ` by UDP port ${tunnel.udpPort}`
      const beside = besideTheTap(done)
      say(
        `${tunnel.name} up: ${tunnel.local} -> ${farEnds(tunnel.remotes)}${way}, ${mtu}, ${OFFLOAD[tunnel.offload]}, ${bridgeWords(place)}`,
        ...(beside.length > 0 ? [`on this host until the end: ${beside.join(', ')}`] : []),
        ...done.notes,
      )
    },
    tunnelMtu: (tunnel, now, before) => say(`tunnel MTU ${now} now (was ${before}): ${narrowestWay(tunnel.peers())}`),
    note: (message) => say(message),
    warn: (message) => log.warn(message),
    counters: (tunnel) => say(`${tunnel.name} so far, tunnel MTU ${tunnel.tunnelMtu}: ${totals(tunnel.stats())}`),
    down: (tunnel, seconds, stats) => say(`${tunnel.name} down after ${duration(seconds)}: ${totals(stats)}`),
    planned: ({ steps, notes, tunnelMtu }) => {
      for (const { text, why } of steps) process.stdout.write(`${text.padEnd(WIDTH)}  # ${why}\n`)
      for (const note of notes) say(note)
      say(`nothing was changed (--dry-run); the tunnel MTU would be ${tunnelMtu}`)
    },
  }
}

/** The same as JSON lines; warnings in the log. */
export function jsonReport(log: Log): CountingReport {
  return {
    up(tunnel, place, done) {
      const { name, local, remote, remotes, mtu, tunnelMtu, offload, udpPort = null } = tunnel
      print({
        event: 'up',
        name,
        local,
        remote,
        remotes,
        mtu,
        tunnelMtu,
        offload,
        udpPort,
        bridge: place.bridge ?? null,
        bridgeChosen: place.chosen,
        changes: done.changes.flatMap(({ what, action }) => (action ? [{ what, command: typedAction(action) }] : [])),
      })
      for (const message of done.notes) print({ event: 'note', message })
    },
    tunnelMtu: (tunnel, now, before) => {
      const { remote = null } = narrowest(tunnel.peers()) ?? {}
      print({ event: 'tunnelMtu', name: tunnel.name, tunnelMtu: now, before, remote })
    },
    note: (message) => print({ event: 'note', message }),
    warn: (message) => log.warn(message),
    counters: (tunnel) =>
      print({ event: 'counters', name: tunnel.name, tunnelMtu: tunnel.tunnelMtu, ...plain(tunnel.stats()) }),
    planned: ({ steps, notes, tunnelMtu }) => print({ event: 'planned', steps, notes, tunnelMtu }),
    down: (tunnel, seconds, stats) => print({ event: 'down', name: tunnel.name, seconds, ...plain(stats) }),
  }
}

/** The first remote, and how many there are besides. @internal */
export function farEnds(remotes: readonly string[]): string {
  const [first = 'no remote', ...others] = remotes
  return others.length === 0 ? first : `${first} and ${others.length} more`
}

type Way = Pick<PeerStats, 'remote' | 'tunnelMtu'>

/** Where the tunnel MTU comes from: of many ways the narrowest counts, and remotes come and go. @internal */
export function narrowestWay(ways: readonly Way[]): string {
  const remote = narrowest(ways)?.remote
  if (ways.length > 1) return `of the ways to ${ways.length} remotes the narrowest is that to ${remote}`
  return remote === undefined ? 'there is no remote' : `that is what fits the way to ${remote}`
}

function narrowest(ways: readonly Way[]): Way | undefined {
  return ways.reduce<Way | undefined>(
    (least, way) => (least && least.tunnelMtu <= way.tunnelMtu ? least : way),
    undefined,
  )
}

/** What was got of the kernel at the TAP. */
const OFFLOAD = {
  off: 'no offload',
  csum: 'offload of checksums',
  tso: 'offload of TCP',
  uso: 'offload of TCP and UDP',
} as const

/** Of a dry run's lines, up to the remark. */
const WIDTH = 64

/** The TAP is the tunnel's own; a person wants to know what else is different. */
function besideTheTap({ changes }: SetupPlan): string[] {
  return changes.filter(({ undo }) => !(undo.kind.startsWith('link') || undo.kind === 'tap')).map(({ what }) => what)
}

/** JSON has no undefined. */
function plain(stats: TunnelStats): object {
  return { ...stats, lastWrongKey: stats.lastWrongKey ?? null }
}

function totals(stats: TunnelStats): string {
  const carried = `sent ${amount(stats.txFrames, stats.txBytes)}, received ${amount(stats.rxFrames, stats.rxBytes)}`
  const uncut =
    stats.segmentRefused === 0 ? '' : `; ${stats.segmentRefused} times the kernel would not cut what UDP sent`
  return `${carried}; ${dropWords(stats)}${uncut}`
}

/** In one write: who has read the first line has them all. */
function say(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `tsgre: ${line}\n`).join(''))
}

function print(fields: object): void {
  process.stdout.write(`${JSON.stringify(fields)}\n`)
}

function bridgeWords(place: Place): string {
  if (place.chosen === 'found') return `in bridge ${place.bridge} (found; --bridge none leaves it alone)`
  if (place.chosen === 'missing') return 'joined to no bridge (there is no docker0; --bridge NAME joins another)'
  return place.bridge ? `in bridge ${place.bridge}` : 'joined to no bridge'
}

function dropWords(stats: TunnelStats): string {
  const happened = dropsThatHappened(stats)
  if (happened.length === 0) return 'nothing dropped'
  const wrong =
    stats.lastWrongKey === undefined
      ? ''
      : ` (the last wrong one had ${stats.lastWrongKey === 'none' ? 'no key' : `key ${stats.lastWrongKey}`})`
  return `dropped: ${happened.map(([reason, count]) => `${reason} ${count}`).join(', ')}${wrong}`
}
