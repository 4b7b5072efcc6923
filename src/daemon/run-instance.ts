// A process from start to end: its tunnels, and around them the control socket, the metrics and what the service manager is told.
// All that can be refused is refused before anything changes. One tunnel that fails ends all; the control socket goes last.

import { setTimeout as sleep } from 'node:timers/promises'
import { StateError } from '../errors.js'
import { applyConfig } from './apply-config.js'
import { CarriedTunnel } from './carried-tunnel.js'
import { type ControlServer, refuseRunning } from './control/server.js'
import type { MetricsServer } from './metrics-server.js'
import type { Wanted } from './options/wanted.js'
import { placing } from './placing.js'
import type { Readiness } from './readiness.js'
import { DropWatch } from './report-drops.js'
import type { DaemonOptions, Report } from './run-daemon.js'
import { RunningInstance } from './running-instance.js'
import { servedControl } from './served-control.js'
import { tryAll } from './try-all.js'

export interface Surroundings {
  readonly report: Report
  readonly readiness: Readiness
  /** Takes warnings of the library. */
  readonly logger: DaemonOptions['logger']
  /** Resolves when the end is asked for. */
  readonly until: Promise<unknown>
  /** Reads the configuration again. @throws ConfigError; undefined where there is none */
  readonly load: (() => Promise<Wanted>) | undefined
  /** Tells how to reload from outside the control socket, by a signal; it never rejects. */
  readonly onReload: (reload: () => Promise<void>) => void
}

/**
 * Runs until `until` resolves or a tunnel fails.
 * @throws ConfigError before anything changed; SystemError or HostError after everything was put back
 */
export async function runInstance(wanted: Wanted, around: Surroundings): Promise<void> {
  const process = new InstanceProcess(wanted, around)
  const run = async () => {
    await process.start()
    await process.end
  }
  await tryAll([run, () => process.stop()])
}

/** How long the names of remotes may take before the tunnels with addresses start without them. */
const FIRST_NAMES_MS = 3000

/** How often it is looked which drops go on. */
const DROPS_MS = 60_000

class InstanceProcess {
  readonly #around: Surroundings
  readonly #instance: RunningInstance
  readonly #asked: Promise<void>
  /** As it was started; its tunnels may be others by now. */
  readonly #wanted: Wanted
  readonly #tunnels: CarriedTunnel[]
  #ask: () => void = () => {}
  #fail: (error: unknown) => void = () => {}
  readonly #failed: Promise<never>
  #looking: NodeJS.Timeout | undefined
  #started: Promise<void> = Promise.resolve()
  #reloading: Promise<unknown> = Promise.resolve()
  #ending = false
  #control: ControlServer | undefined
  #metrics: MetricsServer | undefined

