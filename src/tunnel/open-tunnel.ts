// Opens a tunnel: options, claim, sockets, TAP, pump, in the order in which the first two change nothing and the rest
// undoes itself on failure.

import { StateError, TsgreError } from '../errors.js'
import { openTap } from '../io/open-tap.js'
import type { Port } from '../io/port.js'
import type { TapPort } from '../io/tap.js'
import type { Engine, EngineListener } from './engine.js'
import { LoopEngine } from './loop-engine.js'
import { type ResolvedOptions, resolveOptions, type TunnelOptions } from './options.js'
import { Pump } from './pump.js'
import type { PumpCommand } from './pump-command.js'
import { Remotes } from './remotes.js'
import { listRemotes } from './resolve-peers.js'
import type { PumpSettings } from './settings.js'
import { Counters } from './stats.js'
import { failTunnel, Tunnel, type TunnelBase, type TunnelDescription } from './tunnel.js'
import { openUnderlay } from './underlay.js'

/**
 * Opens a TAP and a raw socket and carries frames between them until `close()`.
 * @throws ConfigError before anything was opened; SystemError after everything opened so far was given back
 */
export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  options.signal?.throwIfAborted()
  const resolved = resolveOptions(options)
  const undo: (() => void)[] = []
  const release = () => {
    for (const step of undo.splice(0).reverse()) step()
  }
  const counters = new Counters()
  let send: (command: PumpCommand) => void = () => {}
  try {
    const { local, encapsulation } = resolved
    const base = {
      options,
      local,
      udp: encapsulation !== undefined,
      counters,
      claimed: encapsulation === undefined, // the port of GRE-in-UDP is a claim by itself
      filter: (list: Parameters<typeof underlay.filter>[0]) => underlay.filter(list),
      command: (command: PumpCommand) => send(command),
    }
    const remotes = new Remotes(base, listRemotes(options.remote), resolved.peers)
    undo.push(() => remotes.release())
    const warn = (message: string) => options.logger?.warn({ name: resolved.name }, message)
    const underlay = openUnderlay(resolved, remotes.list(), warn)
    undo.push(() => underlay.close())
    const { name, mtu, up, offload } = resolved
    const tap = openTap({ name, up, offload, ...(mtu === undefined ? {} : { mtu }), ...macOf(resolved) })
    undo.push(() => tap.close())
    await options.prepare?.(tap.name)
    const start: MakeEngine = (listener) => {
      const engine = underlay.start(tap, listener, counters)
      send = (command) => engine.command(command)
      return engine
    }
    return await begin(
      { description: describe(resolved, tap), counters, remotes, underlay, release },
      start,
      options.signal,
    )
  } catch (error) {
    release()
    throw error
  }
}

/**
 * Carries frames between two ports of your own, on this event loop: no thread, and on memory ports no root.
 * Closing the tunnel closes the ports.
 */
export async function runTunnel(
  overlay: Port,
  underlay: Port,
  options: Partial<PumpSettings> & { signal?: AbortSignal } = {},
): Promise<Tunnel> {
  const { signal, ...given } = options
  signal?.throwIfAborted()
  const settings = { ...PLAIN, ...given }
  const { mtu, offload = 'off' } = overlay
  const tunnelMtu = underlay.mtu // the pump works it out at once
  const description = { name: '', local: '', mtu, tunnelMtu, offload, udpPort: undefined }
  const release = () => {
    overlay.close()
    underlay.close()
  }
  const counters = new Counters()
  const engine: MakeEngine = (listener) =>
    new LoopEngine(new Pump(overlay, underlay, settings, counters), overlay, underlay, listener)
  return begin({ description, counters, remotes: undefined, underlay: undefined, release }, engine, signal)
}

/** The tunnel of `ip link add type gretap` without options. */
const PLAIN: PumpSettings = {
  keyIn: undefined,
  keyOut: undefined,
  checksum: false,
  receiveChecksum: 'accept',
  sequence: false,
  peers: undefined,
  reorder: { packets: 64, ms: 10 },
  keepalive: undefined,
  carrier: false,
  loopGuard: true,
  floodLimit: 0,
  tos: 0,
  ttl: 64,
  fragment: 'never',
  oversize: 'answer',
  clampMss: true,
  tunnelMtu: 0,
  probe: false,
  udpPort: undefined,
  flows: 1,
  local: new Uint8Array(),
  remote: new Uint8Array(),
}

type MakeEngine = (listener: EngineListener) => Engine

/** Starts the engine and ties its failure, the signal and the events together. */
async function begin(
  base: Omit<TunnelBase, 'engine'>,
  makeEngine: MakeEngine,
  signal: AbortSignal | undefined,
): Promise<Tunnel> {
  const { counters, description } = base
  counters.reset()
  counters.tunnelMtu = description.tunnelMtu
  counters.peers.epoch = performance.timeOrigin // the pump's thread sets its own
  const listener: EngineListener = {
    failed: (error) => void failTunnel(tunnel, asTsgreError(error)),
    changed: () => tunnel.tell(),
  }
  const engine = makeEngine(listener)
  const tunnel: Tunnel = new Tunnel({ ...base, engine })
  const abort = () => void tunnel.close()
  try {
    await engine.start()
    signal?.throwIfAborted()
  } catch (error) {
    await engine.stop()
    throw error
  }
  signal?.addEventListener('abort', abort, { once: true })
  tunnel.once('closed', () => signal?.removeEventListener('abort', abort))
  // After the caller has had the tunnel in hand and could listen.
  setImmediate(() => tunnel.announce())
  return tunnel
}

function asTsgreError(error: unknown): TsgreError {
  if (error instanceof TsgreError) return error
  return new StateError('TSGRE_PUMP_DIED', `the pump failed: ${(error as Error).message}`, { cause: error })
}

function describe(resolved: ResolvedOptions, tap: TapPort): TunnelDescription {
  const { name, local, tunnelMtu, encapsulation } = resolved
  const { offload } = tap
  const udpPort = encapsulation?.port
  return {
    name,
    local: local.text,
    get mtu() {
      return tap.mtu
    },
    tunnelMtu,
    offload,
    udpPort,
  }
}

function macOf({ mac }: ResolvedOptions): { mac?: string } {
  return mac === undefined ? {} : { mac }
}
