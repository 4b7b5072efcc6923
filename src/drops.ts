// Why a packet or a frame was not carried. This one array is the enum, the counter index, the JSON key, the log word
// and the anchor in docs/drops.md. Nothing on the data path throws for a packet: it counts one of these.
// Invariant: the order never changes and new reasons go to the end, since counters are indexed by position.

export const DROP_REASONS = [
  'truncated', // rx: shorter than its own GRE header, or than a 14-byte frame behind it
  'bad-version', // rx: GRE version is not 0 (1 is PPTP, EoIP)
  'reserved-bits', // rx: routing or one of the source-route bits of RFC 1701 is set
  'unknown-protocol', // rx: GRE protocol type is not 0x6558
  'unknown-peer', // rx: outer source is not the remote
  'key-mismatch', // rx: another key, a key where none is expected, none where one is
  'checksum', // rx: GRE checksum present and wrong
  'out-of-sequence', // rx: older than what was already delivered (--seq)
  'too-big', // tx: does not fit one packet of the underlay, and could not be mended; rx: did not fit the receive buffer
  'no-route', // tx: no way to the remote: link down, unreachable, prohibited, source address gone
  'firewall', // tx: a local firewall rule refused the packet
  'queue-full', // tx: the kernel had no memory for the packet
  'peer-refused', // tx: the remote answered by ICMP that nobody takes GRE there
  'loop', // tx: our own packet came back as a frame, or the route to the remote leads into the tunnel
  'tap-down', // rx: the TAP is down or would not take the frame
  'answered', // tx: does not fit one packet of the underlay, and its sender was told by ICMP what does
  'ecn', // rx: the underlay marked congestion around a packet whose ends know nothing of that (RFC 6040 §4.2)
  'forged-probe', // tx: a frame of the overlay that looks like tsgre's own probes
  'same-side', // tx: its destination was learnt on this side of the tunnel
  'flood-limit', // tx: to all peers, and there were more such frames than --flood-limit allows
  'peer-down', // tx: the peer it goes to, or every one, answers no more, or there is none
  'loop-guard', // both: the way is shut, since it leads back to where the frame came from
] as const

export type DropReason = (typeof DROP_REASONS)[number]

/** Drop code of each reason: its position in DROP_REASONS plus one, so that minus a code is never zero. */
export const DROP = Object.freeze(
  Object.fromEntries(DROP_REASONS.map((reason, index) => [reason, index + 1])),
) as Readonly<Record<DropReason, number>>

/** The most peers a tunnel may have. */
export const MOST_PEERS = 128

/**
 * Counters by drop code, in blocks: the first for what belongs to no peer, then one for each. Slot 0 of a block stays unused. A
 * float counts exactly up to 2^53 and never allocates.
 */
export type DropCounters = Float64Array

const BLOCK = DROP_REASONS.length + 1

/** How many slots DropCounters needs. */
export const DROP_SLOTS = (MOST_PEERS + 1) * BLOCK

/** Where `code` of a peer is counted: counters[dropAt(peer, code)]. Peer -1 is none. */
export function dropAt(peer: number, code: number): number {
  return (peer + 1) * BLOCK + code
}

/** Of which code a slot is: the other way round. */
export function codeAt(slot: number): number {
  return slot % BLOCK
}

/** Fresh counters that belong to the caller alone. */
export function dropCounters(): DropCounters {
  return new Float64Array(DROP_SLOTS)
}

/** Forgets what was counted of a peer, for the next one with its number; what counts for all stays. */
export function retireDrops(counters: DropCounters, peer: number): void {
  for (let code = 1; code < BLOCK; code++) {
    counters[code] += counters[dropAt(peer, code)]
    counters[dropAt(peer, code)] = 0
  }
}

/** The counters by name, of all or of one peer, zeros included. */
export function dropsByReason(counters: DropCounters, peer?: number): Record<DropReason, number> {
  const count =
    peer === undefined ? (code: number) => ofAll(counters, code) : (code: number) => counters[dropAt(peer, code)]
  return Object.fromEntries(DROP_REASONS.map((reason, index) => [reason, count(index + 1)])) as Record<
    DropReason,
    number
  >
}

function ofAll(counters: DropCounters, code: number): number {
  let count = 0
  for (let at = code; at < DROP_SLOTS; at += BLOCK) count += counters[at]
  return count
}
