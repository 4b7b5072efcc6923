// What the way to the other host really carries, held against what the kernel takes it for: a box that drops large packets without
// a word shows itself to nobody else.

import { type PathPing, pathPing } from '../../host/path-ping.js'
import { pathMtu } from '../../io/underlay-path.js'
import type { PeerStats } from '../../tunnel/peer-stats.js'
import { type Finding, fine, found } from './finding.js'
import type { Subject, Target } from './subject.js'
import type { Way } from './way-checks.js'

export async function checkPathMtu({ dev }: Subject, { address, peer }: Target, way: Way): Promise<Finding[]> {
  const known = () => pathMtu({ local: way.local, remote: address, dev }, way.mtu)
  return [judgePathMtu(address.text, way, await pathPing({ ...address, dev }, known), peer)]
}

/** @internal */
export function judgePathMtu(
  remote: string,
  { dev, deviceMtu }: Pick<Way, 'dev' | 'deviceMtu'>,
  { passes, known, trouble }: PathPing,
  peer: Pick<PeerStats, 'tunnelMtu' | 'pathTunnelMtu'> | undefined,
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
  // What a tunnel packet holds besides its frame's payload is what the kernel's MTU has more than its tunnel MTU.
  const headers = peer ? known - peer.pathTunnelMtu : undefined
  if (peer && headers !== undefined && peer.tunnelMtu + headers <= passes)
    return fine('path-mtu', `${text}; the tunnel has found out and sends no larger ones`)
  const least = remote.includes(':') ? 58 : 38
  return found(
    'path-mtu-silent',
    text,
    `tsgre --probe, or --tunnel-mtu ${passes - (headers ?? least)}; or find the box between the hosts`,
  )
}
