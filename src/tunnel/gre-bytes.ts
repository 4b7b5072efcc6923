// How many bytes of GRE go in front of every frame sent to a peer.

import { GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE, greHeaderLength } from '../wire/gre.js'
import type { PeerSettings } from './settings.js'

type Sent = Pick<PeerSettings, 'checksum' | 'keyOut' | 'sequence'>

/** The flags that say which fields there are. */
export function greFlags({ checksum, keyOut, sequence }: Sent): number {
  return (checksum ? GRE_CHECKSUM : 0) | (keyOut === undefined ? 0 : GRE_KEY) | (sequence ? GRE_SEQUENCE : 0)
}

export function greBytes(sent: Sent): number {
  return greHeaderLength(greFlags(sent))
}
