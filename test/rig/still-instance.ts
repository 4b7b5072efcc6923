// An Instance that carries nothing: it answers with what a test gave it, and writes down what it was told. The program's own seam
// between daemon and control socket; sockets, server and client around it are the real ones.

import type { CaptureWanted } from '#tsgre/daemon/capture/wanted.js'
import type { Instance } from '#tsgre/daemon/instance.js'
import type { InstanceStatus } from '#tsgre/daemon/status.js'
import { ConfigError } from '#tsgre/errors.js'
import type { FdbEntry } from '#tsgre/tunnel/peer-stats.js'
import { instanceStatus, peerStatus, tunnelStatus } from './statuses.js'

export class StillInstance implements Instance {
  readonly name: string
  readonly told: unknown[][] = []
  now: () => InstanceStatus
  illness: string | undefined
  entries: FdbEntry[] = []
  /** What a capture gives; endless unless replaced. */
  pieces: (signal: AbortSignal) => AsyncIterable<Uint8Array> = endless
  captures = 0
  onStop = () => {}

  constructor(name = 'hosts') {
    this.name = name
    this.now = () => instanceStatus([tunnelStatus([peerStatus('192.168.56.5')])], { name })
  }

  status(): InstanceStatus {
    return this.now()
  }

  ill(): string | undefined {
    return this.illness
  }

  async addPeer(...args: [string | undefined, string]): Promise<string | undefined> {
    this.told.push(['addPeer', ...args])
    if (args[1] === 'bad') throw new ConfigError('TSGRE_NOT_AN_ADDRESS', 'remote', 'bad', '--remote bad: no address')
    return args[1].split(',')[0]
  }

  async removePeer(...args: [string | undefined, string]): Promise<void> {
    this.told.push(['removePeer', ...args])
  }

  fdb(...args: [string | undefined, string | undefined]): FdbEntry[] {
    this.told.push(['fdb', ...args])
    return this.entries
  }

  flushFdb(...args: [string | undefined, string | undefined]): void {
    this.told.push(['flushFdb', ...args])
  }

  async reload(): Promise<{ changed: readonly string[] }> {
    return { changed: ['tap0: 192.168.56.6 was added'] }
  }

  async *capture(tunnel: string | undefined, wanted: CaptureWanted, signal: AbortSignal): AsyncIterable<Uint8Array> {
    this.told.push(['capture', tunnel, wanted])
    if (tunnel === 'none') throw new ConfigError('TSGRE_BAD_TAP', 'tunnel', tunnel, 'no tunnel on none')
    this.captures++
    try {
      yield* this.pieces(signal)
    } finally {
      this.captures--
    }
  }

  stop(): void {
    this.told.push(['stop'])
    this.onStop()
  }
}

async function* endless(signal: AbortSignal): AsyncIterable<Uint8Array> {
  for (let i = 0; !signal.aborted; i++) yield new Uint8Array(65536).fill(i)
}
