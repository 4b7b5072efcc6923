// The rounds of all peers as tables: medians with their range, and ratios. A ratio is the median of the ratios within each
// round, since what disturbs the machine for minutes then disturbs both sides of it.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { ROOT } from '../../test/rig/root.js'
import { machineLine, median } from '../measure.js'
import { FIGURES, type FigureName, type Round } from './figures.js'
import type { Peer } from './peers.js'

/** One entry a peer, its rounds in the order in which they were run. */
export type Results = ReadonlyMap<Peer, readonly Round[]>

/** Of these a ratio says something. */
const COMPARED: readonly FigureName[] = ['forth', 'back', 'cpu', 'packets', 'p50', 'p99']
const NAMES = Object.keys(FIGURES) as FigureName[]
const NOTHING = '–'

/** Two peers, and what the first is of the second. */
type Pair = readonly [first: Peer, second: Peer]

function values(rounds: readonly Round[], name: FigureName): number[] {
  return rounds.map(({ figures }) => figures[name]).filter((value) => !Number.isNaN(value))
}

function cell(all: readonly number[], digits: number): string {
  if (all.length === 0) return NOTHING
  const [middle, least, most] = [median(all), Math.min(...all), Math.max(...all)].map((value) => value.toFixed(digits))
  return `${middle} (${least}–${most})`
}

/** Of two peers' rounds with the same number, which were run next to each other. */
function roundByRound(
  results: Results,
  [first, second]: Pair,
  name: FigureName,
  relation: (a: number, b: number) => number,
): number[] {
  const others = results.get(second)!
  const related = results.get(first)!.map(({ figures }, i) => relation(figures[name], others[i].figures[name]))
  return related.filter(Number.isFinite)
}

/** The last peer, the one in question, beside each of the others. */
function pairs(results: Results): Pair[] {
  const peers = [...results.keys()]
  const last = peers.pop()!
  return peers.map((other) => [last, other])
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const lines = rows.map((row) => `| ${row.map((text, column) => text.padEnd(widths[column])).join(' | ')} |`)
  return [lines[0], `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...lines.slice(1)].join('\n')
}

export function figuresTable(results: Results): string {
  const head = ['peer', ...NAMES.map((name) => FIGURES[name].title)]
  const rows = [...results].map(([peer, rounds]) => [
    peer.name,
    ...NAMES.map((name) => cell(values(rounds, name), FIGURES[name].digits)),
  ])
  return table([head, ...rows])
}

export function ratiosTable(results: Results): string {
  const head = ['ratio', ...COMPARED.map((name) => FIGURES[name].title.replace(/,.*/, '')), 'ping p50, µs more']
  const rows = pairs(results).map((pair) => [
    `${pair[0].name} : ${pair[1].name}`,
    ...COMPARED.map((name) =>
      cell(
        roundByRound(results, pair, name, (a, b) => a / b),
        2,
      ),
    ),
    cell(
      roundByRound(results, pair, 'p50', (a, b) => a - b),
      0,
    ),
  ])
  return rows.length === 0 ? '' : table([head, ...rows])
}

function firstLine(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' }).split('\n')[0]!.trim()
}

/** Of this package, or of one it has installed; optional ones may be absent. */
function packageVersion(name?: string): string {
  const path = new URL(name ? `node_modules/${name}/package.json` : 'package.json', ROOT)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : 'absent'
}

/** What the figures depend on besides the code. */
export function versions(): string {
  return [
    `tsgre ${packageVersion()} (${firstLine('git', '-C', ROOT.pathname, 'describe', '--always', '--dirty')})`,
    `koffi ${packageVersion('koffi')}`,
    `raw-socket ${packageVersion('raw-socket')}`,
    firstLine('iperf3', '--version'),
    firstLine('ovs-vswitchd', '--version'),
  ].join(' · ')
}

/** A name for the kind of machine that says nothing of whose it is. */
export function machineName(): string {
  const virtual = /^flags\b.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
  return `${cpus().length}-core-${virtual ? 'vm' : 'machine'}`
}

export function markdown(results: Results, how: string): string {
  const about = [...results.keys()].map((peer) => `- **${peer.name}**: ${peer.about}`)
  return [
    '# Container to container, both hosts on one machine',
    `${machineLine()}\n${versions()}\n${how}`,
    about.join('\n'),
    figuresTable(results),
    'Ratios, each the median (and range) of the ratios within a round:',
    ratiosTable(results),
    '',
  ].join('\n\n')
}
