// One tunnel as a process carries it: check everything, open, set the host up, watch over it, undo. What is refused is refused
// before anything changes; what was changed is put back, also after a failure. It fails by itself, or is stopped; never both.

import { ConfigError, StateError, type SystemError, type TsgreError } from '../errors.js'
import { changingTheHost, holdTap, isRunning } from '../host/host-lock.js'
import { parseAddress } from '../sys/address.js'
import { isLinkUp } from '../sys/link.js'
import { openTunnel } from '../tunnel/open-tunnel.js'
import type { PeerOptions } from '../tunnel/peer-options.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { Captures } from './capture/captures.js'
import { OF_EACH_REMOTE, remotesOf } from './config/tunnel-change.js'
import { FollowNames } from './follow-names.js'
import { forgetWays } from './forget-ways.js'
import { type Place, refuseRoutes } from './place.js'
import { narrowWarnings, reportMtu } from './report-mtu.js'
import { reportPeers } from './report-peers.js'
import { beginSetup, putBack, smallTap } from './report-setup.js'
import { type DaemonOptions, type Report, type Settled, settle } from './run-daemon.js'
import { Setup, type SetupPlan } from './setup.js'
import { tryAll } from './try-all.js'
import { watchPlace } from './watch-place.js'

/** Of outer packets, where nothing else is asked for. */
const DEFAULT_TTL = 64

export class CarriedTunnel {
  #options: DaemonOptions
  readonly names: FollowNames
  /** Rejects when the tunnel ends by itself. */
  readonly failed: Promise<never>
  readonly #report: Report
  readonly #undo: (() => unknown)[] = []
  #fail: (error: Error) => void = () => {}
  #tunnel: Tunnel | undefined
  #setup: Setup | undefined
  #captures: Captures | undefined
  #failure: string | undefined
  #named: Promise<void> | undefined
  #starting: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined
  readonly #abandoned = new AbortController()

