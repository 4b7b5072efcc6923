// Tells of the tunnel MTU while a tunnel runs, when it has changed, and what that means where it means something.

import type { TunnelOptions } from '../tunnel/options.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { LEAST_IPV6_MTU } from '../wire/too-big.js'
import type { Report } from './run-daemon.js'

/** A search for what passes takes some steps: only where it ends is worth a line, unless it does not end. */
const SETTLED_MS = 1000
const UNSETTLED_MS = 5000

/** Tells when the tunnel MTU has changed, and what that means where it means something. */
export function reportMtu(tunnel: Tunnel, options: TunnelOptions, report: Report): void {
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

export function narrowWarnings({ name, mtu, tunnelMtu, remotes }: Tunnel, { oversize }: TunnelOptions): string[] {
  const fits = `only ${tunnelMtu} bytes fit one packet to ${remotes.length === 1 ? remotes[0] : 'every remote'}`
  const dropped = `${name} has an MTU of ${mtu} bytes, but ${fits}: larger frames are dropped (--oversize drop)`
  const ipv6 = `${fits}, and IPv6 takes ${LEAST_IPV6_MTU} for granted: its packets up to that size go in fragments`
  return [
    ...(oversize === 'drop' && mtu > tunnelMtu ? [dropped] : []),
    ...(mtu >= LEAST_IPV6_MTU && tunnelMtu < LEAST_IPV6_MTU ? [ipv6] : []),
  ]
}
