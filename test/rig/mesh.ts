// Hosts in network namespaces on one underlay, each with a bridge and a container behind it, all containers in one network.
//
//   c1 eth0 ── veth0│br0  h1  eth1 ──│ lan │── eth1  h2  br0│veth0 ── eth0 c2   …

import { join } from 'node:path'
import { ask, type Question } from '#tsgre/daemon/control/client.js'
import type { Child } from './child.js'
import { tsgreArgv } from './daemon.js'
import { batch, Namespaces } from './namespaces.js'
import type { MeshNode, NodeName } from './topology.js'

export class Mesh extends Namespaces {
  readonly numbers: readonly number[]
  readonly nodes: readonly MeshNode[]

  constructor(hosts = 5) {
    super()
    this.numbers = Array.from({ length: hosts }, (_, i) => i + 1)
    this.nodes = ['lan', ...this.numbers.flatMap((i): MeshNode[] => [`h${i}`, `c${i}`])]
    this.build(() => this.#furnish())
  }

  #furnish(): void {
    const name = (node: MeshNode) => this.namespace(node)
    for (const node of this.nodes)
      this.execSync(node, ['sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'])
    batch(['link set lo up', 'link add br0 type bridge', 'link set br0 up'], '-n', name('lan'))
    for (const i of this.numbers) {
      batch([
        `link add eth1 netns ${name(`h${i}`)} type veth peer name p${i} netns ${name('lan')}`,
        `link add veth0 netns ${name(`h${i}`)} type veth peer name eth0 netns ${name(`c${i}`)}`,
      ])
      batch([`link set p${i} master br0 up`], '-n', name('lan'))
      const bridge = ['link add br0 type bridge', 'link set br0 up', 'link set veth0 master br0 up']
      const underlay = ['link set lo up', 'link set eth1 up', `address add ${this.address(`h${i}`)}/24 dev eth1`]
      batch([...underlay, ...bridge], '-n', name(`h${i}`))
      const container = ['link set lo up', 'link set eth0 up', `address add ${this.address(`c${i}`)}/16 dev eth0`]
      batch(container, '-n', name(`c${i}`))
    }
  }

  address(node: NodeName): string {
    const number = Number(node.slice(1))
    return node[0] === 'h' ? `192.168.56.${10 + number}` : `10.103.0.${number}`
  }

  /** A second path between the LANs of two hosts, beside the tunnels: the device `second` in both. */
  join(one: `h${number}`, other: `h${number}`): void {
    const [a, b] = [this.namespace(one), this.namespace(other)]
    batch([`link add second netns ${a} type veth peer name second netns ${b}`])
    for (const host of [one, other]) this.ip(host, 'link set second master br0 up')
  }

  /** Each host has its own: their instances have the same name. */
  override runFolder(node: NodeName): string {
    return `${super.runFolder(node)}-${node}`
  }

  /** Asks the control socket of host `i` without a process in between. */
  ask(i: number, question: Question): Promise<string> {
    return ask(join(this.runFolder(`h${i}`), 'tap0.sock'), question)
  }

  /** The command in host `i`, with all others as its remotes, once it is up. */
  async host(i: number, ...args: string[]): Promise<Child> {
    const others = this.numbers
      .filter((other) => other !== i)
      .flatMap((other) => ['--remote', this.address(`h${other}`)])
    return await this.daemon(i, ...others, ...args)
  }

  /** The same with remotes of one's own. */
  async daemon(i: number, ...args: string[]): Promise<Child> {
    const child = this.spawn(`h${i}`, tsgreArgv(['--tap', 'tap0', '--bridge', 'br0', ...args]))
    await child.waitFor(/^tsgre: tap0 up/)
    return child
  }

  /** All of them, each connected to all others; by number. */
  async all(...args: string[]): Promise<Map<number, Child>> {
    const started = this.numbers.map(async (i) => [i, await this.host(i, ...args)] as const)
    return new Map(await Promise.all(started))
  }

  // biome-ignore lint/suspicious/noExplicitAny: the JSON of status
  async status(i: number): Promise<any> {
    return JSON.parse(await this.ask(i, { path: '/v1/status' })).tunnels[0]
  }

  /** Every container has reached every other one. */
  async reachAll(): Promise<void> {
    const pairs = this.numbers.flatMap((a) => this.numbers.filter((b) => b !== a).map((b) => [a, b] as const))
    await Promise.all(pairs.map(([a, b]) => this.reach(`c${a}`, `c${b}`)))
  }
}
