// What a program or a person asks for, and the one place where it is refused. Nothing is opened or changed here.

import { ConfigError } from '../errors.js'
import { refuseTapName } from '../io/open-tap.js'
import { OFFLOADS, type Offload } from '../offload/gso.js'
import type { Address } from '../sys/address.js'
import { resolveAddresses } from './addresses.js'
import { type Encapsulation, type EncapsulationOptions, resolveEncapsulation } from './encapsulation.js'
import type { ChecksumRule, Keys, PeerOptions } from './peer-options.js'
import { listRemotes, type PeerBase, type ResolvedPeer, resolvePeers } from './resolve-peers.js'
import type { FragmentRule, OversizeRule, PumpSettings } from './settings.js'
import { integer, LEAST_MTU, MOST_MTU, oneOf } from './values.js'

/** Takes log lines: fields, then a message. pino fits as it is. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** In the words of `ip link add … type gretap`. */
export interface TunnelOptions extends EncapsulationOptions {
  /** Name of the TAP: 1 to 15 bytes. Made if there is none. */
  name: string
  /**
   * Underlay address of the other host, IPv6 link-local ones with their zone, `fe80::1%eth1`; or several hosts, at most 128 of one
   * address family, each with what is its own.
   */
  remote: string | PeerOptions | readonly (string | PeerOptions)[]
  /** Underlay address of this host; what the route to the remote uses when absent. */
  local?: string | undefined
  /** Bind the underlay to this device or VRF. */
  dev?: string | undefined
  /** One key both ways, or one each way. No key is another thing than key 0. */
  key?: Keys | undefined
  /** Send GRE checksums. Received ones are always verified. */
  checksum?: boolean | undefined
  /** What remotes may send: see ChecksumRule (default 'accept'). */
  receiveChecksum?: ChecksumRule | undefined
  /** Send sequence numbers, put received packets into order, and drop those older than the newest delivered. */
  sequence?: boolean | undefined
  /**
   * Of packets out of order: how many of a remote wait for those before them, 0 to 256 (default 64), and how long, 0 to 1000
   * milliseconds (default 10).
   */
  reorder?: { packets: number; ms: number } | undefined
  /**
   * Ask remotes that are tsgre whether they are there, every `interval` seconds, 1 to 3600; after `count` questions without an
   * answer, 1 to 100, one that had answered is down: nothing is sent to it until it answers again. Not asked when absent.
   */
  keepalive?: { interval: number; count: number } | undefined
  /** The TAP has no carrier while all remotes are down. Goes with `keepalive`. */
  carrier?: boolean | undefined
  /** Shut the way to a remote for a while that leads back here by a second path (default true). */
  loopGuard?: boolean | undefined
  /** Frames a second that may go to all remotes, 1 to 10000000; 0 (default) for any number. */
  floodLimit?: number | undefined
  /** Outer TTL or hop limit, 1 to 255 (default 64), or the inner packet's. */
  ttl?: number | 'inherit' | undefined
  /** Outer TOS or traffic class, 0 to 255 (default 0), or the inner packet's. ECN is always copied. */
  tos?: number | 'inherit' | undefined
  /** Set DF on outer packets (default true); false copies it from the inner packet. */
  pmtudisc?: boolean | undefined
  /** Clear DF on every outer packet, whatever the inner one says. */
  ignoreDf?: boolean | undefined
  /** MTU of the TAP in bytes, 68 to 65521; 'auto' (default) leaves a TAP as found, and gives a new one 1500. */
  mtu?: number | 'auto' | undefined
  /** The most the tunnel MTU may be, in bytes, 68 to 65521; what fits one packet of the underlay when absent. */
  tunnelMtu?: number | undefined
  /**
   * What becomes of frames that do not fit one packet of the underlay. 'answer' (default): TCP is cut smaller, IPv4 without DF
   * fragmented inside, other IP answered by ICMP. 'outer': TCP is cut, the rest sent in outer fragments. 'drop': dropped.
   */
  oversize?: OversizeRule | undefined
  /** Lower the MSS in SYNs of both directions to what fits the tunnel (default true). */
  clampMss?: boolean | undefined
  /** Ask a peer that is tsgre which sizes arrive, and send no larger ones. */
  probe?: boolean | undefined
  /** Hardware address of the TAP, `02:00:00:00:00:01`. */
  mac?: string | undefined
  /** Set the TAP up (default true). */
  up?: boolean | undefined
  /** Called with the TAP's name when it exists and before frames are carried: the time to join a bridge. */
  prepare?: ((name: string) => Promise<void>) | undefined
  /** 'mmsg': raw socket, batches, a thread of its own (default). 'raw-socket': the npm package, on this event loop. */
  io?: 'mmsg' | 'raw-socket' | undefined
  /**
   * The most to leave to the kernel at the TAP: 'off' whole frames, 'csum' checksums too, 'tso' superframes of TCP too, 'uso'
   * of UDP too; 'auto' (default) as much as it takes.
   */
  offload?: Offload | 'auto' | undefined
  /** Microseconds (0 to 1000000, default 0) that the pump's thread looks for frames and packets again before it sleeps. */
  busyPoll?: number | undefined
  signal?: AbortSignal | undefined
  logger?: Logger | undefined
}

