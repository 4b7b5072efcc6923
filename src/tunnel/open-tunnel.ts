// Opens a tunnel: options, claim, sockets, TAP, pump, in the order in which the first two change nothing and the rest
// undoes itself on failure.

import { StateError, TsgreError } from '../errors.js'
import { claim } from '../io/claim.js'
import { openRawSocket, type RawSocketOptions } from '../io/open-raw-socket.js'
import { openTap } from '../io/open-tap.js'
import { openUdpSocket } from '../io/open-udp-socket.js'
import type { Port } from '../io/port.js'
import { PortableSocketPort } from '../io/portable-socket.js'
import type { TapPort } from '../io/tap.js'
import type { Engine, EngineListener } from './engine.js'
import { LoopEngine } from './loop-engine.js'
import { type ResolvedOptions, resolveOptions, type TunnelOptions } from './options.js'
import { Pump } from './pump.js'
import type { PumpSettings } from './settings.js'
import { Counters } from './stats.js'
import { ThreadEngine } from './thread-engine.js'
import { failTunnel, Tunnel, type TunnelDescription } from './tunnel.js'

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
  try {
    const { local, remote, settings, dev } = resolved
    // The port of GRE-in-UDP is a claim by itself.
    if (!resolved.encapsulation) {
      undo.push(claim({ local: local.text, remote: remote.text, keyIn: settings.keyIn, dev }))
    }
    const start = openUnderlay(resolved, undo, (message) => options.logger?.warn({ name: resolved.name }, message))
    const { name, mtu, up, offload } = resolved
    const tap = openTap({ name, up, offload, ...(mtu === undefined ? {} : { mtu }), ...macOf(resolved) })
    undo.push(() => tap.close())
    await options.prepare?.(tap.name)
    return await begin(
      describe(resolved, tap),
      (listener, counters) => start(tap, listener, counters),
      release,
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
  const description = { name: '', local: '', remote: '', mtu, tunnelMtu, offload, udpPort: undefined }
  const release = () => {
    overlay.close()
    underlay.close()
  }
  const engine: MakeEngine = (listener, counters) =>
    new LoopEngine(new Pump(overlay, underlay, settings, counters), overlay, underlay, listener)
  return begin(description, engine, release, signal)
}

/** The tunnel of `ip link add type gretap` without options. */
const PLAIN: PumpSettings = {
  keyIn: undefined,
  keyOut: undefined,
  checksum: false,
  sequence: false,
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

type MakeEngine = (listener: EngineListener, counters: Counters) => Engine
type StartOnTap = (tap: TapPort, listener: EngineListener, counters: Counters) => Engine

function openUnderlay(resolved: ResolvedOptions, undo: (() => void)[], warn: (message: string) => void): StartOnTap {
  const { settings, encapsulation, busyPoll } = resolved
  const options: RawSocketOptions = {
    local: resolved.local,
    remote: resolved.remote,
    keyIn: settings.keyIn,
    dev: resolved.dev,
    ttl: settings.ttl === 'inherit' ? 64 : settings.ttl,
    tos: settings.tos === 'inherit' ? 0 : settings.tos & ~3,
    mtu: resolved.underlayMtu,
  }
  if (resolved.io === 'raw-socket') {
    const port = new PortableSocketPort(options, warn)
    undo.push(() => port.close())
    return (tap, listener, counters) => new LoopEngine(new Pump(tap, port, settings, counters), tap, port, listener)
  }
  const port = encapsulation ? openUdpSocket({ ...options, ...encapsulation }, warn) : openRawSocket(options, warn)
  undo.push(() => port.close())
  return (tap, listener, counters) => new ThreadEngine(tap, port.handle, settings, busyPoll, counters, listener)
}

/** Starts the engine and ties its failure, the signal and the events together. */
async function begin(
  description: TunnelDescription,
  makeEngine: MakeEngine,
  release: () => void,
  signal: AbortSignal | undefined,
): Promise<Tunnel> {
  const counters = new Counters()
  counters.reset()
  counters.tunnelMtu = description.tunnelMtu
  const listener: EngineListener = {
    failed: (error) => void failTunnel(tunnel, asTsgreError(error)),
    tunnelMtu: () => tunnel.tellMtu(),
  }
  const engine = makeEngine(listener, counters)
  const tunnel: Tunnel = new Tunnel(description, counters, engine, release)
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
  const { name, local, remote, tunnelMtu, encapsulation } = resolved
  const { offload } = tap
  const udpPort = encapsulation?.port
  return {
    name,
    local: local.text,
    remote: remote.text,
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
