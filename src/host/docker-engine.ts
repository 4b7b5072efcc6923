// The dockerd whose docker0 is this network namespace's: found among the processes, with its flags and its socket. It is read
// about under /proc, never signalled. Rootless engines, and those of containers, live in other namespaces and are not meant.

import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { type Flag, flagOf, readFlags } from './docker-flags.js'
import { DAEMON_JSON, settingsOf } from './docker-settings.js'

export interface Engine {
  readonly pid: number
  /** Its command line. */
  readonly argv: readonly string[]
  readonly flags: readonly Flag[]
  /** The daemon.json it reads. */
  readonly configFile: string
}

/** The dockerd of this network namespace; of several the one that shares our files, then the oldest. */
export async function findEngine(): Promise<Engine | undefined> {
  const entries = await readdir('/proc')
  const pids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number)
  const found = (await Promise.all(pids.map(readProcess))).filter((process) => process !== undefined)
  found.sort((a, b) => Number(b.sameFiles) - Number(a.sameFiles) || a.pid - b.pid)
  const [first] = found
  if (!first) return undefined
  const flags = readFlags(first.argv.slice(1))
  const named = flagOf(flags, 'config-file')?.value
  return { pid: first.pid, argv: first.argv, flags, configFile: named ? resolve(first.cwd, named) : DAEMON_JSON }
}

/**
 * The Unix socket an engine answers on; undefined where it listens on TCP alone. `text` is its daemon.json.
 */
export function socketOf(engine: Engine, text: string | undefined): string | undefined {
  const given = engine.flags.filter(({ name }) => name === 'host').map(({ value }) => value)
  const hosts = given.length > 0 ? given : hostsIn(text)
  if (hosts.length === 0) return '/var/run/docker.sock'
  const sockets = hosts.flatMap((host) => {
    const [, scheme, path = ''] = /^(unix|fd):\/\/(.*)$/.exec(host.trim()) ?? []
    // docker.socket, the unit that hands the descriptor over, listens there.
    if (scheme === 'fd') return ['/run/docker.sock']
    return scheme === 'unix' ? [path || '/var/run/docker.sock'] : []
  })
  return sockets[0]
}

function hostsIn(text: string | undefined): string[] {
  try {
    return settingsOf(text).hosts ?? []
  } catch {
    return [] // not what this dockerd was started with
  }
}

interface Found {
  readonly pid: number
  readonly argv: readonly string[]
  readonly cwd: string
  readonly sameFiles: boolean
}

/** undefined for any other process, and for one that ended meanwhile. */
async function readProcess(pid: number): Promise<Found | undefined> {
  const cmdline = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const argv = cmdline.replace(/\0$/, '').split('\0')
  // dockerd starts itself again under other names to unpack layers; a script named dockerd has its shell in front.
  if (basename(argv[0]!) !== 'dockerd' || !(await runsDockerd(pid)) || !(await inOurNetwork(pid))) return undefined
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '/')
  const files = await Promise.all([pid, 'self'].map((who) => readlink(`/proc/${who}/ns/mnt`).catch(() => '')))
  return { pid, argv, cwd, sameFiles: files[0] === files[1] }
}

async function runsDockerd(pid: number): Promise<boolean> {
  const exe = await readlink(`/proc/${pid}/exe`).catch(() => undefined)
  // An upgrade replaces the file under a running dockerd.
  if (exe !== undefined) return /^\.?dockerd/.test(basename(exe.replace(/ \(deleted\)$/, '')))
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() === 'dockerd'
}

/**
 * /proc/PID/ns tells only who could trace the process, which root's dockerd is kept from who runs with few capabilities. The files
 * of /proc/PID/net have inodes of their own in every network namespace, and anybody may ask for them.
 */
async function inOurNetwork(pid: number): Promise<boolean> {
  const [ours, theirs] = await Promise.all(
    ['self', pid].map((who) =>
      stat(`/proc/${who}/net/dev`)
        .then(({ ino }) => ino)
        .catch(() => undefined),
    ),
  )
  return ours !== undefined && ours === theirs
}