/** Options with every question answered. */
export interface ResolvedOptions {
  readonly name: string
  readonly local: Address
  /** By number; at least one. */
  readonly peers: readonly ResolvedPeer[]
  readonly dev: string | undefined
  readonly io: 'mmsg' | 'raw-socket'
  readonly encapsulation: Encapsulation | undefined
  readonly offload: Offload
  readonly busyPoll: number
  /** Of the TAP; undefined leaves it to the kernel, and to whoever puts it into a bridge. */
  readonly mtu: number | undefined
  /** What fits one packet to every remote now. */
  readonly tunnelMtu: number
  readonly mac: string | undefined
  readonly up: boolean
  readonly settings: PumpSettings
}

/**
 * Answers every question the options leave open, and asks the kernel for the way to the remote.
 * @throws ConfigError naming option, value and way out
 */
export function resolveOptions(options: TunnelOptions): ResolvedOptions {
  refuseTapName(options.name)
  const io = oneOf('io', options.io ?? 'mmsg', ['mmsg', 'raw-socket'])
  const fragment = resolveFragment(options)
  const ttl = options.ttl === 'inherit' ? 'inherit' : integer('ttl', options.ttl ?? 64, 1, 255, ' or "inherit"')
  const tos = options.tos === 'inherit' ? 'inherit' : integer('tos', options.tos ?? 0, 0, 255, ' or "inherit"')
  const mtu =
    options.mtu === undefined || options.mtu === 'auto'
      ? undefined
      : integer('mtu', options.mtu, LEAST_MTU, MOST_MTU, ' bytes, or "auto"', 'TSGRE_BAD_MTU')
  refuseMac(options.mac)
  const remotes = listRemotes(options.remote)
  const { local } = resolveAddresses(remotes[0]?.remote, options.local, options.dev, io)
  const encapsulation = resolveEncapsulation(options, io, local.family)
  const base: PeerBase = { options, local, udp: encapsulation !== undefined }
  const peers = resolvePeers(remotes, base)
  const oversize = oneOf('oversize', options.oversize ?? 'answer', ['answer', 'outer', 'drop'])
  const cap =
    options.tunnelMtu === undefined
      ? 0
      : integer('tunnel-mtu', options.tunnelMtu, LEAST_MTU, MOST_MTU, ' bytes', 'TSGRE_BAD_MTU')
  const offload = resolveOffload(options.offload, io)
  const busyPoll = integer('busy-poll', options.busyPoll ?? 0, 0, 1_000_000, ' microseconds')
  refuseBusyLoop(busyPoll, io)
  const tunnelMtu = Math.min(...peers.map((peer) => peer.tunnelMtu))
  return {
    name: options.name,
    local,
    peers,
    dev: options.dev,
    io,
    encapsulation,
    offload,
    busyPoll,
    mtu,
    tunnelMtu: cap === 0 ? tunnelMtu : Math.min(tunnelMtu, cap),
    mac: options.mac,
    up: options.up ?? true,
    settings: {
      ...peers[0]!.settings,
      peers: peers.map(({ settings }) => settings),
      reorder: resolveReorder(options.reorder),
      keepalive: resolveKeepalive(options.keepalive),
      carrier: resolveCarrier(options),
      loopGuard: options.loopGuard ?? true,
      floodLimit: integer('flood-limit', options.floodLimit ?? 0, 0, 10_000_000, ' frames a second'),
      ttl,
      tos,
      fragment,
      oversize,
      clampMss: options.clampMss ?? true,
      tunnelMtu: cap,
      probe: options.probe ?? false,
      udpPort: encapsulation?.port,
      flows: encapsulation?.flows ?? 1,
      local: local.bytes,
    },
  }
}

