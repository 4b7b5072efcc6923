// What the way to the other host really carries, held against what the kernel takes it for: a box that drops large packets without
// a word shows itself to nobody else.

import { type PathPing, pathPing } from '../../host/path-ping.js'
import { type Finding, fine, found } from './finding.js'
import type { Target } from './subject.js'
import type { Way } from './way-checks.js'

export async function checkPathMtu(
  { address, peer }: Target,
  way: Way,
  ping: typeof pathPing = pathPing,
): Promise<Finding[]> {
  return [judgePathMtu(address.text, way, await ping(address, way.mtu), peer)]
}

export function judgePathMtu(remote: string, way: Way, { passes, trouble }: PathPing, peer: Target['peer']): Finding {
  if (trouble !== undefined) return found('path-mtu-unknown', `the path MTU cannot be measured: ${trouble}`)
  if (passes === 0)
    return found(
      'path-mtu-unknown',
      `the path MTU cannot be measured: ${remote} does not answer ping`,
      'tsgre --probe finds it, where the other end is a tsgre',
    )
  const known = way.mtu < way.deviceMtu ? ` (${way.dev} has ${way.deviceMtu}; a router on the way said so)` : ''
  if (passes === way.mtu) return fine('path-mtu', `packets of ${way.mtu} pass${known}`)
  const text = `packets of ${way.mtu} do not pass, ${passes} do, and nobody says so`
  // What a tunnel packet holds besides its frame's payload is what the kernel's MTU has more than its tunnel MTU.
  const headers = peer ? way.mtu - peer.pathTunnelMtu : undefined
  if (peer && headers !== undefined && peer.tunnelMtu + headers <= passes)
    return fine('path-mtu', `${text}; the tunnel has found out and sends no larger ones`)
  const least = remote.includes(':') ? 58 : 38
  return found(
    'path-mtu-silent',
    text,
    `tsgre --probe, or --tunnel-mtu ${passes - (headers ?? least)}; or find the box between the hosts`,
  )
}
