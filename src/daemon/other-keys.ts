// Which wrong keys of a tunnel are another tunnel's business: each raw socket is given the packets of all.

import { claims } from '../io/claim.js'
import type { TunnelFacts } from './health.js'
import type { PeerStatus } from './status.js'

type Key = number | 'none'

/**
 * Whether packets of a peer of `tunnel` with that key are another's: one of this host wants them, in this process or not, or one
 * of `all` that the same remote sends nothing right is the likelier to be meant. Over UDP each tunnel has a port of its own.
 */
export function isForOther(tunnel: TunnelFacts, all: readonly TunnelFacts[]): (peer: PeerStatus, key: Key) => boolean {
  const { local, udpPort } = tunnel
  if (udpPort !== null) return () => false
  const others = all.filter((other) => other !== tunnel && other.udpPort === null && other.local === local)
  let isClaimed: ReturnType<typeof claims> | undefined
  return ({ remote, lastReceived }, key) => {
    isClaimed ??= claims()
    if (isClaimed({ local, remote, keyIn: key === 'none' ? undefined : key })) return true
    const starved = others.some(({ peers }) => peers.some((peer) => peer.remote === remote && lacks(peer, key)))
    return lastReceived !== undefined && starved
  }
}

function lacks({ lastReceived, wrongKeys }: PeerStatus, key: Key): boolean {
  return lastReceived === undefined && wrongKeys.some((wrong) => wrong.key === key)
}
