// A process with its tunnels, as the control socket, the metrics and the service manager see it.
// Invariant: the tunnels change by `reload` alone, one reload at a time.

import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { ConfigError } from '../errors.js'
import { type Privileges, readPrivileges } from '../sys/capabilities.js'
import type { FdbEntry } from '../tunnel/peer-stats.js'
import type { CaptureWanted } from './capture/wanted.js'
import type { CarriedTunnel } from './carried-tunnel.js'
import { healthOf, type TunnelFacts } from './health.js'
import type { Instance } from './instance.js'
import { isForOther } from './other-keys.js'
import { parsePeerSpec } from './peer-spec.js'
import { RecentPast } from './recent-past.js'
import type { InstanceStatus, TunnelStatus } from './status.js'
import { factsOf } from './tunnel-facts.js'
import { remoteNamed } from './which-remote.js'

/** What the process does besides carrying. */
export interface Process {
  /** Brings the tunnels to what the configuration says now; what changed, as sentences. */
  reload(): Promise<readonly string[]>
  stop(): void
}

const REMEMBER_MS = 10_000
/** A pump's thread wakes at least once a second; one that has not for so long hangs. */
const MOST_SILENCE_MS = 5000

export class RunningInstance implements Instance {
  readonly name: string
  readonly #file: string | undefined
  readonly #tunnels: () => readonly CarriedTunnel[]
  readonly #process: Process
  readonly #since = new Date().toISOString()
  readonly #privileges: Privileges = readPrivileges()
  readonly #past = new RecentPast()
  readonly #remembering: NodeJS.Timeout
  #reloading: Promise<unknown> = Promise.resolve()

  constructor(name: string, file: string | undefined, tunnels: () => readonly CarriedTunnel[], process: Process) {
    this.name = name
    this.#file = file
    this.#tunnels = tunnels
    this.#process = process
    const remember = () => this.#past.remember(performance.now(), this.#tunnels().map(factsOf))
    this.#remembering = setInterval(remember, REMEMBER_MS).unref()
  }

  close(): void {
    clearInterval(this.#remembering)
  }

  status(): InstanceStatus {
    const tunnels = this.#tunnels()
    const all = tunnels.map(factsOf)
    const { effective, bounding, noNewPrivileges, uid } = this.#privileges
    return {
      name: this.name,
      version: VERSION,
      pid: process.pid,
      since: this.#since,
      config: this.#file ?? null,
      capabilities: { effective, bounding },
      noNewPrivileges,
      user: userName(uid),
      tunnels: tunnels.map((carried, index) => this.#statusOf(carried, all[index]!, all)),
    }
  }

  #statusOf(carried: CarriedTunnel, facts: TunnelFacts, all: readonly TunnelFacts[]): TunnelStatus {
    const now = performance.now()
    const problems = healthOf(facts, Date.now(), {
      isForOther: isForOther(facts, all),
      failure: carried.failure,
      tapUp: carried.tapUp,
      tunnelMtuCap: carried.options.tunnelMtu,
      earlier: this.#past.earlier(now, facts.name),
      lately: this.#past.lately(now, facts.name),
    })
    return { ...facts, problems }
  }

  ill(): string | undefined {
    for (const { tunnel, options, failure } of this.#tunnels()) {
      if (failure !== undefined) return `the tunnel on ${options.name} has failed: ${failure}`
      const silence = tunnel?.silence ?? 0
      if (silence > MOST_SILENCE_MS)
        return `the pump of ${options.name} has not turned for ${Math.round(silence / 1000)} s`
    }
    return undefined
  }

  async addPeer(tunnel: string | undefined, spec: string): Promise<string | undefined> {
    const carried = this.#one(tunnel)
    return await carried.addPeer(parsePeerSpec(spec))
  }

  async removePeer(tunnel: string | undefined, remote: string): Promise<void> {
    this.#one(tunnel).removePeer(remote)
  }

  fdb(tunnel: string | undefined, remote: string | undefined): FdbEntry[] {
    const { tunnel: carrying, names, options } = this.#one(tunnel)
    const all = carrying?.fdb() ?? []
    if (remote === undefined) return all
    const { address } = remoteNamed(names.list, remote, options.name)
    return all.filter((entry) => address !== undefined && entry.remote === address)
  }

  flushFdb(tunnel: string | undefined, remote: string | undefined): void {
    const { tunnel: carrying, names, options } = this.#one(tunnel)
    const address = remote === undefined ? undefined : remoteNamed(names.list, remote, options.name).address
    // Of a name without an address nothing was learnt, and no address stands for all.
    if (remote === undefined || address !== undefined) carrying?.flushFdb(address)
  }

  async reload(): Promise<{ changed: readonly string[] }> {
    const before = this.#reloading
    const reloading = before.catch(() => {}).then(() => this.#process.reload())
    this.#reloading = reloading
    return { changed: await reloading }
  }

  capture(tunnel: string | undefined, wanted: CaptureWanted, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const { captures, options } = this.#one(tunnel)
    if (captures) return captures.start(wanted, signal)
    const words = `${options.name} is not up: there is nothing to capture yet`
    throw new ConfigError('TSGRE_BAD_TAP', 'tunnel', options.name, words)
  }

  stop(): void {
    this.#process.stop()
  }

  #one(tunnel: string | undefined): CarriedTunnel {
    const tunnels = this.#tunnels()
    const names = tunnels.map(({ options }) => options.name)
    const found = tunnel === undefined && tunnels.length === 1 ? tunnels[0] : tunnels[names.indexOf(tunnel ?? '')]
    if (found) return found
    const what =
      tunnel === undefined ? `${this.name} has several tunnels` : `no tunnel of ${this.name} is called ${tunnel}`
    const wayOut = names.length === 0 ? 'it has none' : `say which, as in --tap ${names[0]}; it has ${names.join(', ')}`
    throw new ConfigError('TSGRE_BAD_TAP', 'tunnel', tunnel, `${what}: ${wayOut}`)
  }
}

/** A user without an entry in passwd is a number. */
function userName(uid: number): string {
  try {
    return userInfo().username
  } catch {
    return `${uid}`
  }
}

const VERSION = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version as string
