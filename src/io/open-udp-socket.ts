// Opens the sockets of GRE-in-UDP: the one that receives, and where flows are spread, those that send.

import { ConfigError, SystemError } from '../errors.js'
import { IP_PMTUDISC_DO, IPPROTO_UDP, SOCK_DGRAM, UDP_GRO, UDP_NO_CHECK6_RX } from '../sys/constants.js'
import { close } from '../sys/libc.js'
import { attachFilter, bindTo, bindToDevice, openSocket, setOption, trySetOption } from '../sys/sockets.js'
import { DROP_ALL } from './gre-filter.js'
import { IP_OPTIONS } from './ip-options.js'
import { growSocketBuffers, type UnderlayOptions, wayOf } from './open-raw-socket.js'
import { UdpSocketPort } from './udp-socket.js'

/** The port of GRE-in-UDP (RFC 8086 §3.1, IANA). */
export const GRE_IN_UDP_PORT = 4754
/** Source ports by which flows are spread come from the dynamic range (RFC 8086 §3.2.1, RFC 6335). */
const FIRST_DYNAMIC_PORT = 49152
const DYNAMIC_PORTS = 16384
const TRIES = 64

export interface UdpSocketOptions extends UnderlayOptions {
  /** Bound here, and sent to there. Default 4754. */
  readonly port?: number
  /** How many source ports flows are spread over: a power of two; 1 sends from `port`. */
  readonly flows?: number
  /** Take packets without a UDP checksum over IPv6 too (RFC 6935, RFC 6936). */
  readonly zeroChecksum6?: boolean
}

/**
 * Opens and binds the sockets.
 * @param warn is told, in one sentence, when the kernel grants smaller buffers than asked
 * @throws ConfigError TSGRE_IN_USE when another socket has the port; SystemError when `local` is not of this host
 */
export function openUdpSocket(options: UdpSocketOptions, warn: (message: string) => void = () => {}): UdpSocketPort {
  const { local, remotes, dev, port = GRE_IN_UDP_PORT, flows = 1, tos = 0 } = options
  const opened: number[] = []
  try {
    const fd = openOne(options, opened)
    growSocketBuffers(fd, warn)
    trySetOption(fd, IPPROTO_UDP, UDP_GRO, 1) // without it datagrams come one by one
    const numbers = IP_OPTIONS[local.family]
    setOption(fd, numbers.level, numbers.tellTos, 1, 'RECVTOS')
    if (options.zeroChecksum6) setOption(fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, 1, 'UDP_NO_CHECK6_RX')
    bindToPort(fd, options, port)
    const sendFds = flows === 1 ? [fd] : Array.from({ length: flows }, () => openSender(options, opened, warn))
    return new UdpSocketPort({ kind: 'udp', fd, sendFds, local, dev, ways: remotes.map(wayOf), port, tos })
  } catch (error) {
    for (const fd of opened) close(fd)
    throw error
  }
}

function openOne(options: UdpSocketOptions, opened: number[]): number {
  const { local, dev, ttl = 64, tos = 0 } = options
  const fd = openSocket(local.family, SOCK_DGRAM, IPPROTO_UDP)
  opened.push(fd)
  if (dev) bindToDevice(fd, dev)
  const numbers = IP_OPTIONS[local.family]
  setOption(fd, numbers.level, numbers.discover, IP_PMTUDISC_DO, 'MTU_DISCOVER')
  setOption(fd, numbers.level, numbers.ttl, ttl, 'TTL')
  setOption(fd, numbers.level, numbers.tos, tos, 'TOS')
  setOption(fd, numbers.level, numbers.errors, 1, 'RECVERR')
  return fd
}

function bindToPort(fd: number, { local }: UdpSocketOptions, port: number): void {
  try {
    bindTo(fd, local, port)
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EADDRINUSE') throw error
    throw new ConfigError(
      'TSGRE_IN_USE',
      'udp-port',
      port,
      `--udp-port ${port}: another program, or another tunnel, has that port on ${local.text}; give both ends of this one another`,
    )
  }
}

/** A socket that only sends, from a port nobody else has. */
function openSender(options: UdpSocketOptions, opened: number[], warn: (message: string) => void): number {
  const fd = openOne(options, opened)
  attachFilter(fd, DROP_ALL)
  growSocketBuffers(fd, warn)
  for (let tries = 1; ; tries++) {
    try {
      bindTo(fd, options.local, FIRST_DYNAMIC_PORT + Math.floor(Math.random() * DYNAMIC_PORTS))
      return fd
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== 'EADDRINUSE' || tries === TRIES) throw error
    }
  }
}
