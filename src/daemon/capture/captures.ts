// The captures of one tunnel: a few at once, each with a ring of its own, so that a slow reader loses packets for itself alone.
// Invariant: a ring is with the pump exactly as long as its capture goes on, and given up once, however it ends.

import { ConfigError, StateError } from '../../errors.js'
import { CaptureReader } from '../../tunnel/capture-reader.js'
import { captureMemory, INNER, OUTER, type RingWants } from '../../tunnel/capture-record.js'
import { type KnownRemote, remoteNamed } from '../which-remote.js'
import { Capture } from './capture.js'
import type { Underlay } from './outer-headers.js'
import { type CaptureWanted, MOST_SNAPLEN } from './wanted.js'

/** How many may go on at once. */
export const MOST_CAPTURES = 4

/** What a tunnel has for its captures. */
export interface Captured {
  /** Has the pump write into the ring of this memory. */
  attach(ring: SharedArrayBuffer): void
  /** Has the pump look which rings nobody reads any more. */
  detach(ring: SharedArrayBuffer): void
}

export class Captures {
  readonly #name: string
  readonly #tunnel: Captured
  readonly #underlay: Underlay
  readonly #remotes: () => readonly KnownRemote[]
  readonly #running = new Set<AbortController>()

  /** @param name of the tunnel, the interface of the captures; `remotes`: what its peers were asked for as, and are */
  constructor(name: string, tunnel: Captured, underlay: Underlay, remotes: () => readonly KnownRemote[]) {
    this.#name = name
    this.#tunnel = tunnel
    this.#underlay = underlay
    this.#remotes = remotes
  }

  /**
   * Begins one, until `signal`: pcapng. The ring fills from now on, whether or not anybody reads.
   * @throws ConfigError TSGRE_BAD_FILTER, TSGRE_BAD_OPTION; StateError TSGRE_TOO_MANY_CAPTURES
   */
  start(wanted: CaptureWanted, signal: AbortSignal): AsyncIterable<Uint8Array> {
    if (this.#running.size >= MOST_CAPTURES) {
      const why = `${MOST_CAPTURES} captures of ${this.#name} go on already, and that is the most; end one of them`
      throw new StateError('TSGRE_TOO_MANY_CAPTURES', why)
    }
    const remote = this.#addressOf(wanted.remote)
    const memory = captureMemory(ringWants(wanted, this.#underlay))
    const reader = new CaptureReader(memory)
    const capture = new Capture(reader, this.#name, this.#underlay, { ...wanted, remote })
    const ended = new AbortController()
    const release = () => {
      signal.removeEventListener('abort', end)
      if (!this.#running.delete(ended)) return
      reader.close()
      this.#tunnel.detach(memory)
    }
    const end = () => {
      ended.abort()
      release()
    }
    ended.signal.addEventListener('abort', release, { once: true })
    this.#running.add(ended)
    this.#tunnel.attach(memory)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    return releasing(capture.chunks(ended.signal), release)
  }

  #addressOf(remote: string | undefined): string | undefined {
    if (remote === undefined) return undefined
    const { address } = remoteNamed(this.#remotes(), remote, this.#name)
    if (address !== undefined) return address
    const why = `${this.#name} knows no address of it now, so nothing goes there; try again when \`tsgre status\` shows one`
    throw new ConfigError('TSGRE_BAD_OPTION', 'remote', remote, `--remote ${remote}: ${why}`)
  }

  /** How many go on. */
  get running(): number {
    return this.#running.size
  }

  /** Ends all of them, with their statistics: the tunnel ends. */
  close(): void {
    for (const ended of [...this.#running]) ended.abort()
  }
}

/** A filter looks at whole packets; of others the pump copies no more than is kept. */
function ringWants({ side, dropsOnly, snaplen, filter }: CaptureWanted, { udpPort }: Underlay): RingWants {
  // A sum over the whole packet stands in front of it.
  const whole = !snaplen || filter !== undefined || (side === 'outer' && udpPort !== undefined)
  return {
    sides: side === 'inner' ? INNER : OUTER,
    dropsOnly: dropsOnly ?? false,
    snaplen: whole ? MOST_SNAPLEN : snaplen,
  }
}

async function* releasing(chunks: AsyncGenerator<Uint8Array>, release: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } finally {
    release()
  }
}
