// Processes that answer on a control socket as a tsgre does, in a run directory of the test's own, and the command beside them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child, completion, type Ended } from './child.js'
import { closeWithProcess } from './close-with-process.js'
import { tsgreArgv } from './daemon.js'

const SERVER = fileURLToPath(new URL('./instance-server.js', import.meta.url))
const COMMAND_AS = fileURLToPath(new URL('./command-as.js', import.meta.url))

export interface StartOptions {
  /** In front of the program: `ip netns exec NAME`. */
  readonly before?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** In place of the one that answers. */
  readonly program?: string
}

export interface Started {
  readonly child: Child
  readonly path: string
  readonly warning: string
}

export class Instances {
  /** The run directory. */
  readonly folder = mkdtempSync(join(tmpdir(), 'tsgre-instances-'))
  readonly #children: Child[] = []

  constructor() {
    closeWithProcess(() => this.close())
  }

  get env(): NodeJS.ProcessEnv {
    const { NO_COLOR: _, ...env } = process.env
    return { ...env, TSGRE_RUN_DIR: this.folder }
  }

  /** Started, and its socket there. */
  async start(name: string, { before = [], env = {}, program = SERVER }: StartOptions = {}): Promise<Started> {
    const child = new Child([...before, process.execPath, program, name], { env: { ...this.env, ...env } })
    this.#children.push(child)
    const line = await child.waitFor(/^ready /)
    const [, path = '', warning = ''] = /^ready (\S+) ?(.*)$/.exec(line) ?? []
    return { child, path, warning }
  }

  /** The command to its end. */
  tsgre(args: readonly string[], { before = [], env = {} }: StartOptions = {}): Promise<Ended> {
    return completion(new Child([...before, ...tsgreArgv(args)], { env: { ...this.env, ...env } }), 30_000, true)
  }

  /** A command as another user, `UID` or `UID:GROUP`. */
  as(user: string, command: 'status' | 'stop' | 'reload'): Promise<Ended> {
    return completion(new Child([process.execPath, COMMAND_AS, user, command], { env: this.env }), 30_000, true)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.splice(0).map((child) => child.stop()))
  }

  close(): void {
    for (const child of this.#children) child.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
