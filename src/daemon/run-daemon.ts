// One tunnel from start to end as a process carries it: check everything, open, join the bridge, add the routes, report,
// wait, undo. What is refused is refused before anything changes; what was changed is put back, also after a failure.

import type { SystemError, TsgreError } from '../errors.js'
import { attachToBridge, keepLinkLocals, setUp } from '../host/links.js'
import { addRoute } from '../host/routes.js'
import { UndoStack } from '../host/undo.js'
import { openTunnel } from '../tunnel/open-tunnel.js'
import { resolveOptions, type TunnelOptions } from '../tunnel/options.js'
import type { TunnelStats } from '../tunnel/stats.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { type Place, place, refuseRoutes } from './place.js'
import { watchPlace } from './watch-place.js'

export interface DaemonOptions extends TunnelOptions {
  /** A bridge, 'none', or undefined for docker0 where there is one. */
  bridge?: string | undefined
  /** Networks behind the other host, as CIDR. */
  routes: readonly string[]
}

/** What the process tells whoever started it. */
export interface Report {
  up(tunnel: Tunnel, place: Place): void
  note(message: string): void
  warn(message: string): void
  down(tunnel: Tunnel, seconds: number, stats: TunnelStats): void
}

/**
 * Runs until `until` resolves or the tunnel fails.
 * @throws ConfigError before anything changed; SystemError or HostError after everything was put back
 */
export async function runDaemon(options: DaemonOptions, report: Report, until: Promise<unknown>): Promise<void> {
  const resolved = resolveOptions(options)
  const where = await place(options.bridge, options.name)
  const remote = { text: resolved.remote.text, dev: options.dev }
  await refuseRoutes(remote, where, options.routes)

  const undo = new UndoStack()
  await keepLinkLocals(options.name, undo)
  const prepare = async (tap: string) => {
    if (where.bridge) await attachToBridge(tap, where.bridge, undo)
    else await setUp(tap, undo)
    for (const route of options.routes) await addRoute(route, where.device, undo)
  }
  let tunnel: Tunnel | undefined
  const since = Date.now()
  try {
    tunnel = await openTunnel({ ...options, up: false, prepare })
    const failed = failureOf(tunnel)
    if (tunnel.mtu > tunnel.tunnelMtu) report.warn(tooBigWarning(tunnel, options))
    report.up(tunnel, where)
    const watch = watchPlace(tunnel, remote, where, report)
    try {
      await Promise.race([until, failed])
    } finally {
      watch.stop()
    }
  } finally {
    for (const failure of await undo.unwind())
      report.warn(`could not undo: ${failure.description}: ${failure.error.message}`)
    await tunnel?.close()
    if (tunnel) report.down(tunnel, (Date.now() - since) / 1000, tunnel.stats())
  }
}

/** Rejects when the tunnel ends by itself. */
function failureOf(tunnel: Tunnel): Promise<never> {
  const failed = new Promise<never>((_, reject) => tunnel.once('error', (error) => reject(explain(error, tunnel.name))))
  failed.catch(() => {}) // it may fail while something else is awaited
  return failed
}

function tooBigWarning(tunnel: Tunnel, { ignoreDf, pmtudisc }: TunnelOptions): string {
  const { name, mtu, tunnelMtu, remote } = tunnel
  const dropped = 'larger frames are dropped (too-big)'
  const inFragments = `larger frames are sent in fragments${ignoreDf ? '' : ', or dropped (too-big) where the packet inside forbids it'}`
  const fate = ignoreDf || pmtudisc === false ? inFragments : dropped
  return `${name} has an MTU of ${mtu} bytes, but only ${tunnelMtu} fit one packet to ${remote}: ${fate}`
}

function explain(error: TsgreError, name: string): TsgreError {
  const { syscall } = error as SystemError
  if (error.code === 'EBADFD' && syscall) error.message = `${name} was deleted while the tunnel ran`
  return error
}
