// The remotes of a tunnel as they were asked for, by name or by address, and the addresses that the names have now. Names are
// resolved again every so often, sooner after a failure, and when a remote answers no more: then the remote moves.
// A name without an address is a remote that is not there yet, and no reason to end. Invariant: a remote of the tunnel has the
// address that its entry has, also when the answer comes long after the tunnel is up.

import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError, type ErrorCode } from '../errors.js'
import type { PeerOptions } from '../tunnel/peer-options.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { addressesOf, familyOf, isAddress } from './addresses-of.js'
import { canonical } from './peer-spec.js'
import type { Listener } from './watch-place.js'
import { remoteNamed } from './which-remote.js'

const AGAIN_MS = 30_000
/** After a failure; doubled until it is AGAIN_MS. */
const FIRST_RETRY_MS = 1000
/** A start that waits longer for an answer says so: name servers that are dead keep it for half a minute without a word. */
const SILENCE_MS = 3000

interface Entry {
  asked: PeerOptions
  /** Canonical; undefined while a name has none, or the tunnel has refused it. */
  address: string | undefined
  /** What was said of its trouble last. */
  trouble: string
  retryMs: number
  timer: NodeJS.Timeout | undefined
  /** The lookup that is under way: whoever asks meanwhile is given its answer. */
  asking: Promise<void> | undefined
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
    await Promise.all(this.#entries.map((entry) => this.#ask(entry)))
  }

  /** Resolves until at least one remote has an address, or `signal` says stop. */
  async first(signal: AbortSignal): Promise<void> {
    const silence = setTimeout(() => this.#tellSilent(), SILENCE_MS)
    const hush = () => clearTimeout(silence)
    signal.addEventListener('abort', hush)
    await this.#untilFirst(signal).finally(hush)
  }

  /** Of a lookup that failed its failure was told. */
  #tellSilent(): void {
    for (const { asked, asking, trouble } of this.#entries) {
      if (!asking || trouble !== '') continue
      this.#listener.warn(`--remote ${asked.remote}: no answer about the name yet; it is waited for`)
    }
  }

  async #untilFirst(signal: AbortSignal): Promise<void> {
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
      const { address } = entry
      entry.address = address && tunnel.spelling(address)
      // Answered while the tunnel was being opened without it.
      if (address !== undefined && entry.address === undefined) this.#move(entry, address)
      this.#later(entry)
    }
    tunnel.on('peer', (remote, liveness) => {
      const entry = this.#entries.find(({ address }) => address === remote)
      if (entry && liveness === 'down') void this.#ask(entry)
    })
  }

  /** The address it has, if any. `refuse` may throw because of that. @throws ConfigError as Tunnel.addPeer */
  async add(asked: PeerOptions, refuse: (address: string) => Promise<void>): Promise<string | undefined> {
    const entry = fresh(asked)
    this.#refuseTwin(asked)
    entry.address ??= await this.#resolve(entry)
    if (entry.address !== undefined) await refuse(entry.address)
    this.#take(entry)
    return entry.address
  }

  /** As add, with what is known of the name's address already: nothing is waited for. @throws ConfigError as Tunnel.addPeer */
  take(asked: PeerOptions, address: string | undefined): void {
    this.#take({ ...fresh(asked), address, ...(address === undefined && { retryMs: FIRST_RETRY_MS }) })
  }

  #take(entry: Entry): void {
    const { asked, address } = entry
    this.#refuseTwin(asked)
    if (address !== undefined) {
      this.#tunnel!.addPeer({ ...asked, remote: address })
      entry.address = this.#tunnel!.spelling(address)
    }
    this.#entries.push(entry)
    this.#later(entry)
  }

  /** `remote`: as it was asked for, or its address. @throws ConfigError when it is none */
  remove(remote: string): void {
    const entry = this.#find(remote)
    if (entry.address !== undefined) this.#tunnel!.removePeer(entry.address)
    this.#forget(entry)
  }

  /** Gives a remote other settings. @throws ConfigError */
  change(asked: PeerOptions): void {
    const entry = this.#find(asked.remote)
    if (entry.address !== undefined) this.#tunnel!.changePeer(entry.address, { ...asked, remote: entry.address })
    entry.asked = asked
  }

  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#entries) clearTimeout(timer)
  }

  #find(remote: string): Entry {
    return remoteNamed(this.#entries, remote, this.#tunnel!.name)
  }

  #forget(entry: Entry): void {
    clearTimeout(entry.timer)
    this.#entries.splice(this.#entries.indexOf(entry), 1)
  }

  /** The tunnel knows addresses alone: a name would be there twice until it has one. */
  #refuseTwin({ remote }: PeerOptions): void {
    const name = canonical(remote)
    if (!this.#entries.some(({ asked }) => canonical(asked.remote) === name)) return
    const why = 'is a remote of this tunnel already; give it once'
    throw new ConfigError('TSGRE_CONFLICT', 'remote', remote, `--remote ${remote}: ${why}`)
  }

  #later(entry: Entry): void {
    clearTimeout(entry.timer)
    if (this.#stopped || isAddress(entry.asked.remote)) return
    entry.timer = setTimeout(() => void this.#ask(entry), entry.retryMs).unref()
  }

  /** Looks its name up, and has the remote where the name is. Every caller gets the same promise until then. */
  #ask(entry: Entry): Promise<void> {
    if (isAddress(entry.asked.remote)) return Promise.resolve()
    entry.asking ??= this.#askNow(entry).finally(() => {
      entry.asking = undefined
    })
    return entry.asking
  }

  async #askNow(entry: Entry): Promise<void> {
    const found = await this.#resolve(entry)
    if (this.#stopped || !this.#entries.includes(entry)) return
    if (!this.#tunnel) entry.address = found
    else if (found !== undefined && found !== entry.address) this.#move(entry, found)
    if (this.#tunnel) this.#later(entry)
  }

  #move(entry: Entry, to: string): void {
    const tunnel = this.#tunnel!
    const { asked, address: before } = entry
    try {
      if (before === undefined) tunnel.addPeer({ ...asked, remote: to })
      else tunnel.movePeer(before, to)
      entry.address = tunnel.spelling(to)
      this.#listener.note(`${asked.remote} is ${to} now${before === undefined ? '' : ` (was ${before})`}`)
    } catch (error) {
      this.#trouble(entry, (error as Error).message)
    }
  }

  /** The address that its name has now, or the one it had where the name cannot be asked for. */
  async #resolve(entry: Entry): Promise<string | undefined> {
    const { remote } = entry.asked
    try {
      const addresses = await addressesOf(remote, this.#family)
      entry.retryMs = AGAIN_MS
      entry.trouble = ''
      // Of several any will do, and the one in use best.
      const found = addresses.find((address) => address === entry.address) ?? addresses[0]
      this.#family ??= familyOf(found)
      return found
    } catch (error) {
      entry.retryMs = entry.trouble === '' ? FIRST_RETRY_MS : Math.min(2 * entry.retryMs, AGAIN_MS)
      const keeps =
        entry.address === undefined ? 'it is asked for again' : `${entry.address} is kept, and it is asked for again`
      this.#trouble(entry, `--remote ${remote}: the name has no address (${codeOf(error)}); ${keeps}`)
      return entry.address
    }
  }

  #trouble(entry: Entry, words: string): void {
    if (entry.trouble === words) return
    entry.trouble = words
    this.#listener.warn(words)
  }
}

function fresh(asked: PeerOptions): Entry {
  const address = isAddress(asked.remote) ? asked.remote : undefined
  return { asked, address, trouble: '', retryMs: AGAIN_MS, timer: undefined, asking: undefined }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message
}
