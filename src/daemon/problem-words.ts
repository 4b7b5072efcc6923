// What the rules of health.ts have in common: how a peer and a problem are worded, and what has changed between two statuses.

import type { DropReason } from '../drops.js'
import type { PeerStatus, Problem, TunnelStatus } from './status.js'

/** Nothing, where it is not known how much there was. */
export function grown(now: PeerStatus['drops'], before: PeerStatus['drops'] | undefined, reason: DropReason): number {
  return before === undefined ? 0 : Math.max(0, (now[reason] ?? 0) - (before[reason] ?? 0))
}

/** The same peer in another status of the tunnel; one that was taken away and added again is another one, whatever its name. */
export function peerOf(
  tunnel: Pick<TunnelStatus, 'peers'> | undefined,
  { asked, since }: PeerStatus,
): PeerStatus | undefined {
  return tunnel?.peers.find((peer) => peer.asked === asked && peer.since === since)
}

/** "Of late" is within so much. */
export const OF_LATE_MS = 60_000

/** So long nothing wrong must have come, and something right, for it to be over. */
export const SETTLED_MS = 3000

export function isOfLate(at: number | undefined, now: number): boolean {
  return at !== undefined && now - at <= OF_LATE_MS
}

/** `name (address)`, or the address alone. */
export function nameOf({ asked, remote }: PeerStatus): string {
  return asked === remote ? remote : `${asked} (${remote})`
}

export function secondsWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`
}

export function problem(code: string, text: string, remedy: string, peer?: PeerStatus): Problem {
  return { code, text, remedy, remote: peer && (peer.remote || peer.asked) }
}
