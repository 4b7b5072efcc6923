// Settings under /proc/sys that several tunnels of one host may want the same way. Invariant: the value found by the first
// of them comes back with the last.

import { open, readFile, writeFile } from 'node:fs/promises'
import { HostError } from '../errors.js'
import type { Change, Undo } from './change.js'

/** Whoever may write a journal must not have root write where they like. */
const OURS = /^\/proc\/sys\/net\/ipv4\/conf\/(?!\.)[^/]+\/send_redirects$/

type SettingUndo = Extract<Undo, { kind: 'setting' }>

/** The settings other tunnels of this host hold. */
export type HeldSettings = readonly SettingUndo[]

/**
 * What is left to do for `path` to say `to`. A setting another tunnel holds already is held by this one too, and so outlives
 * that one; a setting that is not there (an older kernel, a device that is gone) is left out.
 */
export async function planSetting(path: string, to: string, held: HeldSettings, what: string): Promise<Change[]> {
  const from = await readSetting(path)
  if (from === undefined) return []
  const other = held.find((undo) => undo.path === path && undo.to === to)
  if (from !== to)
    return [{ what, action: { write: path, text: to }, undo: { kind: 'setting', path, from: other?.from ?? from, to } }]
  return other ? [{ what, undo: { kind: 'setting', path, from: other.from, to } }] : []
}

/** Puts back what was found, unless somebody wrote something else since, or another tunnel needs it. */
export async function undoSetting({ path, from, to }: SettingUndo, held: HeldSettings): Promise<void> {
  if (!OURS.test(path)) throw new HostError('TSGRE_COMMAND_FAILED', path, '', `${path} is no setting tsgre changes`)
  if (held.some((undo) => undo.path === path)) return
  if ((await readSetting(path)) === to) await writeFile(path, from)
}

/** The errno with which `path` would refuse a new value: EROFS in most containers. A setting that is not there refuses none. */
export async function writeRefusal(path: string): Promise<string | undefined> {
  try {
    await (await open(path, 'r+')).close()
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? undefined : code
  }
}

/** Where a bridge, and where every interface of the host, is told not to send ICMP redirects; the kernel ORs the two. */
export function redirectSettings(bridge: string): string[] {
  return ['all', bridge].map((name) => `/proc/sys/net/ipv4/conf/${name}/send_redirects`)
}

async function readSetting(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
