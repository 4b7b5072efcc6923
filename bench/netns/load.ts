// What processes have cost, from proc(5): the tunnel's own CPU time and memory, and the CPU time of everybody who has
// nothing to do with the bench and disturbs it.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { Hosts } from '../../test/rig/hosts.js'
import { pidsIn } from '../../test/rig/leftovers.js'

const TICKS_PER_SECOND = 100 // USER_HZ, the same on every architecture of Linux that Node runs on
const KTHREADD = 2

/** The sum over the processes of both hosts. One that ends while we look, a command of a daemon's, counts no more. */
function ofTunnel(rig: Hosts, read: (pid: number) => number): number {
  const pids = [...pidsIn(rig.namespace('A')), ...pidsIn(rig.namespace('B'))]
  return pids.reduce((sum, pid) => {
    try {
      return sum + read(pid)
    } catch {
      return sum
    }
  }, 0)
}

/** The numbers of /proc/PID/stat from field 3 on, the name before them being able to hold anything. */
function statOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
}

/** CPU seconds, user and system, that the processes of both hosts have used so far. */
export function tunnelSeconds(rig: Hosts): number {
  const ticks = ofTunnel(rig, (pid) => {
    const stat = statOf(pid)
    return stat[11] + stat[12]
  })
  return ticks / TICKS_PER_SECOND
}

/** Resident memory of the tunnel's processes, in megabytes a host. */
export function tunnelMegabytes(rig: Hosts): number {
  const kilobytes = ofTunnel(rig, (pid) =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0),
  )
  return kilobytes / 1024 / 2
}

/**
 * CPU seconds so far of all processes that are neither in the rig nor this one nor the kernel's, with those of their
 * children that have ended. What ends in between is in its parent's sum afterwards.
 */
export function foreignSeconds(rig: Hosts): number {
  const ours = new Set(rig.nodes.map((node) => statSync(`/run/netns/${rig.namespace(node)}`).ino))
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))
  return pids.map((pid) => foreignTicks(Number(pid), ours)).reduce((a, b) => a + b, 0) / TICKS_PER_SECOND
}

function foreignTicks(pid: number, ours: ReadonlySet<number>): number {
  if (pid === process.pid || pid === KTHREADD) return 0
  try {
    const stat = statOf(pid)
    if (stat[1] === KTHREADD || ours.has(statSync(`/proc/${pid}/ns/net`).ino)) return 0
    return stat[11] + stat[12] + stat[13] + stat[14]
  } catch {
    return 0 // it ended while we looked
  }
}
