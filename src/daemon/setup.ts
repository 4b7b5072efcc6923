// How this host is to look while the tunnel runs: TAP in its bridge, routes, no redirects, forwarding allowed. It is asked
// what is left to do, at the start and again whenever the host changed; what was done is taken back at the end.

import type { Change } from '../host/change.js'
import { Changes, type UndoFailure } from '../host/changes.js'
import { cleanUp, heldBeside, type Leftover } from '../host/cleanup.js'
import { type Pair, planForwarding } from '../host/firewall.js'
import { changingTheHost, heldTaps } from '../host/host-lock.js'
import { planIdleBridge } from '../host/idle-bridge.js'
import { Journal, journalTrouble } from '../host/journal.js'
import { linkMtu, planKeep, planPort, planUp } from '../host/links.js'
import { planMtu, portMtu } from '../host/port-mtu.js'
import { parseCidr, planRoute } from '../host/routes.js'
import { planSetting, redirectSettings, writeRefusal } from '../host/settings.js'
import { forwardedPairs } from './forwarded.js'
import type { Place } from './place.js'

export interface SetupPlan {
  readonly changes: readonly Change[]
  /** What a person may want to know, as sentences. */
  readonly notes: readonly string[]
}

export interface Undone {
  readonly failures: readonly UndoFailure[]
  /** The journal, where it could not be removed or written anew. */
  readonly journal?: { readonly path: string; readonly error: Error }
}

export class Setup {
  readonly where: Place
  readonly routes: readonly string[]
  #changes = new Changes()
  #journal: Journal | undefined
  /** As last planned. */
  #pairs: readonly Pair[] = []
  readonly #followsPorts: boolean
  readonly #asked: number | undefined
  /** What the TAP was given last: a person may set another by hand, and it stays until the ports change. */
  #mtu: number | undefined
  /** What a TAP that was there had before it was opened. */
  #mtuFound: number | undefined
  #mtuPlan: { readonly change: Change; readonly mtu: number } | undefined

  /** @param mtu of the TAP, where somebody asked for one: it is set when the TAP is opened, and not followed */
  constructor(where: Place, routes: readonly string[], mtu?: number) {
    this.where = where
    this.#asked = mtu
    this.#followsPorts = mtu === undefined && where.bridge !== undefined
    this.routes = [...new Set(routes.map((route) => parseCidr(route).network))]
  }

  /** What is left to do, in order; nothing is changed. */
  async plan(): Promise<SetupPlan> {
    return await this.#plan(await this.#planMtu())
  }

  /** The same but for the MTU of the TAP, to which followPorts() sees. */
  async planBesidesMtu(): Promise<SetupPlan> {
    return await this.#plan([])
  }

  async #plan(mtu: readonly Change[]): Promise<SetupPlan> {
    const { tap, bridge, device } = this.where
    const changes = bridge ? await planPort(tap, bridge, mtu) : await planUp(tap)
    this.#pairs = bridge ? await forwardedPairs(bridge, this.routes) : []
    const redirects = await this.#planRedirects()
    changes.push(...redirects.changes)
    for (const route of this.routes) changes.push(...(await planRoute(route, device)))
    return join({ changes, notes: redirects.notes }, await this.#planFirewall())
  }

