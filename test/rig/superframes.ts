// Superframes in a batch, as a TAP with offload hands them out.

import type { Batch } from '#tsgre/io/batch.js'
import { fill } from './batches.js'
import { TCP } from './flows.js'
import { naiveTransport } from './naive/naive-transport.js'

export interface Superframe {
  bytes: Uint8Array
  /** Octets of payload in a segment; 0 for an ordinary frame whose checksum was left out. */
  gsoSize: number
}

/** Fills `batch` with frames of TCP and UDP whose checksum is partial. */
export function fillSuperframes(batch: Batch, frames: readonly Superframe[]): Batch {
  fill(
    batch,
    frames.map(({ bytes }) => bytes),
  )
  frames.forEach(({ bytes, gsoSize }, i) => {
    const at = naiveTransport(bytes)
    if (typeof at === 'string') throw new Error(`not TCP or UDP: ${at}`)
    const type = at.protocol !== TCP ? 5 : at.version === 4 ? 1 : 4
    batch.gsoType[i] = gsoSize === 0 ? 0 : type
    batch.gsoSize[i] = gsoSize
    batch.csumStart[i] = at.transport
    batch.csumOffset[i] = at.protocol === TCP ? 16 : 6
  })
  return batch
}
