// What drives a pump: a thread of its own, or the program's event loop.

export interface Engine {
  /** Resolves when frames are carried. */
  start(): Promise<void>
  /** While paused no frame is sent; packets are still received. */
  pause(paused: boolean): void
  /** Resolves when nothing touches the ports any more. */
  stop(): Promise<void>
}

export interface EngineListener {
  /** A port is of no use any more: the end. */
  failed(error: unknown): void
  /** The tunnel MTU is another than before; the counters have it. */
  tunnelMtu(): void
}
