// What the pump needs to know of the options: plain data, so that it can travel to the pump's thread.

import type { ChecksumRule } from './peer-options.js'

/** When the outer packet may be fragmented (DF clear), in the words of ip-link(8). */
export type FragmentRule = 'never' | 'as-inner' | 'always'

/**
 * What becomes of frames that do not fit one packet of the underlay: mended, or their senders told ('answer'); TCP mended and
 * the rest sent in outer fragments ('outer'); dropped ('drop').
 */
export type OversizeRule = 'answer' | 'outer' | 'drop'

/** What the pump needs to know of one peer. */
export interface PeerSettings {
  /** Keys as sent and as expected; undefined is no key, which is another thing than key 0. */
  readonly keyOut: number | undefined
  readonly keyIn: number | undefined
  readonly checksum: boolean
  readonly receiveChecksum: ChecksumRule
  readonly sequence: boolean
  /** Outer address, 4 or 16 octets. */
  readonly remote: Uint8Array
}

/** The tunnel's own, and what its first peer has where `peers` does not say otherwise. */
export interface PumpSettings extends PeerSettings {
  /** By number; holes are numbers that nobody has. */
  readonly peers: readonly (PeerSettings | undefined)[] | undefined
  /** Of packets out of order: how many of a peer wait for those before them, and how many milliseconds. */
  readonly reorder: { readonly packets: number; readonly ms: number }
  /** Questions to peers whether they are there: seconds from one to the next, and how many lost ones mean no. */
  readonly keepalive: { readonly interval: number; readonly count: number } | undefined
  /** Whether the overlay has no carrier while all peers are down. */
  readonly carrier: boolean
  readonly loopGuard: boolean
  /** Frames a second that may go to all peers; 0 for any number. */
  readonly floodLimit: number
  /** Outer TOS without its ECN bits, or copied from the inner packet. ECN is always copied (RFC 6040 §4.1). */
  readonly tos: number | 'inherit'
  /** Outer TTL, or copied from the inner packet (64 for other frames). */
  readonly ttl: number | 'inherit'
  readonly fragment: FragmentRule
  readonly oversize: OversizeRule
  /** Lower the maximum segment size in the SYNs of both directions to what fits the tunnel. */
  readonly clampMss: boolean
  /** The most the tunnel MTU may be, in octets of layer 3; 0 for whatever fits. */
  readonly tunnelMtu: number
  /** Ask the peer, if it is tsgre too, which sizes arrive. */
  readonly probe: boolean
  /** Destination port of GRE-in-UDP; undefined is GRE on protocol 47. */
  readonly udpPort: number | undefined
  /** How many ways packets are spread over, by inner flow: a power of two, 1 for no spreading. */
  readonly flows: number
  /** Our outer address, 4 or 16 octets, to recognise our own packet when it comes back as a frame. */
  readonly local: Uint8Array
}