  /** The part of which no event of the kernel tells. */
  async planQuiet(): Promise<SetupPlan> {
    return join(await this.#planRedirects(), await this.#planFirewall())
  }

  async #planMtu(): Promise<Change[]> {
    const wanted = await this.#portMtu()
    if (wanted === undefined || wanted === this.#mtu) return []
    const change = await planMtu(this.where.tap, wanted, this.#mtuFound)
    this.#mtuPlan = { change, mtu: wanted }
    return [change]
  }

  /** undefined where the TAP's MTU is not ours to choose. */
  async #portMtu(): Promise<number | undefined> {
    const { tap, bridge } = this.where
    return this.#followsPorts && bridge ? await portMtu(tap, bridge, heldTaps()) : undefined
  }

  /** Where the TAP was given a smaller MTU than the other ports of its bridge have: theirs. The bridge drops what lies between. */
  async largerPorts(): Promise<number | undefined> {
    const { tap, bridge } = this.where
    if (this.#asked === undefined || !bridge) return undefined
    const others = await portMtu(tap, bridge, heldTaps())
    return others > this.#asked ? others : undefined
  }

  /** After a change of ports: gives the TAP the MTU of the smallest other one, and says which; undefined when it had it. */
  async followPorts(): Promise<number | undefined> {
    const before = this.#mtu
    await this.make(async () => ({ changes: await this.#planMtu(), notes: [] }))
    return this.#mtu === before ? undefined : this.#mtu
  }

  async #planFirewall(): Promise<SetupPlan> {
    const { tap, bridge } = this.where
    return bridge ? await planForwarding({ bridge, pairs: this.#pairs, tap }) : { changes: [], notes: [] }
  }

  /**
   * Cleans up after tunnels that were killed, and writes down how TAP and bridge are before the TAP is opened.
   * @returns what those had left, and a warning where no journal can be kept
   */
  async begin(): Promise<{ leftovers: Leftover[]; warning?: string }> {
    const { tap, bridge } = this.where
    const leftovers = await cleanUp(tap)
    const left = leftovers.find((leftover) => leftover.tap === tap)?.left ?? []
    const trouble = journalTrouble()
    this.#journal = trouble ? undefined : Journal.of(tap, left)
    this.#changes = new Changes(undefined, this.#journal, () => heldBeside(tap), left)
    const kept = [...(bridge ? await planIdleBridge(bridge) : []), ...(await planKeep(tap))]
    this.#mtuFound = await linkMtu(tap)
    await changingTheHost(() => this.#changes.make(kept))
    return { leftovers, ...(trouble ? { warning: trouble } : {}) }
  }

  /** Does what is left to do, of everything or of `plan`'s part, and says what that was. */
  async make(plan: () => Promise<SetupPlan> = () => this.plan()): Promise<SetupPlan> {
    return await changingTheHost(async () => {
      const { changes, notes } = await plan()
      const made = await this.#changes.make(changes)
      if (this.#mtuPlan && changes.includes(this.#mtuPlan.change)) this.#mtu = this.#mtuPlan.mtu
      return { changes: made, notes }
    })
  }

  /** Puts everything back; says what could not be, and which journal tells of it all the same. */
  async undo(): Promise<Undone> {
    const failures = await changingTheHost(() => this.#changes.unwind())
    const { stale } = this.#changes
    return { failures, ...(stale && this.#journal ? { journal: { path: this.#journal.path, error: stale } } : {}) }
  }

  /**
   * A host that routes from its bridge back into it tells the sender of a shorter way (RFC 1812 §5.2.7.2), which goes around
   * the host and its firewall rules. IPv4 only: IPv6 has no such setting.
   */
  async #planRedirects(): Promise<SetupPlan> {
    const { tap, bridge } = this.where
    const changes: Change[] = []
    const notes: string[] = []
    if (!bridge || !this.routes.some((route) => parseCidr(route).family === 4)) return { changes, notes }
    const held = heldBeside(tap)
    for (const path of redirectSettings(bridge)) {
      const left = await planSetting(path, '0', held, `no ICMP redirects (${path.split('/').at(-2)})`)
      const refusal = left.some(({ action }) => action) ? await writeRefusal(path) : undefined
      if (refusal === undefined) changes.push(...left)
      else
        notes.push(
          `${path} cannot be written (${refusal}): where it is 1, containers learn to go around this host and its firewall rules; set it to 0`,
        )
    }
    return { changes, notes }
  }
}

function join(one: SetupPlan, other: SetupPlan): SetupPlan {
  return { changes: [...one.changes, ...other.changes], notes: [...one.notes, ...other.notes] }
}
