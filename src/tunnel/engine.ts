// What drives a pump: a thread of its own, or the program's event loop.

import type { PumpCommand } from './pump-command.js'

export interface Engine {
  /** Resolves when frames are carried. */
  start(): Promise<void>
  /** Has the pump do this, soon and in order. */
  command(command: PumpCommand): void
  /** Resolves when nothing touches the ports any more. */
  stop(): Promise<void>
}

export interface EngineListener {
  /** A port is of no use any more: the end. */
  failed(error: unknown): void
  /** Something of the tunnel or its peers is another than before; the counters have it. */
  changed(): void
}
