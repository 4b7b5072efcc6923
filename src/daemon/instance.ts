// A running tsgre as others see it: what the control socket, the metrics and the service manager may ask of it and tell it.
// Not how it is done. Invariant: nothing here waits for the pumps, save what says so by its promise.

import type { FdbEntry } from '../tunnel/peer-stats.js'
import type { CaptureWanted } from './capture/wanted.js'
import type { InstanceStatus } from './status.js'

/** `tunnel` is the name of a TAP; undefined stands for the only one, and is refused (ConfigError) where there are several. */
export interface Instance {
  readonly name: string
  /** Cheap: shared memory alone. */
  status(): InstanceStatus
  /** Why it would be better started again, as a sentence (a pump that does not turn); undefined while all is well. */
  ill(): string | undefined
  /** `spec` as `--remote` takes it. The address it has; undefined while its name has none. */
  addPeer(tunnel: string | undefined, spec: string): Promise<string | undefined>
  removePeer(tunnel: string | undefined, remote: string): Promise<void>
  /** Of one remote alone, or all; a stranger is refused (ConfigError), here and there. */
  fdb(tunnel: string | undefined, remote: string | undefined): FdbEntry[]
  flushFdb(tunnel: string | undefined, remote: string | undefined): void
  /** What changed, as sentences. A ConfigError when the file is bad; then nothing changed. */
  reload(): Promise<{ changed: readonly string[] }>
  /** pcapng. The first piece comes at once, before there is a packet; a refusal comes before it. */
  capture(tunnel: string | undefined, wanted: CaptureWanted, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Asks it to end; returns before it has. */
  stop(): void
}
