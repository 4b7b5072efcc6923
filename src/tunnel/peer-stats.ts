// What is known of one remote of a running tunnel: a snapshot out of shared memory, plain data.

import type { DropReason } from '../drops.js'

/**
 * 'up': it answered of late. 'down': it had answered and does no more. 'unknown': it never answered (it is no tsgre), or is not
 * asked; then only `lastReceived` tells.
 */
export type Liveness = 'up' | 'down' | 'unknown'

export interface PeerStats {
  /** Underlay address, canonical. */
  readonly remote: string
  /** Milliseconds since the epoch from which on all this is counted: another one is another peer. */
  readonly since: number
  /** As in TunnelStats, of this peer alone. */
  readonly txFrames: number
  readonly txBytes: number
  readonly rxFrames: number
  readonly rxBytes: number
  readonly drops: Readonly<Record<DropReason, number>>
  readonly liveness: Liveness
  /** Whether the loop guard keeps this way shut now. */
  readonly blocked: boolean
  /** Milliseconds since the epoch at which the last good packet came; undefined when none did. */
  readonly lastReceived: number | undefined
  /** Round trip in milliseconds, and share of questions lost of late, 0 to 1; undefined where nothing was measured. */
  readonly rtt: number | undefined
  readonly loss: number | undefined
  /** Largest layer-3 payload that fits one packet to it now, in bytes; and what the kernel takes the way for. */
  readonly tunnelMtu: number
  readonly pathTunnelMtu: number
  /** Keys as sent and as expected; undefined for none. */
  readonly keyOut: number | undefined
  readonly keyIn: number | undefined
  /** The last wrong key that came from it ('none': a packet without one), and when, in milliseconds since the epoch. */
  readonly lastWrongKey: number | 'none' | undefined
  readonly lastWrongKeyAt: number | undefined
  /** The wrong keys that came, each once, the last one first; of more than 16 the oldest are forgotten. */
  readonly wrongKeys: readonly WrongKey[]
  /** When a packet last came without a checksum where `receiveChecksum` is 'require', or with one where it is 'forbid'. */
  readonly lastUnruledAt: number | undefined
  /** What ICMP said last of packets to it, as an errno's name, and when, in milliseconds since the epoch. */
  readonly lastError: string | undefined
  /** Whether it was this host itself that said so: its firewall, or nobody there answers for the address. */
  readonly lastErrorHere: boolean
  readonly lastErrorAt: number | undefined
  /** How many MAC addresses were learnt from it. */
  readonly fdbEntries: number
}

/** A key that is not the one expected ('none': a packet without one), and when it came last, in milliseconds since the epoch. */
export interface WrongKey {
  readonly key: number | 'none'
  readonly at: number
}

/** One MAC address and where frames to it go. */
export interface FdbEntry {
  /** `02:00:00:00:00:01` */
  readonly mac: string
  /** The peer's address; undefined for what is on this side, behind the TAP. */
  readonly remote: string | undefined
  /** Seconds since a frame came from it. */
  readonly age: number
}
