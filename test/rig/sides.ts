// One half of a pump by itself: what sends, or what receives, with all that it leans on.

import { Batch } from '#tsgre/io/batch.js'
import { Answers } from '#tsgre/tunnel/answers.js'
import { Decapsulator } from '#tsgre/tunnel/decapsulate.js'
import { Encapsulator } from '#tsgre/tunnel/encapsulate.js'
import { HeldPackets } from '#tsgre/tunnel/held-packets.js'
import { Neighbours } from '#tsgre/tunnel/neighbours.js'
import { Peers } from '#tsgre/tunnel/peers.js'
import type { PumpSettings } from '#tsgre/tunnel/settings.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { Switch } from '#tsgre/tunnel/switch.js'

function fresh(): Counters {
  const counters = new Counters()
  counters.reset()
  return counters
}

/** `room`: octets of GRE and frame that fit a packet to any peer. */
export function sendingSide(its: PumpSettings, room = 1480, counters = fresh()) {
  const peers = new Peers(its)
  peers.rooms.fill(room)
  const neighbours = new Neighbours(its, peers, counters)
  const choice = new Switch(peers, neighbours.fdb, neighbours.guard, its)
  const answers = new Answers()
  return { encapsulator: new Encapsulator(its, peers, choice, answers), peers, neighbours, choice, answers }
}

/** Packets of `batch`, which has the memory for those that are held, become the frames of `opened`. */
export function receivingSide(its: PumpSettings, counters = fresh(), room = 65535) {
  const peers = new Peers(its)
  peers.rooms.fill(room)
  const neighbours = new Neighbours(its, peers, counters)
  const choice = new Switch(peers, neighbours.fdb, neighbours.guard, its)
  const held = new HeldPackets(its)
  for (let i = 0; i < peers.count; i++) held.set(peers.all[i]!, peers.sequenced[peers.all[i]!] !== 0)
  const decapsulator = new Decapsulator({ peers, choice, held, neighbours, counters, clampMss: its.clampMss })
  const batch = new Batch(undefined, undefined, { memory: held.memory })
  const opened = Batch.over(batch, 8192)
  const run = (now: number, each: (opened: Batch) => void) => {
    for (decapsulator.begin(batch); decapsulator.more; each(opened)) decapsulator.fill(opened, now)
  }
  return { decapsulator, batch, opened, peers, neighbours, held, run }
}
