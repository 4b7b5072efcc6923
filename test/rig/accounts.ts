// The books of two daemons, closed: what one sent, the other received, dropped under a reason, or never got because the
// kernel's receive buffer was full.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { DROP_REASONS, type DropReason } from '#tsgre/drops.js'
import type { Daemon } from './daemon.js'
import type { Hosts } from './hosts.js'
import type { HostName } from './topology.js'

/** The fields of a summary that this file reads. */
export interface Summary {
  txFrames: number
  rxFrames: number
  drops: Record<DropReason, number>
  lastWrongKey: number | 'none' | null
}

export type Pair<T> = Record<HostName, T>

function inodesOf(pid: number): Set<string> {
  const inodes = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
    } catch {
      return [] // closed meanwhile
    }
  })
  return new Set(inodes)
}

/** The rows of /proc/net/raw and raw6 that are a process's sockets, as columns. */
function rawSockets(pid: number): string[][] {
  const inodes = inodesOf(pid)
  const rows = ['raw', 'raw6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1),
  )
  return rows.map((row) => row.trim().split(/\s+/)).filter((columns) => inodes.has(columns[9]!))
}

/** Packets that a process's raw sockets had no room for so far. */
export function socketDrops(pid: number): number {
  return rawSockets(pid).reduce((total, columns) => total + Number(columns.at(-1)), 0)
}

/** Whether packets wait that the process has not read: tx_queue:rx_queue. */
function isBehind(pid: number): boolean {
  return rawSockets(pid).some((columns) => !columns[4]!.endsWith(':00000000'))
}

/** The reasons that happened, and how often. */
export function happened({ drops }: Summary): Partial<Record<DropReason, number>> {
  return Object.fromEntries(DROP_REASONS.filter((reason) => drops[reason] > 0).map((reason) => [reason, drops[reason]]))
}

export function totalDrops(summary: Summary): number {
  return DROP_REASONS.reduce((total, reason) => total + summary.drops[reason], 0)
}

/** Stops a daemon that has come to rest. `full` is what its receive buffer had no room for. */
export async function closeBooks(daemon: Daemon): Promise<{ summary: Summary; full: number }> {
  // What is still on its way is neither received nor lost.
  do await sleep(100)
  while (isBehind(daemon.pid))
  const full = socketDrops(daemon.pid)
  const { code, stderr, summary } = await daemon.stop()
  assert.is(stderr, '')
  assert.is(code, 0)
  return { summary, full }
}

/** Stops both and demands that everything was carried, both ways, but for what a full receive buffer explains. */
export async function closeBothBooks(rig: Hosts, daemons: Pair<Daemon>): Promise<Pair<Summary>> {
  // A container that asks for a neighbour between the two ends would be sent by one and received by none.
  for (const container of ['cA', 'cB'] as const) rig.ip(container, 'link set eth0 down')
  const [A, B] = await Promise.all([closeBooks(daemons.A), closeBooks(daemons.B)])
  assert.equal(happened(A.summary), {}, 'dropped on A')
  assert.equal(happened(B.summary), {}, 'dropped on B')
  assert.is(B.summary.rxFrames + B.full, A.summary.txFrames, 'frames from A to B')
  assert.is(A.summary.rxFrames + A.full, B.summary.txFrames, 'frames from B to A')
  return { A: A.summary, B: B.summary }
}
