// Which processes hold a TAP open: the kernel names it in the fdinfo of a descriptor of /dev/net/tun. Of processes that may not
// be looked at nothing is known.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Holder {
  readonly pid: number
  /** Its command line. */
  readonly command: string
}

/** Those in this network namespace. */
export function tapHolders(tap: string): Holder[] {
  const own = link('/proc/self/ns/net')
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => holds(pid, tap) && link(`/proc/${pid}/ns/net`) === own)
    .map((pid) => ({ pid: Number(pid), command: text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
}

function holds(pid: string, tap: string): boolean {
  return entries(`/proc/${pid}/fd`).some(
    (fd) =>
      link(`/proc/${pid}/fd/${fd}`) === '/dev/net/tun' &&
      text(`/proc/${pid}/fdinfo/${fd}`).split('\n').includes(`iff:\t${tap}`),
  )
}

// Processes and descriptors go while they are looked at.

function entries(path: string): string[] {
  return tried(() => readdirSync(path), [])
}

function link(path: string): string {
  return tried(() => readlinkSync(path), '')
}

function text(path: string): string {
  return tried(() => readFileSync(path, 'latin1'), '')
}

function tried<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}
