// What a command line or a configuration file comes to: one process with its tunnels. Nothing is looked up yet.

import type { DaemonOptions } from '../run-daemon.js'

export type LogFormat = 'auto' | 'pretty' | 'json'
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Where metrics are served. */
export interface Listen {
  readonly address: string
  readonly port: number
}

/** What is asked of the process, not of a tunnel. */
export interface InstanceOptions {
  json?: boolean | undefined
  metrics?: Listen | undefined
  logFormat?: LogFormat | undefined
  logLevel?: LogLevel | undefined
}

/** What is asked of one tunnel, as the daemon takes it. */
export type TunnelWishes = Omit<DaemonOptions, 'logger' | 'signal' | 'prepare' | 'up'>

/** One process: its name, its configuration file where there is one, its tunnels. Plain data but for `placed`. */
export interface Wanted extends InstanceOptions {
  readonly name: string
  readonly file: string | undefined
  readonly tunnels: readonly TunnelWishes[]
  /** A refusal of the tunnel on `tap` with its place in the file; anything else as it is. */
  readonly placed?: (error: unknown, tap: string) => unknown
}
