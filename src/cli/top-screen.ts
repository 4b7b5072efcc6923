// The picture of `tsgre top`: two looks at the instances and the size of the terminal, made into lines. A pure function; drawing is
// top.ts's. Invariant: never more lines than rows, no line wider than columns, whatever the size.

import type { InstanceStatus, PeerStatus, Problem } from '../daemon/status.js'
import { brief, roundTrip } from './amounts.js'
import { stateOf } from './status-report.js'

export interface Look {
  /** Milliseconds, of a clock that does not jump. */
  readonly at: number
  /** Of the day, for the eye: `14:03:22`. */
  readonly clock: string
  readonly instances: readonly InstanceStatus[]
  /** In place of instances, when there are none. */
  readonly trouble?: string
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

type Style = 'good' | 'bad' | 'faint' | 'head'
type Piece = readonly [text: string, style?: Style]
type Line = readonly Piece[]

interface Row {
  readonly peer: PeerStatus
  /** A second; undefined at the first look. */
  readonly rates: Rates | undefined
}

interface Rates {
  readonly tx: number
  readonly txFrames: number
  readonly rx: number
  readonly rxFrames: number
  readonly drops: number
}

interface Column {
  readonly head: string
  readonly width: number
  /** The least width of the screen on which it is shown. */
  readonly from: number
  readonly cell: (row: Row) => string
}

const COLUMNS: readonly Column[] = [
  { head: 'STATE', width: 7, from: 0, cell: ({ peer }) => stateOf(peer) },
  { head: 'TX/s', width: 5, from: 0, cell: ({ rates }) => rate(rates && rates.tx * 8) },
  { head: 'pps', width: 5, from: 64, cell: ({ rates }) => rate(rates?.txFrames) },
  { head: 'RX/s', width: 5, from: 0, cell: ({ rates }) => rate(rates && rates.rx * 8) },
  { head: 'pps', width: 5, from: 64, cell: ({ rates }) => rate(rates?.rxFrames) },
  { head: 'drop/s', width: 6, from: 50, cell: ({ rates }) => rate(rates?.drops) },
  { head: 'RTT', width: 8, from: 64, cell: ({ peer }) => roundTrip(peer.rtt) },
]
const STYLES: Readonly<Record<Style, string>> = { good: '32', bad: '31', faint: '2', head: '7' }
/** At least this much of a peer's name is shown, and no more than is usual. */
const NAME_WIDTHS = { least: 8, most: 40 } as const

/** One string a row; `colours`: with escapes for a terminal. */
export function topScreen(before: Look | undefined, now: Look, { columns, rows }: Size, colours: boolean): string[] {
  const room = Math.max(0, rows - 1) // the last row is the foot
  const foot: Line = [['q quits; rates in bit/s, most traffic first', 'faint']]
  const body = fitted(before, now, columns, room)
  const filled = [...body, ...Array.from({ length: Math.max(0, room - body.length) }, (): Line => [])]
  return [...filled, foot].slice(0, Math.max(0, rows)).map((line) => painted(line, columns, colours))
}

function fitted(before: Look | undefined, now: Look, columns: number, room: number): Line[] {
  const head = [headLine(now, columns)]
  if (now.trouble !== undefined) return [...head, [[now.trouble, 'bad'] as Piece]].slice(0, room)
  const problems = now.instances.flatMap(({ tunnels }) => tunnels.flatMap((tunnel) => tunnel.problems))
  const top = [...head, ...problemLines(problems, Math.max(1, Math.floor(room / 4)))]
  const below = tunnelLines(before, now, columns)
  const left = Math.max(0, room - top.length)
  if (below.length <= left) return [...top, ...below]
  const shown = below.slice(0, Math.max(0, left - 1))
  const more: Line = [[`… ${below.length - shown.length} more lines; make the window larger`, 'faint']]
  return [...top, ...shown, more].slice(0, room)
}

function headLine({ instances, clock }: Look, columns: number): Line {
  const names = instances.map(({ name }) => name).join(', ')
  const left = ` tsgre ${names}`
  return [[`${left.padEnd(columns - clock.length - 1)}${clock} `, 'head']]
}

function problemLines(problems: readonly Problem[], most: number): Line[] {
  const shown = problems.length <= most ? problems : problems.slice(0, Math.max(1, most - 1))
  const more = problems.length - shown.length
  const lines = shown.map(({ text }): Line => [[`! ${text}`, 'bad']])
  return more > 0 && most > 1 ? [...lines, [[`! and ${more} more; see tsgre status`, 'bad']]] : lines
}

function tunnelLines(before: Look | undefined, now: Look, columns: number): Line[] {
  return now.instances.flatMap((instance) =>
    instance.tunnels.flatMap((tunnel) => {
      const { name, state, local, mtu, tunnelMtu, fdb } = tunnel
      const about = ` ${local}  MTU ${mtu} (tunnel ${tunnelMtu})  FDB ${fdb.entries}`
      const title: Line = [[`${name} `], [state, state === 'up' ? 'good' : 'bad'], [about, 'faint']]
      const earlier = tunnelBefore(before, instance, name)
      const seconds = before === undefined ? 0 : (now.at - before.at) / 1000
      const rows = tunnel.peers.map((peer): Row => ({ peer, rates: ratesOf(earlier, peer, seconds) }))
      rows.sort((a, b) => traffic(b) - traffic(a))
      return [title, ...table(rows, columns)]
    }),
  )
}

/** Not of a process that ended meanwhile: the counters of the next one begin anew. */
function tunnelBefore(before: Look | undefined, { name, pid }: InstanceStatus, tap: string): readonly PeerStatus[] {
  const same = before?.instances.find((one) => one.name === name && one.pid === pid)
  return same?.tunnels.find((tunnel) => tunnel.name === tap)?.peers ?? []
}

function ratesOf(earlier: readonly PeerStatus[], peer: PeerStatus, seconds: number): Rates | undefined {
  const before = earlier.find(({ asked }) => asked === peer.asked)
  if (before === undefined || seconds <= 0) return undefined
  // A peer whose address changed begins at zero again.
  const per = (now: number, then: number) => Math.max(0, now - then) / seconds
  return {
    tx: per(peer.txBytes, before.txBytes),
    txFrames: per(peer.txFrames, before.txFrames),
    rx: per(peer.rxBytes, before.rxBytes),
    rxFrames: per(peer.rxFrames, before.rxFrames),
    drops: per(sum(peer.drops), sum(before.drops)),
  }
}

function sum(drops: PeerStatus['drops']): number {
  return Object.values(drops).reduce((total, count) => total + count, 0)
}

function traffic({ rates }: Row): number {
  return rates === undefined ? 0 : rates.tx + rates.rx
}

function table(rows: readonly Row[], columns: number): Line[] {
  const shown = COLUMNS.filter(({ from }) => columns >= from)
  const taken = shown.reduce((total, { width }) => total + width + 1, 0)
  const longest = Math.max(NAME_WIDTHS.least, ...rows.map(({ peer }) => peer.asked.length + 1))
  const width = Math.max(NAME_WIDTHS.least, Math.min(NAME_WIDTHS.most, longest, columns - taken - 1))
  const heads = shown.map(({ head, width }, index) => ` ${index === 0 ? head.padEnd(width) : head.padStart(width)}`)
  const head: Line = [[` ${'PEER'.padEnd(width)}${heads.join('')}`, 'faint']]
  return [head, ...rows.map((row) => peerLine(row, shown, width))]
}

function peerLine(row: Row, shown: readonly Column[], width: number): Line {
  const state = stateOf(row.peer)
  const style: Style | undefined = state === 'up' ? 'good' : state === 'unknown' ? undefined : 'bad'
  const [first, ...rest] = shown
  const cells = rest.map(({ cell, width }) => ` ${cell(row).padStart(width)}`).join('')
  return [
    [` ${clipped(row.peer.asked, width).padEnd(width)} `],
    [first!.cell(row).padEnd(first!.width), style],
    [cells],
  ]
}

function rate(value: number | undefined): string {
  return value === undefined ? '-' : brief(value)
}

function clipped(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

function painted(line: Line, columns: number, colours: boolean): string {
  let left = columns
  return line
    .map(([text, style]) => {
      const visible = text.slice(0, Math.max(0, left))
      left -= visible.length
      return colours && style !== undefined && visible !== '' ? `\x1b[${STYLES[style]}m${visible}\x1b[0m` : visible
    })
    .join('')
}
