// The real command, started in one of the two hosts: up when it has said so, its summary when it has been stopped.

import { fileURLToPath } from 'node:url'
import type { Child } from './child.js'
import type { Rig } from './rig.js'
import { type Family, type HostName, otherHost } from './topology.js'

export interface DaemonOptions {
  /** Ask for JSON lines and parse them. On unless given. */
  json?: boolean
  /** Of the remote address, where the arguments do not name one. */
  family?: Family
  env?: NodeJS.ProcessEnv
  timeoutMs?: number
  /** Another build's command, in place of the one under test. */
  bin?: string | undefined
}

export interface DaemonEnd {
  code: number | null
  signal: NodeJS.Signals | null
  /** The line it printed at its end, parsed in JSON mode; undefined when it had no time to. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the command prints; the tests know
  summary: any
  stdout: string
  stderr: string
}

const COMMAND = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

/** The command under test: TSGRE_BIN, a program or a script for node, takes the place of the compiled one. */
export function tsgreArgv(args: readonly string[], bin = process.env.TSGRE_BIN ?? COMMAND): string[] {
  return bin.endsWith('.js') ? [process.execPath, bin, ...args] : [bin, ...args]
}

function has(args: readonly string[], name: string): boolean {
  return args.some((arg) => arg === name || arg.startsWith(`${name}=`))
}

// biome-ignore lint/suspicious/noExplicitAny: as DaemonEnd.summary
function parsed(line: string | undefined): any {
  try {
    return JSON.parse(line ?? '')
  } catch {
    return undefined
  }
}

/** `{"event":"up",…}`, or `tsgre: tap0 up: …`. */
function tells(event: 'up' | 'down', line: string, json: boolean): boolean {
  return json ? parsed(line)?.event === event : line.split(/[ :]+/)[2] === event
}

export class Daemon {
  readonly child: Child
  /** What it printed when it came up, parsed in JSON mode. */
  // biome-ignore lint/suspicious/noExplicitAny: as DaemonEnd.summary
  readonly up: any
  readonly #json: boolean

  // biome-ignore lint/suspicious/noExplicitAny: as DaemonEnd.summary
  private constructor(child: Child, up: any, json: boolean) {
    this.child = child
    this.up = up
    this.#json = json
  }

  /** `args` win over what the rig gives by itself: --remote (the other host), --tap tap0, --json. Rejects with the stderr. */
  static async start(rig: Rig, host: HostName, args: readonly string[] = [], options: DaemonOptions = {}) {
    const { json = true, family = 4, env, timeoutMs, bin } = options
    const given = [
      ...(has(args, '--remote') ? [] : ['--remote', rig.address(otherHost(host), family)]),
      ...(has(args, '--tap') ? [] : ['--tap', 'tap0']),
      ...(json ? ['--json'] : []),
    ]
    const child = rig.spawn(host, tsgreArgv([...given, ...args], bin), { env })
    const line = await child.waitFor((line) => tells('up', line, json), timeoutMs)
    return new Daemon(child, json ? parsed(line) : line, json)
  }

  get pid(): number {
    return this.child.pid
  }

  get lines(): readonly string[] {
    return this.child.lines
  }

  get stdout(): string {
    return this.child.stdout
  }

  get stderr(): string {
    return this.child.stderr
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs?: number): Promise<DaemonEnd> {
    const ended = await this.child.stop(signal, graceMs)
    const last = this.lines.find((line) => tells('down', line, this.#json))
    return { ...ended, summary: this.#json ? parsed(last) : last }
  }
}