  constructor(options: DaemonOptions, report: Report) {
    this.#options = options
    this.#report = report
    this.names = new FollowNames(remotesOf(options), options.local, report)
    this.failed = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => {}) // it may fail while something else is awaited
  }

  get options(): DaemonOptions {
    return this.#options
  }

  /** What was changed of it while it ran is asked for now. */
  setOptions(options: DaemonOptions): void {
    this.#options = { ...options, logger: this.#options.logger }
  }

  /** undefined until it is up. */
  get tunnel(): Tunnel | undefined {
    return this.#tunnel
  }

  get place(): Place | undefined {
    return this.#setup?.where
  }

  get captures(): Captures | undefined {
    return this.#captures
  }

  /** Why it failed, as a sentence. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Whether the TAP is up; undefined before it is there, and where nobody can tell. */
  get tapUp(): boolean | undefined {
    if (!this.#tunnel || this.#failure !== undefined) return undefined
    try {
      return isLinkUp(this.#tunnel.name)
    } catch {
      return undefined
    }
  }

  /** The address it has, if any. @throws ConfigError as Tunnel.addPeer; StateError TSGRE_NOT_NOW before it is up */
  async addPeer(asked: PeerOptions): Promise<string | undefined> {
    this.#refuseNotUp()
    return await this.names.add(remotesOf({ ...this.options, remote: [asked] })[0]!, (address) => this.#refuse(address))
  }

  /** @throws ConfigError when it is none; StateError as addPeer */
  removePeer(remote: string): void {
    this.#refuseNotUp()
    this.names.remove(remote)
  }

  /** What it is started with may be in use already, and must not become nothing. */
  #refuseNotUp(): void {
    if (this.#tunnel) return
    const why = 'is not up yet, and waits for an address of the remotes that it has; ask again when it is'
    throw new StateError('TSGRE_NOT_NOW', `${this.options.name} ${why}`)
  }

  /** Finds the names of its remotes; resolves when one of them has an address, or when it is stopped. Every caller gets the same promise. */
  findNames(): Promise<void> {
    this.#named ??= this.names.first(this.#abandoned.signal)
    return this.#named
  }

  /** What would be opened: names are addresses in it, and each remote says for itself what a reload may take from it. */
  get #asked(): DaemonOptions {
    return { ...this.options, ...OF_EACH_REMOTE, remote: this.names.resolved }
  }

  /**
   * Asks this host all that could speak against the tunnel; changes nothing.
   * @throws ConfigError
   */
  async check(): Promise<Settled> {
    try {
      return await settle(this.#asked)
    } catch (error) {
      throw this.names.inWordsAsked(error)
    }
  }

  /** Refuses a TAP that another tunnel has. @throws ConfigError; HostError as isRunning */
  async refuseTaken(): Promise<void> {
    if (await isRunning(this.options.name)) refuseHeld(this.options.name)
  }

  /** @throws ConfigError before anything changed; SystemError or HostError after everything was put back */
  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    if (this.#abandoned.signal.aborted) return
    const { resolved, where } = await settle(this.#asked)
    const { name, routes } = this.options
    // While nobody cleans up, who holds the names of the dead for a moment.
    this.#undo.push((await changingTheHost(async () => holdTap(name))) ?? refuseHeld(name))
    try {
      const setup = new Setup(where, routes, resolved.mtu)
      await setup.plan() // a route in the way is refused before the TAP exists
      await beginSetup(setup, this.#report)
      this.#undo.push(() => putBack(setup, this.#report))
      await this.#open(setup)
    } catch (error) {
      // Why it did not start counts more than what it could not put back.
      await this.#takeBack().catch(({ message }) => this.#report.warn(message))
      throw error
    }
  }

  async #open(setup: Setup): Promise<void> {
    const report = this.#report
    let done: SetupPlan = { changes: [], notes: [] }
    const prepare = async () => {
      done = await setup.make()
    }
    const since = Date.now()
    const tunnel = await openTunnel({ ...this.#asked, up: false, prepare })
    this.#undo.splice(1, 0, async () => {
      await tunnel.close()
      report.down(tunnel, (Date.now() - since) / 1000, tunnel.stats())
    })
    tunnel.once('error', (error) => {
      const explained = explain(error, tunnel.name)
      this.#failure = explained.message
      this.#fail(explained)
    })
    const ports = await setup.largerPorts()
    // From here on whoever asks finds it up, and its names followed: nothing is waited for in between.
    this.#tunnel = tunnel
    this.#setup = setup
    for (const warning of narrowWarnings(tunnel, this.options)) report.warn(warning)
    if (ports !== undefined) report.warn(smallTap(tunnel, setup.where, ports))
    report.up(tunnel, setup.where, done)
    reportMtu(tunnel, this.options, report)
    reportPeers(tunnel, report)
    forgetWays(tunnel, setup.where, report)
    this.names.follow(tunnel)
    this.#captures = capturesOf(tunnel, this.options, this.names)
    const { dev, local } = this.options
    const watch = watchPlace(tunnel, { dev, follows: local === undefined }, setup, report)
    this.#undo.push(
      () => watch.stop(),
      () => this.names.stop(),
      () => this.#captures?.close(),
    )
  }

  /** Refuses a remote whose route leads into the tunnel. @throws ConfigError */
  async #refuse(address: string): Promise<void> {
    if (this.place) await refuseRoutes({ text: address, dev: this.options.dev }, this.place, this.options.routes)
  }

  /** Ends it and puts everything back. Every caller gets the same promise. */
  stop(): Promise<void> {
    this.#abandoned.abort()
    // A start that has begun comes to its end first, or it would go on behind us.
    this.#stopping ??= this.#starting.catch(() => {}).then(() => this.#takeBack())
    return this.#stopping
  }

  /** All that can be; what cannot is thrown at the end. */
  #takeBack(): Promise<void> {
    return tryAll(this.#undo.splice(0).reverse())
  }
}

function capturesOf(tunnel: Tunnel, { ttl }: DaemonOptions, names: FollowNames): Captures {
  const captured = {
    attach: (ring: SharedArrayBuffer) => tunnel.capture(ring),
    detach: () => tunnel.capture(undefined),
  }
  const underlay = {
    local: parseAddress(tunnel.local)!.bytes,
    udpPort: tunnel.udpPort,
    ttl: typeof ttl === 'number' ? ttl : DEFAULT_TTL,
    peer(index: number) {
      const remote = tunnel.remoteAt(index)
      return remote && { remote: remote.text, bytes: remote.bytes, local: parseAddress(tunnel.local)!.bytes }
    },
  }
  return new Captures(tunnel.name, captured, underlay, () => names.list)
}

function refuseHeld(tap: string): never {
  const why = 'another tsgre runs on that TAP; choose another name, or see `tsgre status` for the one that runs'
  throw new ConfigError('TSGRE_BAD_TAP', 'tap', tap, `--tap ${JSON.stringify(tap)}: ${why}`)
}

function explain(error: TsgreError, name: string): TsgreError {
  const { syscall } = error as SystemError
  if (error.code === 'EBADFD' && syscall) error.message = `${name} was deleted while the tunnel ran`
  return error
}
