// Two hosts in network namespaces of this machine, joined by an underlay, each with a bridge and a container behind it.
// Whatever is started here ends, and whatever is made here goes, with close() or with this process, however it ends
// short of SIGKILL. All names carry this process's pid.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Capture } from './capture.js'
import { Child, type ChildOptions } from './child.js'
import { closeWithProcess } from './close-with-process.js'
import type { Daemon, DaemonOptions } from './daemon.js'
import { removeNamespace } from './leftovers.js'
import { Rig } from './rig.js'
import {
  addressOf,
  cables,
  type Family,
  type HostName,
  type HostsOptions,
  LINK_LOCAL,
  middleRoutes,
  type NodeName,
  networkOf,
  nodesOf,
  setupOf,
} from './topology.js'

const HOSTS: readonly HostName[] = ['A', 'B']
const SAYING_NO_GRE = [
  'icmp type destination-unreachable',
  'icmpv6 type destination-unreachable',
  'icmpv6 type parameter-problem',
]
const open = new Set<Hosts>()
let made = 0

function closeAll(): void {
  for (const rig of open) rig.close()
}

function batch(lines: readonly string[], ...before: string[]): void {
  execFileSync('ip', [...before, '-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'pipe'] })
}

export class Hosts extends Rig {
  readonly options: HostsOptions
  readonly nodes: readonly NodeName[]
  readonly #prefix: string
  readonly #folder: string
  readonly #children = new Set<Child>()
  #files = 0
  #closed = false

  constructor(options: HostsOptions = {}) {
    super()
    if (process.getuid?.() !== 0) throw new Error('network namespaces need root: run this as root')
    if (made === 0) closeWithProcess(closeAll)
    this.options = options
    this.nodes = nodesOf(options)
    this.#prefix = `tsgre-${process.pid}${made === 0 ? '' : `.${made}`}`
    made++
    // Named like the namespaces: the test runner finds by it whose namespaces to look for.
    this.#folder = mkdtempSync(join(tmpdir(), `${this.#prefix}-`))
    open.add(this)
    try {
      this.#build()
    } catch (error) {
      this.close()
      throw error
    }
  }

  #build(): void {
    const name = (node: NodeName) => this.namespace(node)
    batch(this.nodes.map((node) => `netns add ${name(node)}`))
    const setups = this.nodes.map((node) => ({ node, ...setupOf(this.options, node) }))
    for (const { node, sysctl } of setups) this.execSync(node, ['sysctl', '-qw', ...sysctl])
    batch(cables(this.options, name))
    for (const { node, links } of setups) batch(links, '-n', name(node))
  }

  namespace(node: NodeName): string {
    return `${this.#prefix}-${node}`
  }

  address(node: NodeName, family: Family = 4): string {
    return addressOf(this.options, node, family)
  }

  /** Of eth1. Not reachable through a middle. */
  linkLocal(host: HostName): string {
    return LINK_LOCAL[host]
  }

  /** Of the containers behind a host, in a routed overlay. */
  network(host: HostName): string {
    return networkOf(host)
  }

  /** A path nobody has used, in a folder that goes with the rig. */
  file(extension: string): string {
    return join(this.#folder, `${this.#files++}.${extension}`)
  }

  #argv(node: NodeName, argv: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.namespace(node), ...argv]
  }

  /** Starts a program and remembers it. `ip netns exec` becomes the program, so the pid is the program's. */
  spawn(node: NodeName, argv: readonly string[], options: ChildOptions = {}): Child {
    // Journals of daemons that a test kills go with the rig.
    const env = { TSGRE_RUN_DIR: join(this.#folder, 'run'), ...options.env }
    const child = new Child(this.#argv(node, argv), { ...options, env })
    this.#children.add(child)
    child.ended.then(() => this.#children.delete(child))
    return child
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

  capture(node: NodeName, dev: string, filter?: string): Promise<Capture> {
    return Capture.start(this, node, dev, filter)
  }

  /** No segmentation, no coalescing, no checksums left to the hardware: what is on the cable is what a wire would carry. */
  offloadsOff(node: NodeName, dev: string): void {
    this.execSync(node, ['ethtool', '-K', dev, 'tx', 'off', 'tso', 'off', 'gso', 'off', 'gro', 'off'])
  }

  /** The largest packet the middle forwards, either way. */
  middleMtu(mtu: number): void {
    batch(middleRoutes(mtu), '-n', this.namespace('mid'))
  }

  /** What the middle does to packets it forwards, as nft rules: `ip protocol gre numgen random mod 100 < 5 drop`. Replaces the rules before. */
  middleRules(rules: readonly string[]): void {
    this.#filter('mid', 'forward', rules)
  }

  /** Until both are up no host tells the other that nobody takes GRE there: who is up first would count it as `peer-refused`. */
  override async tunnel(args?: readonly string[], options?: DaemonOptions): Promise<{ A: Daemon; B: Daemon }> {
    for (const host of HOSTS)
      this.#filter(
        host,
        'output',
        SAYING_NO_GRE.map((message) => `${message} drop`),
      )
    try {
      return await super.tunnel(args, options)
    } finally {
      if (!this.#closed) for (const host of HOSTS) this.execSync(host, ['nft', 'delete table inet rig'])
    }
  }

  #filter(node: NodeName, hook: 'forward' | 'output', rules: readonly string[]): void {
    const chain = [`type filter hook ${hook} priority 0`, ...rules].join('\n')
    this.execSync(
      node,
      ['nft', '-f', '-'],
      `table inet rig\ndelete table inet rig\ntable inet rig { chain ${hook} {\n${chain}\n}\n}\n`,
    )
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
