// Which processes hold a TAP open: the kernel names it in the fdinfo of a descriptor of /dev/net/tun. Of processes that may not
// be looked at nothing is known but that there are some.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Holder {
  readonly pid: number
  /** Its command line. */
  readonly command: string
}

export interface Holders {
  /** Those in this network namespace. */
  readonly seen: readonly Holder[]
  /** Whether there are processes of which it cannot be told: other users', or with more capabilities than this one. */
  readonly hidden: boolean
}

export function tapHolders(tap: string): Holders {
  const own = link('/proc/self/ns/net').text
  const pids = entries('/proc').names.filter((name) => /^\d+$/.test(name))
  const looks = pids.map((pid) => ({ pid, ...look(pid, tap) }))
  const seen = looks.filter(({ pid, holds }) => holds && link(`/proc/${pid}/ns/net`).text === own)
  // Number 1, which not even every root may look at, has no TAP. It is there always, unless hidepid=2 leaves out what is of other
  // users (proc(5)).
  const hidden = looks.some((one) => one.hidden && one.pid !== '1') || !pids.includes('1')
  return { seen: seen.map(holderOf), hidden }
}

function holderOf({ pid }: { pid: string }): Holder {
  return { pid: Number(pid), command: text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }
}

/** The list of descriptors may be shown, and what they are not (proc_fd_permission, proc_pid_readlink of fs/proc). */
function look(pid: string, tap: string): { holds: boolean; hidden: boolean } {
  const { names, hidden } = entries(`/proc/${pid}/fd`)
  const links = names.map((fd) => ({ fd, ...link(`/proc/${pid}/fd/${fd}`) }))
  const holds = ({ fd, text: to }: (typeof links)[number]) =>
    to === '/dev/net/tun' && text(`/proc/${pid}/fdinfo/${fd}`).split('\n').includes(`iff:\t${tap}`)
  return { holds: links.some(holds), hidden: hidden || links.some((one) => one.hidden) }
}

// Processes and descriptors go while they are looked at.

function entries(path: string): { names: string[]; hidden: boolean } {
  const { value, hidden } = tried(() => readdirSync(path), [])
  return { names: value, hidden }
}

function link(path: string): { text: string; hidden: boolean } {
  const { value, hidden } = tried(() => readlinkSync(path), '')
  return { text: value, hidden }
}

function text(path: string): string {
  return tried(() => readFileSync(path, 'latin1'), '').value
}

function tried<T>(read: () => T, otherwise: T): { value: T; hidden: boolean } {
  try {
    return { value: read(), hidden: false }
  } catch (error) {
    return { value: otherwise, hidden: /^(EACCES|EPERM)$/.test((error as NodeJS.ErrnoException).code ?? '') }
  }
}
