// Started as root by hand, the tunnel gives away what it does not need: the process replaces itself once, through setpriv(1)
// of util-linux, by the same command with two capabilities. Not done from within: capabilities and no_new_privs belong to a
// thread, and Node has some before our first line. Where it cannot be done, the process goes on as it is.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { journalDirectory } from '../host/journal.js'
import { type Privileges, readPrivileges } from '../sys/capabilities.js'
import { replaceProcess } from '../sys/replace-process.js'
import { runDirectoryGroup, serviceGroup } from './service-group.js'

/** To make and set up the TAP, its bridge, routes and rules; to open the raw socket. */
const NEEDED = ['cap_net_admin', 'cap_net_raw']
/** setpriv itself needs it, to take capabilities out of the bounding set. */
const TO_LIMIT = 'cap_setpcap'

/** Set for the second start: the pid, since a child that inherits it is another process. */
const MARK = 'TSGRE_LIMITED'
/** Set by a person: stay as you are. */
const OFF = 'TSGRE_NO_REEXEC'

/** Why all capabilities were kept, as a sentence; undefined where there was nothing to give away, or nobody asked. */
export let whyKept: string | undefined

/** Does not return where the process is replaced. For the first line of a tunnel that is to run: nothing is open yet. */
export function limitPrivileges(): void {
  whyKept = limit(process.env)
}

function limit(env: NodeJS.ProcessEnv): string | undefined {
  const again = env[MARK] === String(process.pid)
  delete env[MARK]
  const has = readPrivileges()
  if (!hasTooMuch(has) || env[OFF]) return undefined
  const why = again ? 'setpriv took none away' : obstacle(has)
  const setpriv = findSetpriv(env)
  if (why !== undefined || setpriv === undefined)
    return `all capabilities are kept: ${why ?? 'there is no setpriv (util-linux) in PATH'}`
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  try {
    const argv = ['setpriv', ...limits(has), '--', ...command]
    return replaceProcess(setpriv, argv, { ...env, [MARK]: String(process.pid) })
  } catch (error) {
    return `all capabilities are kept: ${(error as Error).message}`
  }
}

/** Root with more than it needs. Who is not root was given what they have on purpose. */
function hasTooMuch({ uid, effective, bounding, noNewPrivileges }: Privileges): boolean {
  const more = [...effective, ...bounding].some((name) => !NEEDED.includes(name))
  return uid === 0 && (more || !noNewPrivileges)
}

/** Where setpriv would fail it would be too late to go on. */
function obstacle({ effective }: Privileges): string | undefined {
  const missing = [...NEEDED, TO_LIMIT].find((name) => !effective.includes(name))
  if (missing) return `there is no ${missing}`
  // Node has removed NODE_CHANNEL_FD from the environment: the next one would not find the channel.
  return process.channel ? 'this process was forked by Node, with a channel to its parent' : undefined
}

function limits({ effective }: Privileges): string[] {
  const only = ['-all', ...NEEDED.map((name) => name.replace('cap_', '+'))].join()
  // Without CAP_DAC_OVERRIDE root needs the group to write beside the journals and sockets of services.
  const joined = effective.includes('cap_setgid')
    ? [serviceGroup() ?? [], runDirectoryGroup(journalDirectory()) ?? []].flat()
    : []
  const groups = joined.length === 0 ? [] : [`--groups=${[...new Set([...process.getgroups!(), ...joined])].join()}`]
  // Ambient ones would be gone with a program that has a capability in its file, and root's own come from the bounding set:
  // both, so that `ip` and `iptables` have them in any case.
  return [...groups, `--inh-caps=${only}`, `--ambient-caps=${only}`, `--bounding-set=${only}`, '--no-new-privs']
}

function findSetpriv(env: NodeJS.ProcessEnv): string | undefined {
  const paths = (env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'))
  return paths.map((folder) => join(folder, 'setpriv')).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
