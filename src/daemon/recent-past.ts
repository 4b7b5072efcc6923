// How the tunnels stood a while ago, so that what grows can be told from what once was. It has no clock: whoever asks says when.
// Invariant: what is given out is never older than OF_LATE_MS, and no more than SLOTS are kept.

import { OF_LATE_MS, type TunnelFacts } from './health.js'

const STEP_MS = 10_000
const SLOTS = OF_LATE_MS / STEP_MS + 1

export class RecentPast {
  readonly #moments: { at: number; tunnels: readonly TunnelFacts[] }[] = []

  /** As often as one likes: moments closer than 10 s are passed over. `now` is in milliseconds of a clock that is never set: performance.now(). */
  remember(now: number, tunnels: readonly TunnelFacts[]): void {
    const last = this.#moments.at(-1)
    if (last !== undefined && now - last.at < STEP_MS) return
    this.#moments.push({ at: now, tunnels })
    if (this.#moments.length > SLOTS) this.#moments.shift()
  }

  /** The oldest of late, of the tunnel on that TAP; undefined when there is none of at least 10 s ago. */
  earlier(now: number, name: string): TunnelFacts | undefined {
    return this.#past(now)[0]?.tunnels.find((tunnel) => tunnel.name === name)
  }

  /** The newest of those: between 10 and 20 s ago, where it is asked to remember that often. */
  lately(now: number, name: string): TunnelFacts | undefined {
    return this.#past(now)
      .at(-1)
      ?.tunnels.find((tunnel) => tunnel.name === name)
  }

  #past(now: number): { tunnels: readonly TunnelFacts[] }[] {
    return this.#moments.filter(({ at }) => now - at <= OF_LATE_MS && now - at >= STEP_MS)
  }
}
