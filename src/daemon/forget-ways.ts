// Where a way is shut because it leads back, or opened again, addresses are elsewhere than the bridge has learnt, by frames that went
// round: it would send to where nothing passes for as long as it remembers (300 s). Made to forget, as STP does when a topology changes.

import { flushBridge } from '../host/links.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { LookQueue } from './look-queue.js'
import type { Place } from './place.js'
import type { Listener } from './watch-place.js'

export function forgetWays(tunnel: Tunnel, { bridge }: Place, listener: Listener): void {
  if (bridge === undefined) return
  const queue = new LookQueue()
  const forget = async () => {
    try {
      await flushBridge(bridge)
    } catch (error) {
      listener.warn(`${bridge} keeps what it has learnt of a way that is shut: ${(error as Error).message}`)
    }
  }
  // All ways are often shut at once.
  tunnel.on('loop', () => queue.add(forget))
  tunnel.once('closed', () => void queue.stop())
}
