// How many frames a second go to all peers at once: broadcasts, groups, and those whose receiver is not known. A tenth of a second's
// worth may go in one burst.

import { TokenBucket } from './token-bucket.js'

/** A bucket for `perSecond` frames. */
export function floodLimit(perSecond: number): TokenBucket {
  return new TokenBucket(Math.max(1, perSecond / 10), perSecond)
}
