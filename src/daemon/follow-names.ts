// The remotes of a tunnel as they were asked for, by name or by address, and the addresses that the names have now. Names are
// resolved again every so often, sooner after a failure, and when a remote answers no more: then the remote moves.
// A name without an address is a remote that is not there yet, and no reason to end.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError, type ErrorCode } from '../errors.js'
import type { PeerOptions } from '../tunnel/peer-options.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import type { Listener } from './watch-place.js'

const AGAIN_MS = 30_000
/** After a failure; doubled until it is AGAIN_MS. */
const FIRST_RETRY_MS = 1000

/** Names that are being looked up now. */
let underWay = 0

/** Whether a name is being looked up: that cannot be called off (getaddrinfo), and keeps a process until the answer comes. */
export function isLookingUp(): boolean {
  return underWay > 0
}

async function addressesOf(name: string, family: 4 | 6 | undefined): Promise<string[]> {
  underWay++
  try {
    return (await lookup(name, { all: true, ...(family && { family }) })).map(({ address }) => address)
  } finally {
    underWay--
  }
}

interface Entry {
  asked: PeerOptions
  /** Canonical; undefined while a name has none, or the tunnel has refused it. */
  address: string | undefined
  /** What was said of its trouble last. */
  trouble: string
  retryMs: number
  timer: NodeJS.Timeout | undefined
}

export class FollowNames {
  readonly #entries: Entry[]
  readonly #listener: Listener
  /** Only addresses of this family can be taken; undefined before the first. */
  #family: 4 | 6 | undefined
  #tunnel: Tunnel | undefined
  #stopped = false

  /** @param local of the tunnel, where it was given: names get addresses of its family */
  constructor(remotes: readonly PeerOptions[], local: string | undefined, listener: Listener) {
    this.#entries = remotes.map(fresh)
    this.#listener = listener
    this.#family = familyOf(local)
  }

  /** What was asked for, and the address it has now. */
  get list(): readonly { readonly asked: PeerOptions; readonly address: string | undefined }[] {
    return this.#entries
  }

  /** Those that have an address, with it in place of the name. */
  get resolved(): PeerOptions[] {
    return this.#entries.flatMap(({ asked, address }) => (address === undefined ? [] : [{ ...asked, remote: address }]))
  }

  /** An error about an address, in the words that were asked: with the name. */
  inWordsAsked(error: unknown): unknown {
    if (!(error instanceof ConfigError) || error.option !== 'remote') return error
    const entry = this.#entries.find(({ asked, address }) => address === error.value && asked.remote !== address)
    if (!entry) return error
    const { remote } = entry.asked
    const message = error.message.replace(`--remote ${entry.address}`, `--remote ${remote} (${entry.address})`)
    return new ConfigError(error.code as ErrorCode, 'remote', remote, message)
  }

  /** Resolves each name once. */
  async once(): Promise<void> {
    await Promise.all(this.#entries.map((entry) => this.#resolve(entry)))
  }

  /** Resolves until at least one remote has an address, or `signal` says stop. */
  async first(signal: AbortSignal): Promise<void> {
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(2 * wait, AGAIN_MS)) {
      await this.once()
      if (signal.aborted || this.#entries.length === 0 || this.resolved.length > 0) return
      await sleep(wait, undefined, { signal }).catch(() => {})
    }
  }

  /** The tunnel runs with what has an address; from now on its remotes follow their names. */
  follow(tunnel: Tunnel): void {
    this.#tunnel = tunnel
    this.#family = familyOf(tunnel.local)
    for (const entry of this.#entries) {
      if (entry.address !== undefined) entry.address = canonical(tunnel, entry)
      this.#later(entry)
    }
    tunnel.on('peer', (remote, liveness) => {
      const entry = this.#entries.find(({ address }) => address === remote)
      if (entry && liveness === 'down') void this.#again(entry)
    })
  }

  /** `refuse` may throw because of the address. @throws ConfigError as Tunnel.addPeer */
  async add(asked: PeerOptions, refuse: (address: string) => Promise<void>): Promise<void> {
    const entry = fresh(asked)
    await this.#resolve(entry)
    if (entry.address !== undefined) await refuse(entry.address)
    this.#take(entry)
  }

  /** As add, with what is known of the name's address already: nothing is waited for. @throws ConfigError as Tunnel.addPeer */
  take(asked: PeerOptions, address: string | undefined): void {
    this.#take({ ...fresh(asked), address, ...(address === undefined && { retryMs: FIRST_RETRY_MS }) })
  }

  #take(entry: Entry): void {
    const { asked, address } = entry
    if (address !== undefined) {
      this.#tunnel!.addPeer({ ...asked, remote: address })
      entry.address = canonical(this.#tunnel!, entry)
    }
    this.#entries.push(entry)
    this.#later(entry)
  }

  /** `remote`: as it was asked for, or its address. @throws ConfigError when it is none */
  remove(remote: string): void {
    const entry = this.#find(remote)
    if (entry?.address === undefined && entry) this.#forget(entry)
    else {
      this.#tunnel!.removePeer(entry?.address ?? remote)
      if (entry) this.#forget(entry)
    }
  }

  /** Gives a remote other settings. @throws ConfigError */
  change(asked: PeerOptions): void {
    const entry = this.#find(asked.remote)!
    if (entry.address !== undefined) this.#tunnel!.changePeer(entry.address, { ...asked, remote: entry.address })
    entry.asked = asked
  }

  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#entries) clearTimeout(timer)
  }

