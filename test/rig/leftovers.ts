// What a rig leaves on the machine when its process was killed: network namespaces named tsgre-<pid>-*, and processes.
// Invariant: only what belongs to a process that is gone, or to the run that asks, is ever touched.

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const NETNS_DIR = '/run/netns'
const RIG_NAME = /^tsgre-(\d+)[.-]/

/** The environment variable by which every process of a run tells which runner started it. */
export const RUN_MARK = 'TSGRE_TEST_RUN'

export interface Leftovers {
  namespaces: string[]
  processes: { pid: number; command: string }[]
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it went by itself
  }
}

function ip(...args: string[]): string {
  return spawnSync('ip', args, { encoding: 'utf8' }).stdout ?? ''
}

/** The pid of the process that made a namespace, a folder or anything else named like a rig. */
export function rigOwner(name: string): number | undefined {
  const owner = RIG_NAME.exec(name)?.[1]
  return owner === undefined ? undefined : Number(owner)
}

function rigNamespaces(): { name: string; owner: number }[] {
  return list(NETNS_DIR).flatMap((name) => {
    const owner = rigOwner(name)
    return owner === undefined ? [] : [{ name, owner }]
  })
}

/** Who runs in a namespace, by its name. */
export function pidsIn(namespace: string): number[] {
  return ip('netns', 'pids', namespace).split('\n').filter(Boolean).map(Number)
}

function markedWith(mark: string): number[] {
  const wanted = `${RUN_MARK}=${mark}`
  return list('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && read(`/proc/${pid}/environ`).split('\0').includes(wanted))
}

function leftovers(namespaces: string[], pids: number[]): Leftovers {
  const all = new Set([...pids, ...namespaces.flatMap(pidsIn)])
  const processes = [...all].map((pid) => ({
    pid,
    command: read(`/proc/${pid}/cmdline`).split('\0').join(' ').trim(),
  }))
  return { namespaces, processes }
}

/** Of rigs whose process is gone, whoever started it. */
export function findOrphans(): Leftovers {
  const orphans = rigNamespaces().filter(({ owner }) => !alive(owner))
  return leftovers(
    orphans.map(({ name }) => name),
    [],
  )
}

/** Of one run: the namespaces of rigs made by these processes, and every process carrying the run's mark. */
export function findLeftovers(mark: string, owners: ReadonlySet<number>): Leftovers {
  const mine = rigNamespaces().filter(({ owner }) => owners.has(owner))
  return leftovers(
    mine.map(({ name }) => name),
    markedWith(mark),
  )
}

/** Kills whoever is in it first: a process would keep its interfaces alive. */
export function removeNamespace(name: string): void {
  for (const pid of pidsIn(name)) kill(pid)
  ip('netns', 'del', name)
}

export function removeLeftovers({ namespaces, processes }: Leftovers): void {
  for (const { pid } of processes) kill(pid)
  for (const name of namespaces) removeNamespace(name)
}

/** As a sentence, or '' when nothing is left. */
export function describeLeftovers({ namespaces, processes }: Leftovers): string {
  return [
    ...namespaces.map((name) => `namespace ${name}`),
    ...processes.map(({ pid, command }) => `process ${pid} (${command})`),
  ].join(', ')
}
