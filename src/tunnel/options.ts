// What a program or a person asks for, and the one place where it is refused. Nothing is opened or changed here.

import { ConfigError } from '../errors.js'
import { OUTER_BYTES, UDP_BYTES } from '../io/ip-options.js'
import { refuseTapName } from '../io/open-tap.js'
import { OFFLOADS, type Offload } from '../offload/gso.js'
import type { Address } from '../sys/address.js'
import { resolveAddresses } from './addresses.js'
import { type Encapsulation, type EncapsulationOptions, resolveEncapsulation } from './encapsulation.js'
import type { ChecksumRule, Key, Keys, PeerOptions } from './peer-options.js'
import { greBytes } from './pump.js'
import type { FragmentRule, OversizeRule, PumpSettings } from './settings.js'
import { integer, oneOf } from './values.js'

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
  /** The other host, or up to 128: addresses, or what is asked of one by itself. All are of one family. */
  remote: string | PeerOptions | readonly (string | PeerOptions)[]
  /** Underlay address of this host; what the route to the remote uses when absent. */
  local?: string | undefined
  /** Bind the underlay to this device or VRF. */
  dev?: string | undefined
  /** One key both ways, or one each way. No key is another thing than key 0. */
  key?: Keys | undefined
  /** Send GRE checksums. Received ones are always verified. */
  checksum?: boolean | undefined
  /** Of every remote that says nothing else: what it may send (default 'accept'). */
  receiveChecksum?: ChecksumRule | undefined
  /** Send sequence numbers, and drop received packets older than the newest. */
  sequence?: boolean | undefined
  /** How many packets (0 to 256, default 64) wait for an earlier one, and how long (0 to 1000 ms, default 10); 0 packets: none. */
  reorder?: { packets: number; ms: number } | undefined
  /** Ask each remote that is tsgre every `interval` seconds (1 to 3600); it is down after `count` (1 to 100) without answer. */
  keepalive?: { interval: number; count: number } | undefined
  /** With `keepalive`: the TAP has carrier only while one remote is up. */
  carrier?: boolean | undefined
  /** Shut a way for a while on which our own frames come back (default true). */
  loopGuard?: boolean | undefined
  /** The most frames a second that go to all remotes at once; 0 (default) for any number. */
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
  readonly remote: Address
  readonly dev: string | undefined
  readonly io: 'mmsg' | 'raw-socket'
  readonly encapsulation: Encapsulation | undefined
  readonly offload: Offload
  readonly busyPoll: number
  /** Of the TAP; undefined leaves it to the kernel, and to whoever puts it into a bridge. */
  readonly mtu: number | undefined
  readonly tunnelMtu: number
  readonly underlayMtu: number
  readonly mac: string | undefined
  readonly up: boolean
  readonly settings: PumpSettings
}

/** Bounds of a TAP's MTU: the least IPv4 takes (RFC 791), and MAX_MTU of drivers/net/tun.c less an Ethernet header. */
export const LEAST_MTU = 68
export const MOST_MTU = 65521

const ETHERNET_BYTES = 14

/** Largest layer-3 payload that fits one packet of an underlay of `underlayMtu` bytes, with `headers` of GRE and UDP. */
export function tunnelMtuOf(underlayMtu: number, family: 4 | 6, headers: number): number {
  return underlayMtu - OUTER_BYTES[family] - headers - ETHERNET_BYTES
}

/**
 * Answers every question the options leave open, and asks the kernel for the way to the remote.
 * @throws ConfigError naming option, value and way out
 */
