// What `tsgre status` says of an instance to a person: what is wrong first, then the tunnels, then their peers. Words only; JSON
// goes out as the instance gave it.

import type { InstanceStatus, PeerStatus, Problem, TunnelStatus } from '../daemon/status.js'
import { DROP_REASONS } from '../drops.js'
import { aligned } from './aligned.js'
import { ago, amount, duration, roundTrip, size } from './amounts.js'

const PEER_COLUMNS = ['peer', 'state', 'received', 'rx', 'tx', 'rtt', 'loss', 'tunnel MTU', 'FDB', 'key']
const PEER_NUMBERS = new Set([3, 4, 5, 6, 7, 8])
const LABEL = 12

/** Lines without their end. `now` is in milliseconds since the epoch. */
export function statusLines(status: InstanceStatus, now: number): string[] {
  const { tunnels } = status
  return [
    ...problemLines(tunnels.flatMap((tunnel) => problemsOf(tunnel, tunnels.length > 1))),
    headLine(status, now),
    ...privilegeLines(status),
    ...tunnels.flatMap((tunnel) => ['', ...tunnelLines(tunnel, now)]),
  ]
}

/** The table of `tsgre peers`, and of each tunnel in `tsgre status`. */
export function peerLines(peers: readonly PeerStatus[], now: number): string[] {
  if (peers.length === 0) return ['no peers; tsgre peers add ADDRESS adds one']
  return aligned([PEER_COLUMNS, ...peers.map((peer) => peerRow(peer, now))], PEER_NUMBERS)
}

/** Where there are several tunnels, each line says of which it is. */
function problemsOf({ name, problems }: TunnelStatus, several: boolean): readonly Problem[] {
  if (!several) return problems
  const named = (text: string) => (text.split(/[ :]/).includes(name) ? text : `${name}: ${text}`)
  return problems.map((problem) => ({ ...problem, text: named(problem.text) }))
}

function problemLines(problems: readonly Problem[]): string[] {
  if (problems.length === 0) return []
  const lines = problems.flatMap(({ text, remedy }) => [`! ${text}`, ...(remedy ? [`    ${remedy}`] : [])])
  return [...lines, '']
}

function headLine({ name, pid, since, version, config }: InstanceStatus, now: number): string {
  const file = config === null ? '' : `, ${config}`
  return `tsgre ${name}: up ${duration((now - Date.parse(since)) / 1000)}, process ${pid}, version ${version}${file}`
}

function privilegeLines({ user, capabilities, noNewPrivileges }: InstanceStatus): string[] {
  const { effective, bounding } = capabilities
  const may = effective.length === 0 ? 'no capabilities' : setWords(effective)
  const bound = bounding.length === effective.length ? '' : `, could have ${setWords(bounding)}`
  return [line('user', `${user}, ${may}${bound}${noNewPrivileges ? ', no new privileges' : ''}`)]
}

/** All of them are not worth their forty names. */
function setWords(names: readonly string[]): string {
  return names.length > 8 ? `${names.length} capabilities` : names.join(' ') || 'none'
}

function tunnelLines(tunnel: TunnelStatus, now: number): string[] {
  const { name, state, local, mtu, tunnelMtu, offload, udpPort, bridge, fdb } = tunnel
  const way = udpPort === null ? 'GRE' : `GRE in UDP, port ${udpPort}`
  const dropped = dropsOf(tunnel.drops)
  const perPeer =
    tunnel.peers.length < 2 ? [] : tunnel.peers.map(({ asked, drops }) => ({ asked, words: dropsOf(drops) }))
  return [
    `${name}: ${state}, ${local} by ${way}, ${bridge === null ? 'in no bridge' : `in bridge ${bridge}`}`,
    line('MTU', `${mtu} (tunnel ${tunnelMtu}), offload ${offload}`),
    line('sent', amount(tunnel.txFrames, tunnel.txBytes)),
    line('received', amount(tunnel.rxFrames, tunnel.rxBytes)),
    line('dropped', dropped || 'nothing'),
    ...perPeer.filter(({ words }) => words).map(({ asked, words }) => line('', `${asked}: ${words}`)),
    line('FDB', `${fdb.entries} of ${fdb.limit} addresses`),
    '',
    ...peerLines(tunnel.peers, now).map((row) => `  ${row}`),
  ]
}

function line(label: string, text: string): string {
  return `  ${label.padEnd(LABEL)}${text}`
}

function dropsOf(drops: PeerStatus['drops']): string {
  return DROP_REASONS.filter((reason) => drops[reason] > 0)
    .sort((a, b) => drops[b] - drops[a])
    .map((reason) => `${reason} ${drops[reason]}`)
    .join(', ')
}

function peerRow(peer: PeerStatus, now: number): string[] {
  const { resolved, rxBytes, txBytes, rtt, loss, tunnelMtu, fdbEntries } = peer
  const name = peer.asked === peer.remote || !resolved ? peer.asked : `${peer.asked} (${peer.remote})`
  const lost = loss === undefined ? '-' : `${Math.round(loss * 100)} %`
  const measured = [roundTrip(rtt), lost, resolved ? String(tunnelMtu) : '-', String(fdbEntries)]
  return [name, stateOf(peer), ago(peer.lastReceived, now), size(rxBytes), size(txBytes), ...measured, keysOf(peer)]
}

/** One word: liveness, unless something is worth more. */
export function stateOf({ resolved, blocked, liveness }: PeerStatus): string {
  if (!resolved) return 'no addr'
  return blocked && liveness !== 'down' ? 'blocked' : liveness
}

function keysOf({ keyIn, keyOut }: PeerStatus): string {
  if (keyIn === keyOut) return keyIn === undefined ? 'none' : String(keyIn)
  return `in ${keyIn ?? 'none'}, out ${keyOut ?? 'none'}`
}
