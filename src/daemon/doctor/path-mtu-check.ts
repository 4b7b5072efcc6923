// What the way to the other host really carries, held against what the kernel takes it for: a box that drops large packets without
// a word shows itself to nobody else.

import { type PathPing, pathPing } from '../../host/path-ping.js'
import { UDP_BYTES } from '../../io/ip-options.js'
import { pathMtu } from '../../io/underlay-path.js'
import { greBytes } from '../../tunnel/gre-bytes.js'
import type { PeerStats } from '../../tunnel/peer-stats.js'
import { tunnelMtuOf } from '../../tunnel/resolve-peers.js'
import { type Finding, fine, found } from './finding.js'
import type { Subject, Target } from './subject.js'
import type { Way } from './way-checks.js'

export async function checkPathMtu(subject: Subject, target: Target, way: Way): Promise<Finding[]> {
  const { dev } = subject
  const { address, peer } = target
  const known = () => pathMtu({ local: way.local, remote: address, dev }, way.mtu)
  const ping = await pathPing({ ...address, dev }, known)
  return [judgePathMtu(address.text, way, ping, fittingTunnelMtu(ping.passes, subject, target), peer)]
}

/** What a packet of `size` bytes carries for the tunnel, behind all its headers. @internal */
export function fittingTunnelMtu(size: number, { udpPort }: Pick<Subject, 'udpPort'>, target: Target): number {
  return tunnelMtuOf(size, target.address.family, greBytes(target) + (udpPort === undefined ? 0 : UDP_BYTES))
}

/** `fits`: the tunnel MTU whose packets pass. @internal */
export function judgePathMtu(
  remote: string,
  { dev, deviceMtu }: Pick<Way, 'dev' | 'deviceMtu'>,
  { passes, known, trouble }: PathPing,
  fits: number,
  peer: Pick<PeerStats, 'tunnelMtu'> | undefined,
): Finding {
  if (trouble !== undefined) return found('path-mtu-unknown', `the path MTU cannot be measured: ${trouble}`)
  if (passes === 0)
    return found(
      'path-mtu-unknown',
      `the path MTU cannot be measured: ${remote} does not answer ping`,
      'tsgre --probe finds it, where the other end is a tsgre',
    )
  const told = known < deviceMtu ? ` (${dev} has ${deviceMtu}; the route or a router on the way says so)` : ''
  if (passes === known) return fine('path-mtu', `packets of ${known} pass${told}`)
  const text = `packets of ${known} do not pass, ${passes} do, and nobody says so`
  if (peer && peer.tunnelMtu <= fits)
    return fine('path-mtu', `${text}; the tunnel has found out and sends no larger ones`)
  return found('path-mtu-silent', text, `tsgre --probe, or --tunnel-mtu ${fits}; or find the box between the hosts`)
}
