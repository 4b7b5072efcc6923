// What is wrong with the GRE checksums of a peer's packets, in words: rules of health.ts. What --checksum refuses is told from
// what is damaged, though both are counted as `checksum`.

import type { HealthHints } from './health.js'
import { grown, isOfLate, nameOf, peerOf, problem, SETTLED_MS } from './problem-words.js'
import type { PeerStatus, Problem } from './status.js'

const NOTABLE_CHECKSUMS = 3

export function checksumRule(peer: PeerStatus, now: number): Problem | undefined {
  if (!isUnruled(peer, now)) return undefined
  const name = nameOf(peer)
  if (peer.receiveChecksum === 'forbid') {
    const text = `packets from ${name} have a GRE checksum, and --checksum forbid drops them`
    return problem('checksum-refused', text, 'leave --csum away there, or --checksum accept here', peer)
  }
  const text = `packets from ${name} have no GRE checksum, and --checksum require drops them`
  return problem('checksum-refused', text, 'give --csum there, or --checksum accept here', peer)
}

/** Whether packets come that have no checksum where one is required, or one where that is forbidden. */
export function isUnruled({ lastUnruledAt, lastReceived = 0 }: PeerStatus, now: number): boolean {
  if (lastUnruledAt === undefined || !isOfLate(lastUnruledAt, now)) return false
  return !(lastReceived > lastUnruledAt && now - lastUnruledAt > SETTLED_MS)
}

export function checksums(peer: PeerStatus, now: number, { earlier, lately }: HealthHints): Problem | undefined {
  if (isUnruled(peer, now)) return undefined // they are counted together
  const count = grown(peer.drops, peerOf(earlier, peer)?.drops, 'checksum')
  if (count < NOTABLE_CHECKSUMS) return undefined
  const before = peerOf(lately, peer)
  const heardSince = (before?.lastReceived ?? 0) < (peer.lastReceived ?? 0)
  if (before && heardSince && grown(peer.drops, before.drops, 'checksum') === 0) return undefined
  const text = `${count} packets from ${nameOf(peer)} had a wrong GRE checksum of late`
  return problem(
    'checksum',
    text,
    'something on the way damages packets, or the sender sums wrongly: look at network cards and their offloads',
    peer,
  )
}
