// A sender of sequence numbers that starts elsewhere than at 0, which no option allows (RFC 2890 §2.2): tests look at what
// happens far along the circle. The senders' counters are the only Uint32Array made on the way that is as long as there may be peers.

import { MOST_PEERS } from '#tsgre/drops.js'

const Genuine = globalThis.Uint32Array

/** Runs `make`; a sender made in it numbers its first packet `first`. */
export function countingFrom<T>(first: number, make: () => T): T {
  const startedAt = new Proxy(Genuine, {
    construct: (target, args: [number], newTarget) => {
      const made = Reflect.construct(target, args, newTarget === startedAt ? target : newTarget) as Uint32Array
      if (args.length === 1 && args[0] === MOST_PEERS) made[0] = first
      return made
    },
  })
  globalThis.Uint32Array = startedAt
  try {
    return make()
  } finally {
    globalThis.Uint32Array = Genuine
  }
}