  #find(remote: string): Entry | undefined {
    return this.#entries.find(({ asked, address }) => asked.remote === remote || address === remote)
  }

  #forget(entry: Entry): void {
    clearTimeout(entry.timer)
    this.#entries.splice(this.#entries.indexOf(entry), 1)
  }

  #later(entry: Entry): void {
    clearTimeout(entry.timer)
    if (this.#stopped || isAddress(entry.asked.remote)) return
    entry.timer = setTimeout(() => void this.#again(entry), entry.retryMs).unref()
  }

  async #again(entry: Entry): Promise<void> {
    if (isAddress(entry.asked.remote)) return
    const before = entry.address
    await this.#resolve(entry)
    if (this.#stopped || !this.#entries.includes(entry)) return
    if (entry.address !== before) this.#move(entry, before)
    this.#later(entry)
  }

  #move(entry: Entry, before: string | undefined): void {
    const tunnel = this.#tunnel!
    const { asked, address } = entry
    try {
      if (before === undefined) tunnel.addPeer({ ...asked, remote: address! })
      else tunnel.movePeer(before, address!)
      entry.address = canonical(tunnel, entry)
      this.#listener.note(`${asked.remote} is ${address} now${before === undefined ? '' : ` (was ${before})`}`)
    } catch (error) {
      entry.address = before
      this.#trouble(entry, (error as Error).message)
    }
  }

  /** Gives an entry the address that it has now; one that cannot be asked for keeps the one it had. */
  async #resolve(entry: Entry): Promise<void> {
    const { remote } = entry.asked
    if (isAddress(remote)) {
      entry.address = remote
      return
    }
    try {
      const addresses = await addressesOf(remote, this.#family)
      if (addresses.length === 0) throw new Error('it has no address')
      // Of several any will do, and the one in use best.
      if (entry.address === undefined || !addresses.includes(entry.address)) entry.address = addresses[0]
      this.#family ??= familyOf(entry.address)
      entry.retryMs = AGAIN_MS
      entry.trouble = ''
    } catch (error) {
      entry.retryMs = entry.trouble === '' ? FIRST_RETRY_MS : Math.min(2 * entry.retryMs, AGAIN_MS)
      const keeps =
        entry.address === undefined ? 'it is asked for again' : `${entry.address} is kept, and it is asked for again`
      this.#trouble(entry, `--remote ${remote}: the name has no address (${codeOf(error)}); ${keeps}`)
    }
  }

  #trouble(entry: Entry, words: string): void {
    if (entry.trouble === words) return
    entry.trouble = words
    this.#listener.warn(words)
  }
}

function fresh(asked: PeerOptions): Entry {
  return { asked, address: undefined, trouble: '', retryMs: AGAIN_MS, timer: undefined }
}

/** What looks like an address is the library's to judge; names have letters, and no colon. */
function isAddress(remote: string): boolean {
  return remote.includes(':') || !/[a-z]/i.test(remote) || remote === ''
}

function familyOf(address: string | undefined): 4 | 6 | undefined {
  const family = address === undefined ? 0 : isIP(address.split('%')[0]!)
  return family === 4 || family === 6 ? family : undefined
}

/** As the tunnel spells it. */
function canonical(tunnel: Tunnel, { address, asked }: Entry): string | undefined {
  return tunnel.spelling(address ?? asked.remote)
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message
}
