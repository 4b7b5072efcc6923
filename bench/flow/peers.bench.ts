// What many peers cost: frames through one pump on memory ports, each way, with one peer and a few addresses, and with 64 peers and
// 10 000 addresses, each batch to and from all over the place. What one frame costs beyond the first line is lookups and caches.
// sockets.bench.ts has the share of it in a tunnel, where the kernel's work comes on top.

import { BATCH_ENTRIES } from '#tsgre/io/batch.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { naiveEmitGre } from '../../test/rig/naive/naive-gre.js'
import { settings } from '../../test/rig/settings.js'
import { compare } from '../measure.js'
import { carry, farPeers, frameBetween, HERE, THERE, through } from './far-addresses.js'

export function bench(): void {
  for (const size of [60, 1514]) {
    for (const [way, word] of [
      ['sent', 'to'],
      ['received', 'from'],
    ] as const) {
      compare(`a frame of ${size} bytes ${word} one of the peers`, [
        { name: '1 peer', run: road(size, 1, 2)[way] },
        { name: '64 peers', run: road(size, 64, 2 * 64)[way] },
        { name: '64, 10000 MACs', run: road(size, 64, 10_000)[way] },
      ])
    }
  }
}

/** A pump whose peers have so many addresses behind them, every one learnt. */
function road(size: number, peers: number, addresses: number) {
  const [user, overlay] = memoryPorts()
  const [underlay, network] = memoryPorts(1560)
  const pump = new Pump(overlay, underlay, settings({ peers: farPeers(peers) }), new Counters())
  const packet = naiveEmitGre({ payload: frameBetween(size, HERE, THERE) })
  const at = packet.length - size + 6 + 4
  const receive = through(() => pump.receive(0), user)
  const received = carry({ entry: packet, at, peers, addresses }, network, receive)
  received(2 * Math.max(addresses, BATCH_ENTRIES)) // all are learnt
  const entry = frameBetween(size, THERE, HERE)
  const sent = carry(
    { entry, at: 4, peers, addresses },
    user,
    through(() => pump.transmit(0), network),
  )
  return { received, sent }
}
