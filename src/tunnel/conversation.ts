// What tsgre and one peer say to each other besides frames, where the peer is tsgre too: which sizes arrive, and whether it is there.

import { ASK, type ProbeFrame, parseProbe, probeFrame } from '../wire/probe-frame.js'
import { Keepalive } from './keepalive.js'
import type { ProbeBatch } from './probe-batch.js'
import { Prober } from './prober.js'
import type { PumpSettings } from './settings.js'

export class Conversation {
  readonly prober: Prober
  readonly keepalive: Keepalive | undefined
  readonly #heard: ProbeFrame = probeFrame()

  constructor(settings: Pick<PumpSettings, 'probe' | 'keepalive'>, out: ProbeBatch, peer: number) {
    this.prober = new Prober(settings.probe, out, peer)
    const { keepalive } = settings
    this.keepalive = keepalive && new Keepalive(peer, keepalive.interval, keepalive.count, out)
  }

  /** When `tick` has something to do, in milliseconds. */
  get next(): number {
    return this.keepalive ? Math.min(this.prober.next, this.keepalive.next) : this.prober.next
  }

  /** Takes a frame of the peer's of which isProbe. */
  hear(bytes: Uint8Array, start: number, end: number, now: number): void {
    const heard = this.#heard
    if (!parseProbe(bytes, start, end, heard)) return
    const taken = this.prober.hear(heard, now)
    const { keepalive } = this
    if (keepalive === undefined) return
    if (!taken) keepalive.hear(heard.nonce0, heard.nonce1, now)
    else if (heard.kind === ASK) keepalive.noticed()
    else keepalive.answered(now)
  }

  /** Asks what is to be asked at `now`; `ceiling` is the longest frame of which the underlay says that it fits. */
  tick(now: number, ceiling: number): void {
    this.prober.tick(now, ceiling)
    this.keepalive?.tick(now)
  }
}
