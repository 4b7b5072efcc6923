// Which wrong keys that came are right for another tunnel of this host: each raw socket is given the packets of all.

import { isClaimed } from '../io/claim.js'
import type { TunnelFacts } from './health.js'

/** Of the last wrong key of each remote. Over UDP each tunnel has a port of its own, and nobody else's packets. */
export function otherKeys({ local, udpPort, peers }: TunnelFacts): ReadonlySet<number | 'none'> {
  const keys = new Set<number | 'none'>()
  if (udpPort !== null) return keys
  for (const { remote, lastWrongKey } of peers) {
    if (lastWrongKey === undefined || keys.has(lastWrongKey)) continue
    const keyIn = lastWrongKey === 'none' ? undefined : lastWrongKey
    if (isClaimed({ local, remote, keyIn })) keys.add(lastWrongKey)
  }
  return keys
}