export function resolveOptions(options: TunnelOptions): ResolvedOptions {
  refuseTapName(options.name)
  const io = oneOf('io', options.io ?? 'mmsg', ['mmsg', 'raw-socket'])
  const [keyIn, keyOut] = resolveKeys(options.key)
  const fragment = resolveFragment(options)
  const ttl = options.ttl === 'inherit' ? 'inherit' : integer('ttl', options.ttl ?? 64, 1, 255, ' or "inherit"')
  const tos = options.tos === 'inherit' ? 'inherit' : integer('tos', options.tos ?? 0, 0, 255, ' or "inherit"')
  const mtu =
    options.mtu === undefined || options.mtu === 'auto'
      ? undefined
      : integer('mtu', options.mtu, LEAST_MTU, MOST_MTU, ' bytes, or "auto"', 'TSGRE_BAD_MTU')
  refuseMac(options.mac)
  const { local, remote, underlayMtu } = resolveAddresses(options.remote as string, options.local, options.dev, io)
  const encapsulation = resolveEncapsulation(options, io, remote.family)
  const oversize = oneOf('oversize', options.oversize ?? 'answer', ['answer', 'outer', 'drop'])
  const cap =
    options.tunnelMtu === undefined
      ? 0
      : integer('tunnel-mtu', options.tunnelMtu, LEAST_MTU, MOST_MTU, ' bytes', 'TSGRE_BAD_MTU')
  const offload = resolveOffload(options.offload, io)
  const busyPoll = integer('busy-poll', options.busyPoll ?? 0, 0, 1_000_000, ' microseconds')
  refuseBusyLoop(busyPoll, io)
  const checksum = options.checksum ?? false
  const sequence = options.sequence ?? false
  const headers = greBytes({ checksum, sequence, keyOut }) + (encapsulation ? UDP_BYTES : 0)
  const fits = tunnelMtuOf(underlayMtu, remote.family, headers)
  refuseNarrow(remote, fits, underlayMtu)
  return {
    name: options.name,
    local,
    remote,
    dev: options.dev,
    io,
    encapsulation,
    offload,
    busyPoll,
    mtu,
    tunnelMtu: cap === 0 ? fits : Math.min(fits, cap),
    underlayMtu,
    mac: options.mac,
    up: options.up ?? true,
    settings: {
      keyIn,
      keyOut,
      checksum,
      sequence,
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
      remote: remote.bytes,
    },
  }
}

/** Less than IPv4 takes is of no use to anybody. */
function refuseNarrow({ text }: Address, tunnelMtu: number, underlayMtu: number): void {
  if (tunnelMtu >= LEAST_MTU) return
  const why = `the way to it has an MTU of ${underlayMtu} bytes, which leaves ${tunnelMtu} for the tunnel: too few; raise the underlay's MTU`
  throw new ConfigError('TSGRE_BAD_MTU', 'remote', text, `--remote ${text}: ${why}`)
}

function resolveKeys(key: TunnelOptions['key']): [keyIn: number | undefined, keyOut: number | undefined] {
  if (typeof key === 'object') return [parseKey('ikey', key.in), parseKey('okey', key.out)]
  const both = parseKey('key', key)
  return [both, both]
}

/** Reads a key; undefined stays undefined. */
export function parseKey(option: string, key: Key | undefined): number | undefined {
  if (key === undefined) return undefined
  const text = String(key)
  const dotted = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  const octets = dotted?.slice(1).map(Number)
  if (octets?.every((octet) => octet <= 255)) return octets.reduce((value, octet) => value * 256 + octet, 0)
  if (/^(\d{1,10}|0x[\da-f]{1,8})$/i.test(text) && Number(text) <= 0xffff_ffff) return Number(text)
  const rule = 'a key is a number from 0 to 4294967295, or four numbers with dots as in 10.20.30.40'
  throw new ConfigError('TSGRE_BAD_KEY', option, key, `--${option} ${text}: ${rule}`)
}

function resolveOffload(asked: TunnelOptions['offload'], io: ResolvedOptions['io']): Offload {
  const wanted = oneOf('offload', asked ?? 'auto', ['auto', ...OFFLOADS])
  if (io === 'mmsg') return wanted === 'auto' ? 'uso' : wanted
  if (wanted === 'auto' || wanted === 'off') return 'off'
  const why = '--io raw-socket takes and gives whole frames: leave --offload away, or leave --io away'
  throw new ConfigError('TSGRE_CONFLICT', 'offload', wanted, `--offload ${wanted}: ${why}`)
}

function refuseBusyLoop(busyPoll: number, io: ResolvedOptions['io']): void {
  if (busyPoll === 0 || io === 'mmsg') return
  const why = "--io raw-socket lives on the program's event loop, which must not wait: leave one of the two away"
  throw new ConfigError('TSGRE_CONFLICT', 'busy-poll', busyPoll, `--busy-poll ${busyPoll}: ${why}`)
}

function resolveFragment(options: TunnelOptions): FragmentRule {
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
