// Two hosts in network namespaces of this machine, joined by an underlay, each with a bridge and a container behind it.

import { Capture } from './capture.js'
import type { Daemon, DaemonOptions } from './daemon.js'
import { batch, Namespaces } from './namespaces.js'
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

export class Hosts extends Namespaces {
  readonly options: HostsOptions
  readonly nodes: readonly NodeName[]

  constructor(options: HostsOptions = {}) {
    super()
    this.options = options
    this.nodes = nodesOf(options)
    this.build(() => this.#furnish())
  }

  #furnish(): void {
    const name = (node: NodeName) => this.namespace(node)
    const setups = this.nodes.map((node) => ({ node, ...setupOf(this.options, node) }))
    for (const { node, sysctl } of setups) this.execSync(node, ['sysctl', '-qw', ...sysctl])
    batch(cables(this.options, name))
    for (const { node, links } of setups) batch(links, '-n', name(node))
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
      if (!this.closed) for (const host of HOSTS) this.execSync(host, ['nft', 'delete table inet rig'])
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
}
