// A rig whose nodes are network namespaces of this machine: it makes them, runs programs in them, keeps a folder for files.
// Whatever is started here ends, and whatever is made here goes, with close() or with this process, however it ends
// short of SIGKILL. All names carry this process's pid.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child, type ChildOptions } from './child.js'
import { closeWithProcess } from './close-with-process.js'
import { removeNamespace } from './leftovers.js'
import { Rig } from './rig.js'
import type { NodeName } from './topology.js'

const open = new Set<Namespaces>()
let made = 0

function closeAll(): void {
  for (const rig of open) rig.close()
}

/** Lines for `ip -batch`; `before` them, as in '-n', a namespace. */
export function batch(lines: readonly string[], ...before: string[]): void {
  execFileSync('ip', [...before, '-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'pipe'] })
}

export abstract class Namespaces extends Rig {
  readonly #prefix = `tsgre-${process.pid}${made === 0 ? '' : `.${made}`}`
  readonly #folder: string
  readonly #children = new Set<Child>()
  #files = 0
  #closed = false

  constructor() {
    super()
    if (process.getuid?.() !== 0) throw new Error('network namespaces need root: run this as root')
    if (made++ === 0) closeWithProcess(closeAll)
    // Named like the namespaces: the test runner finds by it whose namespaces to look for.
    this.#folder = mkdtempSync(join(tmpdir(), `${this.#prefix}-`))
    open.add(this)
  }

  /** Makes a namespace of every node, then runs `furnish` in them. */
  protected build(furnish: () => void): void {
    try {
      batch(this.nodes.map((node) => `netns add ${this.namespace(node)}`))
      furnish()
    } catch (error) {
      this.close()
      throw error
    }
  }

  get closed(): boolean {
    return this.#closed
  }

  namespace(node: NodeName): string {
    return `${this.#prefix}-${node}`
  }

  /** A path nobody has used, in a folder that goes with the rig. */
  file(extension: string): string {
    return join(this.#folder, `${this.#files++}.${extension}`)
  }

  /** Where tsgre keeps sockets and journals, so that those of daemons that a test kills go with the rig. */
  runFolder(_node: NodeName): string {
    return join(this.#folder, 'run')
  }

  /** Starts a program and remembers it. `ip netns exec` becomes the program, so the pid is the program's. */
  spawn(node: NodeName, argv: readonly string[], options: ChildOptions = {}): Child {
    const env = { TSGRE_RUN_DIR: this.runFolder(node), ...options.env }
    const child = new Child(this.#argv(node, argv), { ...options, env })
    this.#children.add(child)
    child.ended.then(() => this.#children.delete(child))
    return child
  }

  #argv(node: NodeName, argv: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.namespace(node), ...argv]
  }

  /** Returns stdout; throws, with stderr in the message, when the program fails. */
  execSync(node: NodeName, argv: readonly string[], input = ''): string {
    const [program, ...args] = this.#argv(node, argv)
    return execFileSync(program!, args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], timeout: 30_000 })
  }

  /** `ip` in a node, words separated by spaces: ip('A', 'link set eth1 down'). Returns stdout. */
  ip(node: NodeName, command: string): string {
    return execFileSync('ip', ['-n', this.namespace(node), ...command.split(' ')], { encoding: 'utf8', stdio: 'pipe' })
  }

  /** What `ip -json` prints, parsed: ipJson('A', 'link show tap0')[0].mtu. */
  // biome-ignore lint/suspicious/noExplicitAny: iproute2's objects have too many shapes
  ipJson(node: NodeName, command: string): any[] {
    return JSON.parse(this.ip(node, `-json -details ${command}`) || '[]')
  }

  /** Kills every program in the namespaces, ours or theirs, and removes everything. Twice is once. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    open.delete(this)
    for (const child of this.#children) child.kill('SIGKILL')
    for (const node of this.nodes) removeNamespace(this.namespace(node))
    rmSync(this.#folder, { recursive: true, force: true })
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