function resolveReorder(reorder: TunnelOptions['reorder']): PumpSettings['reorder'] {
  const { packets = 64, ms = 10 } = reorder ?? {}
  return {
    packets: integer('reorder', packets, 0, 256, ' packets'),
    ms: integer('reorder', ms, 0, 1000, ' milliseconds'),
  }
}

function resolveKeepalive(keepalive: TunnelOptions['keepalive']): PumpSettings['keepalive'] {
  if (keepalive === undefined) return undefined
  return {
    interval: integer('keepalive', keepalive.interval, 1, 3600, ' seconds'),
    count: integer('keepalive', keepalive.count, 1, 100, ' lost questions'),
  }
}

/** @throws ConfigError */
export function resolveCarrier({ carrier = false, keepalive }: Pick<TunnelOptions, 'carrier' | 'keepalive'>): boolean {
  if (!carrier || keepalive) return carrier
  const why = 'whether a remote is up only --keepalive tells; add it, as in --keepalive 10, or leave --carrier away'
  throw new ConfigError('TSGRE_CONFLICT', 'carrier', true, `--carrier: ${why}`)
}

/** @throws ConfigError for what --io cannot do */
export function resolveOffload(asked: TunnelOptions['offload'], io: ResolvedOptions['io']): Offload {
  const wanted = oneOf('offload', asked ?? 'auto', ['auto', ...OFFLOADS])
  if (io === 'mmsg') return wanted === 'auto' ? 'uso' : wanted
  if (wanted === 'auto' || wanted === 'off') return 'off'
  const why = '--io raw-socket takes and gives whole frames: leave --offload away, or leave --io away'
  throw new ConfigError('TSGRE_CONFLICT', 'offload', wanted, `--offload ${wanted}: ${why}`)
}

/** @throws ConfigError */
export function refuseBusyLoop(busyPoll: number, io: ResolvedOptions['io']): void {
  if (busyPoll === 0 || io === 'mmsg') return
  const why = "--io raw-socket lives on the program's event loop, which must not wait: leave one of the two away"
  throw new ConfigError('TSGRE_CONFLICT', 'busy-poll', busyPoll, `--busy-poll ${busyPoll}: ${why}`)
}

/** @throws ConfigError */
export function resolveFragment(options: Pick<TunnelOptions, 'ignoreDf' | 'pmtudisc'>): FragmentRule {
  if (options.ignoreDf && options.pmtudisc) {
    const why = '--pmtudisc sets DF and --ignore-df clears it: leave one away'
    throw new ConfigError('TSGRE_CONFLICT', 'ignore-df', true, why)
  }
  if (options.ignoreDf) return 'always'
  return options.pmtudisc === false ? 'as-inner' : 'never'
}

function refuseMac(mac: string | undefined): void {
  if (mac === undefined) return
  const first = Number.parseInt(mac, 16)
  if (/^([\da-f]{2}:){5}[\da-f]{2}$/i.test(mac) && (first & 1) === 0 && !/^(00:){5}00$/.test(mac)) return
  const rule = 'takes six octets as in 02:00:00:00:00:01, and no multicast address'
  throw new ConfigError('TSGRE_BAD_OPTION', 'mac', mac, `--mac ${mac}: ${rule}`)
}
