// What stands between the outer IP header and GRE: nothing, or UDP (RFC 8086), and from which port that is sent.

import { ConfigError } from '../errors.js'
import { GRE_IN_UDP_PORT } from '../io/open-udp-socket.js'
import { integer, oneOf } from './values.js'

export interface EncapsulationOptions {
  /** 'none': GRE on IP protocol 47 (default). 'udp': GRE-in-UDP (RFC 8086), the framing of Linux's `encap fou`. */
  encap?: 'none' | 'udp' | undefined
  /** UDP port to receive on and to send to, 1 to 65535 (default 4754). */
  udpPort?: number | undefined
  /**
   * 'fixed' (default) sends from that port too, so that firewalls and NAT see one exchange; 'flow' from one of a few ports
   * by the inner flow, so that routers and network cards can spread the load.
   */
  udpSourcePort?: 'fixed' | 'flow' | undefined
  /** Take packets without a UDP checksum over IPv6 too (RFC 6935); over IPv4 they are always taken. */
  udp6ZeroChecksum?: boolean | undefined
}

export interface Encapsulation {
  readonly port: number
  /** How many source ports flows are spread over. */
  readonly flows: number
  readonly zeroChecksum6: boolean
}

const FLOWS = 8

/**
 * The UDP part of the tunnel; undefined without one.
 * @throws ConfigError TSGRE_CONFLICT for options that only mean something with another, or with IPv6
 */
export function resolveEncapsulation(
  options: EncapsulationOptions,
  io: 'mmsg' | 'raw-socket',
  family: 4 | 6,
): Encapsulation | undefined {
  const encap = oneOf('encap', options.encap ?? 'none', ['none', 'udp'])
  const source = oneOf('udp-source-port', options.udpSourcePort ?? 'fixed', ['fixed', 'flow'])
  const port = integer('udp-port', options.udpPort ?? GRE_IN_UDP_PORT, 1, 65535)
  if (encap === 'none') {
    refuseWithoutUdp('udp-port', options.udpPort)
    refuseWithoutUdp('udp-source-port', options.udpSourcePort)
    refuseWithoutUdp('udp6zerocsumrx', options.udp6ZeroChecksum || undefined)
    return undefined
  }
  if (io === 'raw-socket') {
    conflict('encap', encap, '--encap udp: --io raw-socket carries protocol 47 only; leave one of the two away')
  }
  if (options.udp6ZeroChecksum && family === 4) {
    const why = 'over IPv4 packets without a checksum are always taken, and --remote is IPv4; leave it away'
    conflict('udp6zerocsumrx', true, `--udp6zerocsumrx: ${why}`)
  }
  return { port, flows: source === 'flow' ? FLOWS : 1, zeroChecksum6: options.udp6ZeroChecksum ?? false }
}

function refuseWithoutUdp(option: string, value: unknown): void {
  if (value === undefined) return
  const typed = value === true ? `--${option}` : `--${option} ${value}`
  conflict(option, value, `${typed} means something with --encap udp only: add that, or leave it away`)
}

function conflict(option: string, value: unknown, message: string): never {
  throw new ConfigError('TSGRE_CONFLICT', option, value, message)
}
