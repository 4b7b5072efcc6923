// What may change under a running tunnel: the route to the remote may come to lead into it, its bridge may go and come back,
// its routes and rules may be taken away. Looked at again whenever the host changes, and put back. Invariant: one look at a
// time; the one that is under way at stop() comes to its end, and says what it did; nothing is said or done after that.

import { linkKind, linkMaster } from '../host/links.js'
import { watchHost } from '../host/monitor.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { lookAtUnderlay, type Underfoot } from './look-at-underlay.js'
import { LookQueue } from './look-queue.js'
import type { Setup, SetupPlan } from './setup.js'

// What changes before `ip monitor` has begun to listen is told by nobody, and a busy host takes its time to start it.
const FIRST_LOOKS_MS = [300, 1000, 3000]
/** Firewalls and settings tell nobody when they change. */
const QUIET_LOOK_MS = 1500
/** Nothing is missed for longer than this, and who keeps undoing things has time to leave off. */
const SLOW_LOOK_MS = 20_000
/** Mending so often in so short a time means that somebody else wants it otherwise. */
const MOST_MENDS = 10
const MENDS_WITHIN_MS = SLOW_LOOK_MS

/** Who is told. */
export interface Listener {
  note(message: string): void
  warn(message: string): void
}

/** Keeps the tunnel out of itself and this host as `setup` wants it, and says what it did. */
export function watchPlace(
  tunnel: Tunnel,
  underfoot: Underfoot,
  setup: Setup,
  listener: Listener,
): { stop(): Promise<void> } {
  let stopped = false
  const told: Listener = {
    note: (message) => listener.note(message),
    // The Ctrl-C that stops the tunnel kills the commands of a look too.
    warn: (message) => stopped || listener.warn(message),
  }
  const mender = new Mender(setup, told)
  const looks = [lookAtUnderlay(tunnel, setup.where, underfoot, told), () => mender.look()]
  const lookQuietly = () => mender.lookQuietly()
  const queue = new LookQueue()
  const lookAround = () => looks.forEach((look) => void queue.add(look))
  const watch = watchHost(lookAround)
  const timers = FIRST_LOOKS_MS.map((wait) => setTimeout(lookAround, wait).unref())
  const quiet = setInterval(() => queue.add(lookQuietly), QUIET_LOOK_MS).unref()
  const slow = setInterval(lookAround, SLOW_LOOK_MS).unref()
  return {
    async stop() {
      stopped = true
      watch.stop()
      clearInterval(quiet)
      clearInterval(slow)
      for (const timer of timers) clearTimeout(timer)
      await queue.stop() // a look that has begun must not put back what is about to be taken back
    },
  }
}

/** Sees to it that the host stays as the tunnel set it up. */
class Mender {
  readonly #setup: Setup
  readonly #listener: Listener
  readonly #mends: number[] = []
  #state = ''

  constructor(setup: Setup, listener: Listener) {
    this.#setup = setup
    this.#listener = listener
  }

  look(): Promise<void> {
    return this.#guarded(() => this.#look())
  }

  /** What no event tells of. */
  lookQuietly(): Promise<void> {
    return this.#guarded(() => this.#mend(() => this.#setup.planQuiet()))
  }

  async #guarded(look: () => Promise<unknown>): Promise<void> {
    try {
      await look()
    } catch (error) {
      // What it looked at may have gone in the middle.
      if (await this.#isGone().catch(() => false)) return
      this.#tell(`cannot keep this host as the tunnel needs it: ${(error as Error).message}`)
    }
  }

  async #look(): Promise<void> {
    const { tap, bridge } = this.#setup.where
    if (await this.#isGone()) return
    const master = await linkMaster(tap)
    if (bridge && master !== undefined && master !== bridge)
      return this.#tell(
        `${tap} was put into ${master}, and is left there; \`ip link set ${tap} master ${bridge}\` puts it back`,
      )
    const mtu = bridge ? await this.#setup.followPorts() : undefined
    if (mtu) this.#listener.note(`${tap} has an MTU of ${mtu} now, so that the other ports of ${bridge} keep theirs`)
    if (await this.#mend(() => this.#setup.planBesidesMtu())) this.#state = ''
  }

  /** Whether TAP or bridge is; without the TAP the tunnel ends, and says so itself. */
  async #isGone(): Promise<boolean> {
    const { tap, bridge } = this.#setup.where
    if ((await linkKind(tap)) === undefined) return true
    if (!bridge || (await linkKind(bridge)) !== undefined) return false
    this.#tell(`bridge ${bridge} is gone, and its routes with it: ${tap} joins it again when it comes back`)
    return true
  }

  /** Whether all is as it should be. */
  async #mend(plan: () => Promise<SetupPlan>): Promise<boolean> {
    if ((await plan()).changes.every(({ action }) => action === undefined)) return true
    if (this.#tooOften()) return false
    const { changes } = await this.#setup.make(plan)
    if (changes.length > 0) this.#listener.note(`put back: ${changes.map(({ what }) => what).join(', ')}`)
    return true
  }

  #tooOften(): boolean {
    const now = Date.now()
    while (this.#mends[0] !== undefined && now - this.#mends[0] > MENDS_WITHIN_MS) this.#mends.shift()
    if (this.#mends.length < MOST_MENDS) {
      this.#mends.push(now)
      return false
    }
    this.#tell('something else keeps undoing what this tunnel needs of the host; it is put back more seldom now')
    return true
  }

  /** A warning once, until all was well again or something else is wrong. */
  #tell(state: string): void {
    if (this.#state === state) return
    this.#state = state
    this.#listener.warn(state)
  }
}