  constructor(wanted: Wanted, around: Surroundings) {
    this.#wanted = wanted
    this.#around = around
    this.#tunnels = wanted.tunnels.map((options) => this.#carried(options))
    this.#asked = new Promise((resolve) => {
      this.#ask = resolve
    })
    this.#failed = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    this.#failed.catch(() => {}) // it may fail while something else is awaited
    this.#instance = new RunningInstance(wanted.name, wanted.file, () => this.#tunnels, {
      reload: () => this.#reload(),
      stop: () => this.#ask(),
    })
  }

  /** Resolves when the end is asked for, rejects when a tunnel fails. */
  get end(): Promise<unknown> {
    return Promise.race([this.#around.until, this.#asked, this.#failed])
  }

  #carried(options: DaemonOptions): CarriedTunnel {
    const { report, logger } = this.#around
    const carried = new CarriedTunnel({ ...options, logger }, report)
    carried.failed.catch((error) => this.#fail(error))
    return carried
  }

  /** Resolves when all is set up, or in the middle of it when the end is asked for: what there is then stop() puts back. */
  start(): Promise<void> {
    this.#started = this.#start()
    return this.#started
  }

  async #start(): Promise<void> {
    const { readiness, onReload } = this.#around
    refuseRunning(this.#wanted)
    await this.#findNames(this.#tunnels)
    if (this.#ending) return
    const ready = this.#tunnels.filter((tunnel) => tunnel.names.resolved.length > 0)
    for (const tunnel of this.#tunnels) await this.#placing(tunnel, () => tunnel.refuseTaken())
    for (const tunnel of ready) await this.#placing(tunnel, () => tunnel.check())
    await this.#serve()
    for (const tunnel of ready) if (!this.#ending) await this.#placing(tunnel, () => tunnel.start())
    if (this.#ending) return
    for (const tunnel of this.#tunnels) if (!ready.includes(tunnel)) void this.#startLater(tunnel)
    readiness.ready(this.#summary())
    readiness.watch(() => this.#instance.ill() === undefined)
    onReload(() => this.#reloadBySignal())
    this.#watchDrops()
  }

  #placing({ options }: CarriedTunnel, body: () => unknown): Promise<unknown> {
    return placing(this.#wanted, options.name, body)
  }

  #watchDrops(): void {
    const watch = new DropWatch()
    const look = () => {
      for (const { options, tunnel } of this.#tunnels) {
        if (!tunnel) continue
        const lines = watch.look(options.name, tunnel.stats().drops, tunnel.peers())
        lines.forEach(this.#around.report.warn)
      }
    }
    this.#looking = setInterval(look, DROPS_MS).unref()
  }

  async #findNames(tunnels: readonly CarriedTunnel[]): Promise<void> {
    const found = Promise.all(tunnels.map((tunnel) => tunnel.findNames()))
    await Promise.race([found, sleep(FIRST_NAMES_MS, undefined, { ref: false }), this.#ended()])
  }

  async #ended(): Promise<void> {
    await this.end.catch(() => {}) // whoever runs this process hears of it
    this.#ending = true
  }

  /** What the end need not wait for. @throws StateError when it has come */
  async #beforeEnd<T>(work: Promise<T>): Promise<T> {
    await Promise.race([work, this.#ended()])
    this.#refuseEnding()
    return await work
  }

  async #startLater(tunnel: CarriedTunnel): Promise<void> {
    try {
      await tunnel.findNames()
      await tunnel.start()
      this.#around.readiness.status(this.#summary())
    } catch (error) {
      this.#fail(error)
    }
  }

  async #serve(): Promise<void> {
    const { metrics } = this.#wanted
    if (metrics) {
      // Loaded by those alone who ask for it: it takes longer than all else a start waits for.
      const { serveMetrics } = await import('./metrics-server.js')
      this.#metrics = await serveMetrics(this.#instance, metrics)
    }
    this.#control = await servedControl(this.#instance, this.#around.report)
  }

  #summary(): string {
    const up = this.#tunnels.filter(({ tunnel }) => tunnel !== undefined)
    const remotes = up.reduce((sum, { tunnel }) => sum + tunnel!.remotes.length, 0)
    return `${up.map(({ options }) => options.name).join(', ') || 'no tunnel'} up, ${remotes} remotes`
  }

  async #reload(): Promise<readonly string[]> {
    const { load, readiness, report } = this.#around
    if (!load) noConfig(this.#wanted.name)
    // The control socket is there before the tunnels are: those that a reload brings are not for the start to start.
    await this.#started
    this.#refuseEnding()
    readiness.reloading()
    const reloading = this.#applied(load)
    this.#reloading = reloading.catch(() => {}) // stop() waits for it, whoever asked hears of it
    try {
      const changed = await reloading
      report.note(changed.length === 0 ? 'reloaded: nothing has changed' : `reloaded: ${changed.join('; ')}`)
      return changed
    } catch (error) {
      report.warn(`nothing was reloaded: ${(error as Error).message}`)
      throw error
    } finally {
      if (!this.#ending) readiness.ready(this.#summary())
    }
  }

  async #applied(load: () => Promise<Wanted>): Promise<string[]> {
    return await applyConfig(this.#wanted, await this.#beforeEnd(load()), this.#tunnels, {
      carry: (options) => this.#carried(options),
      findNames: async (tunnels) => {
        await this.#findNames(tunnels)
        this.#refuseEnding()
      },
      begin: async (tunnel) => {
        if (tunnel.names.resolved.length > 0) await tunnel.start()
        else void this.#startLater(tunnel)
      },
    })
  }

  /** What came into being behind the end would never be put back. */
  #refuseEnding(): void {
    if (this.#ending) throw new StateError('TSGRE_NOT_NOW', `${this.#wanted.name} is ending`)
  }

  async #reloadBySignal(): Promise<void> {
    // Its report has told.
    await this.#instance.reload().catch(() => {})
  }

  async stop(): Promise<void> {
    this.#ending = true
    this.#around.readiness.stopping()
    await this.#reloading
    clearInterval(this.#looking)
    await tryAll([
      ...[...this.#tunnels].reverse().map((tunnel) => () => tunnel.stop()),
      () => this.#instance.close(),
      () => this.#metrics?.close(),
      () => this.#control?.close(),
      () => this.#around.readiness.close(),
    ])
  }
}

function noConfig(name: string): never {
  const why = `${name} was started without a configuration file: there is nothing to reload`
  throw new StateError('TSGRE_NOT_NOW', why)
}
