// A model of hosts whose LANs are joined by tunnels in full mesh, and some by a second way, too: switches that flood, queues that
// end, a clock of its own. Each host does with frames what the pump does: probes, blocks, learning, split horizon.
// Not a network: a frame is 60 octets and always arrives, unless a queue is full.

import { Fdb, MOVED, UNKNOWN } from '#tsgre/tunnel/fdb.js'
import { FdbMemory, LOCAL } from '#tsgre/tunnel/fdb-memory.js'
import { LoopGuard } from '#tsgre/tunnel/loop-guard.js'
import { isLoopProbe } from '#tsgre/wire/loop-probe.js'

const WIRE_MS = 0.1
const TUNNEL_MS = 1
/** Frames a segment carries in a millisecond; more are lost. */
const WIRE_FRAMES = 20
const BROADCAST = [255, 255, 255, 255, 255, 255]

/** A frame of a station; `mark` is its payload. */
export function frame(from: number[], to: number[], mark: number): Uint8Array {
  const bytes = new Uint8Array(60)
  bytes.set([...to, ...from, 0x08, 0x00])
  new DataView(bytes.buffer).setUint32(14, mark)
  return bytes
}

class Host {
  readonly guard: LoopGuard | undefined
  readonly fdb = new Fdb(FdbMemory.of(256))
  segment: number
  /** Marks that the station in this LAN received. */
  received: number[] = []
  readonly mac: number[]
  readonly #lans: Lans
  readonly #index: number

  constructor(lans: Lans, index: number, guard: LoopGuard | undefined) {
    this.#lans = lans
    this.#index = index
    this.guard = guard
    this.segment = index
    this.mac = [2, 0, 0, 0, 0, index]
  }

  #peers(): number[] {
    return this.#lans.hosts.map((_, i) => i).filter((i) => i !== this.#index)
  }

  fromTap(bytes: Uint8Array, now: number): void {
    if (this.guard && isLoopProbe(bytes, 0, bytes.length)) {
      if (this.guard.carries(bytes, 0, bytes.length, now)) this.#send(bytes, this.#peers())
      return
    }
    if ((bytes[0]! & 1) === 1) this.guard?.flooded(now)
    if (this.fdb.learn(bytes, 6, LOCAL, now) === MOVED) this.guard?.moved(this.fdb.movedFrom, now)
    const to = this.fdb.lookup(bytes, 0, now)
    const ways = to === UNKNOWN ? this.#peers() : to === LOCAL ? [] : [to]
    this.#send(
      bytes,
      ways.filter((peer) => this.guard?.blocked[peer] !== 1),
    )
  }

  #send(bytes: Uint8Array, peers: number[]): void {
    for (const peer of peers) {
      const copy = bytes.slice()
      this.#lans.later(TUNNEL_MS, () => this.#lans.hosts[peer]!.fromPeer(copy, this.#index, this.#lans.now))
    }
  }

  fromPeer(bytes: Uint8Array, peer: number, now: number): void {
    if (this.guard && isLoopProbe(bytes, 0, bytes.length)) {
      this.guard.heard(bytes, 0, bytes.length, peer, now)
      return
    }
    if (this.guard?.blocked[peer] === 1) return
    if (this.fdb.learn(bytes, 6, peer, now) === MOVED && this.fdb.movedFrom === LOCAL) this.guard?.moved(peer, now)
    this.#lans.flood(bytes, this.segment, this)
  }

  /** What the guard has to do at `now`. */
  tick(now: number): void {
    const { guard } = this
    if (!guard) return
    guard.tick(now)
    if (guard.doubt) this.fdb.flushAll()
    guard.doubt = false
    for (const alarm of guard.alarms.splice(0)) this.#lans.alarms.push({ host: this.#index, ...alarm })
    if (guard.batch.count === 0) return
    this.#lans.flood(guard.batch.memory.bytes.slice(0, guard.batch.length[0]), this.segment, this)
    guard.batch.clear()
  }
}

export class Lans {
  readonly hosts: Host[]
  readonly alarms: { host: number; peer: number; blocked: boolean; at: number }[] = []
  now = 1000
  /** Frames that any segment carried. */
  carried = 0
  readonly #events: { at: number; order: number; run: () => void }[] = []
  readonly #busy: { since: number; frames: number }[]
  #order = 0
  #mark = 0

  /** Names of the hosts' tunnels; undefined for a host that knows no loop guard, as the kernel's gretap. */
  constructor(names: (number | undefined)[]) {
    this.hosts = names.map((name, i) => {
      return new Host(this, i, name === undefined ? undefined : new LoopGuard(Int32Array.of(name, 7)))
    })
    this.#busy = names.map(() => ({ since: 0, frames: 0 }))
  }

  later(ms: number, run: () => void): void {
    this.#events.push({ at: this.now + ms, order: this.#order++, run })
  }

  /** A frame in a segment: all hear it but the host that wrote it. */
  flood(bytes: Uint8Array, segment: number, writer?: Host): void {
    const busy = this.#busy[segment]!
    if (this.now - busy.since >= 1) Object.assign(busy, { since: this.now, frames: 0 })
    if (busy.frames++ >= WIRE_FRAMES) return
    this.carried++
    const mark = isLoopProbe(bytes, 0, bytes.length) ? undefined : new DataView(bytes.buffer).getUint32(14)
    for (const host of this.hosts.filter((one) => one.segment === segment)) {
      const copy = bytes.slice()
      this.later(WIRE_MS, () => {
        if (mark !== undefined) host.received.push(mark)
        if (host !== writer) host.fromTap(copy, this.now)
      })
    }
  }

  /** The LANs of these hosts become one, by a second way; each gets its own again without arguments. */
  join(...hosts: number[]): void {
    for (const [i, host] of this.hosts.entries()) host.segment = hosts.includes(i) ? hosts[0]! : i
  }

  /** Lets time pass: everything that happens within it, in its order. */
  run(ms: number): void {
    const end = this.now + ms
    for (;;) {
      this.#events.sort((a, b) => a.at - b.at || a.order - b.order)
      const tick = Math.min(
        ...this.hosts.map((host) => Math.max(this.now, host.guard?.next ?? Number.POSITIVE_INFINITY)),
      )
      const event = this.#events[0]
      const next = Math.min(event?.at ?? Number.POSITIVE_INFINITY, tick)
      if (next > end) break
      this.now = next
      if (event && event.at <= tick) this.#events.shift()!.run()
      for (const host of this.hosts) host.tick(this.now)
    }
    this.now = end
  }

  /** A station in host's LAN sends a broadcast; returns how often each LAN's station receives it within `ms`. */
  broadcast(host: number, ms = 50): number[] {
    const mark = ++this.#mark
    for (const one of this.hosts) one.received = []
    this.flood(frame(this.hosts[host]!.mac, BROADCAST, mark), this.hosts[host]!.segment)
    this.run(ms)
    return this.hosts.map(({ received }) => received.filter((one) => one === mark).length)
  }
}
