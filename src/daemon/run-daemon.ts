// One tunnel from start to end as a process carries it: check everything, open, set the host up, report, wait, undo. What is
// refused is refused before anything changes; what was changed is put back, also after a failure.

import { ConfigError, type SystemError, type TsgreError } from '../errors.js'
import { changingTheHost, holdTap } from '../host/host-lock.js'
import { openTunnel } from '../tunnel/open-tunnel.js'
import { type ResolvedOptions, resolveOptions, type TunnelOptions } from '../tunnel/options.js'
import type { TunnelStats } from '../tunnel/stats.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { LEAST_IPV6_MTU } from '../wire/too-big.js'
import { type Place, place, type RemoteRoute, refuseRoutes, type WantedPlace } from './place.js'
import { Setup, type SetupPlan } from './setup.js'
import { watchPlace } from './watch-place.js'

export interface DaemonOptions extends TunnelOptions, WantedPlace {}

/** What the process tells whoever started it. */
export interface Report {
  up(tunnel: Tunnel, place: Place, done: SetupPlan): void
  note(message: string): void
  warn(message: string): void
  tunnelMtu(tunnel: Tunnel, now: number, before: number): void
  down(tunnel: Tunnel, seconds: number, stats: TunnelStats): void
}

/** Options found to be good, and where in this host they put the tunnel. */
export interface Settled {
  readonly resolved: ResolvedOptions
  readonly where: Place
  readonly remotes: readonly RemoteRoute[]
}

/**
 * Asks this host all that could speak against the tunnel; changes nothing.
 * @throws ConfigError
 */
export async function settle(options: DaemonOptions): Promise<Settled> {
  const resolved = resolveOptions(options)
  const where = await place(options, options.name)
  const remotes = resolved.peers.map(({ address }) => ({ text: address.text, dev: options.dev }))
  for (const remote of remotes) await refuseRoutes(remote, where, options.routes)
  return { resolved, where, remotes }
}

/**
 * Runs until `until` resolves or the tunnel fails.
 * @throws ConfigError before anything changed; SystemError or HostError after everything was put back
 */
export async function runDaemon(options: DaemonOptions, report: Report, until: Promise<unknown>): Promise<void> {
  const { resolved, where, remotes } = await settle(options)
  // While nobody cleans up, who holds the names of the dead for a moment.
  const release = (await changingTheHost(async () => holdTap(options.name))) ?? refuseHeld(options.name)
  try {
    const setup = new Setup(where, options.routes, resolved.mtu)
    await setup.plan() // a route in the way is refused before the TAP exists
    await begin(setup, report)
    await carry(options, setup, remotes, report, until)
  } finally {
    release()
  }
}

async function begin(setup: Setup, report: Report): Promise<void> {
  const { leftovers, warning } = await setup.begin()
  if (warning) report.warn(warning)
  for (const { tap, pid, alive, entries, failures } of leftovers) {
    const left = entries.map(({ what }) => what).join(', ')
    if (!alive) report.note(`took back what the tsgre on ${tap} left that was killed (process ${pid}): ${left}`)
    for (const { what, error } of failures) report.warn(`could not take back: ${what}: ${error.message}`)
  }
}

async function carry(
  options: DaemonOptions,
  setup: Setup,
  remotes: readonly RemoteRoute[],
  report: Report,
  until: Promise<unknown>,
): Promise<void> {
  let tunnel: Tunnel | undefined
  let done: SetupPlan = { changes: [], notes: [] }
  const since = Date.now()
  const prepare = async () => {
    done = await setup.make()
  }
  try {
    tunnel = await openTunnel({ ...options, up: false, prepare })
    const failed = failureOf(tunnel)
    for (const warning of narrowWarnings(tunnel, options)) report.warn(warning)
    const ports = await setup.largerPorts()
    if (ports !== undefined) report.warn(smallTap(tunnel, setup.where, ports))
    report.up(tunnel, setup.where, done)
    reportMtu(tunnel, options, report)
    const watch = watchPlace(tunnel, remotes, setup, report)
    try {
      await Promise.race([until, failed])
    } finally {
      await watch.stop()
    }
  } finally {
    await putBack(setup, report)
    await tunnel?.close()
    if (tunnel) report.down(tunnel, (Date.now() - since) / 1000, tunnel.stats())
  }
}

async function putBack(setup: Setup, report: Report): Promise<void> {
  try {
    for (const { what, error } of await setup.undo()) report.warn(`could not take back: ${what}: ${error.message}`)
  } catch (error) {
    report.warn(`could not put this host back (tsgre cleanup does it): ${(error as Error).message}`)
  }
}

function refuseHeld(tap: string): never {
  const why = 'another tsgre runs on that TAP; choose another name'
  throw new ConfigError('TSGRE_BAD_TAP', 'tap', tap, `--tap ${JSON.stringify(tap)}: ${why}`)
}

/** Rejects when the tunnel ends by itself. */
function failureOf(tunnel: Tunnel): Promise<never> {
  const failed = new Promise<never>((_, reject) => tunnel.once('error', (error) => reject(explain(error, tunnel.name))))
  failed.catch(() => {}) // it may fail while something else is awaited
  return failed
}

/** A search for what passes takes some steps: only where it ends is worth a line, unless it does not end. */
const SETTLED_MS = 1000
const UNSETTLED_MS = 5000

/** Tells when the tunnel MTU has changed, and what that means where it means something. */
function reportMtu(tunnel: Tunnel, options: TunnelOptions, report: Report): void {
  let told = tunnel.tunnelMtu
  let settling: NodeJS.Timeout | undefined
  let unsettledSince = 0
  const tell = () => {
    settling = undefined
    const before = told
    told = tunnel.tunnelMtu
    if (told !== before) report.tunnelMtu(tunnel, told, before)
    if (told < LEAST_IPV6_MTU && before >= LEAST_IPV6_MTU) narrowWarnings(tunnel, options).forEach(report.warn)
  }
  tunnel.on('tunnelMtu', () => {
    const now = performance.now()
    if (settling === undefined) unsettledSince = now
    clearTimeout(settling)
    settling = setTimeout(tell, Math.min(SETTLED_MS, unsettledSince + UNSETTLED_MS - now)).unref()
  })
  tunnel.once('closed', () => clearTimeout(settling))
}

function narrowWarnings({ name, mtu, tunnelMtu, remote }: Tunnel, { oversize }: TunnelOptions): string[] {
  const fits = `only ${tunnelMtu} bytes fit one packet to ${remote}`
  const dropped = `${name} has an MTU of ${mtu} bytes, but ${fits}: larger frames are dropped (--oversize drop)`
  const ipv6 = `${fits}, and IPv6 takes ${LEAST_IPV6_MTU} for granted: its packets up to that size go in fragments`
  return [
    ...(oversize === 'drop' && mtu > tunnelMtu ? [dropped] : []),
    ...(mtu >= LEAST_IPV6_MTU && tunnelMtu < LEAST_IPV6_MTU ? [ipv6] : []),
  ]
}

function smallTap({ name, mtu }: Tunnel, { bridge }: Place, ports: number): string {
  const what = `--mtu ${mtu}: the other ports of ${bridge} have ${ports}, and it drops larger frames before ${name} in silence`
  return `${what}; leave --mtu away, or give ports and containers ${mtu} too`
}

function explain(error: TsgreError, name: string): TsgreError {
  const { syscall } = error as SystemError
  if (error.code === 'EBADFD' && syscall) error.message = `${name} was deleted while the tunnel ran`
  return error
}
