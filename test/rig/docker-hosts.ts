// Two hosts A and B with a real dockerd each, joined by a cable as the two of hosts.ts are, and a container on each.
//
//   cA eth0 ── docker0  A  eth1 ── eth1  B  docker0 ── eth0 cB

import { execFileSync } from 'node:child_process'
import { Child, type ChildOptions } from './child.js'
import { DockerHost } from './docker-host.js'
import { Rig } from './rig.js'
import { type HostName, type NodeName, otherHost } from './topology.js'

export interface DockerHostsOptions {
  /** More flags for both dockerds. */
  flags?: string
  /** Which iptables they, and tsgre, find in PATH. 'nft' unless given. */
  iptables?: 'nft' | 'legacy'
}

const UNDERLAY = { A: '192.168.56.4', B: '192.168.56.5' }

export class DockerHosts extends Rig {
  readonly nodes = ['A', 'B', 'cA', 'cB'] as const
  readonly A: DockerHost
  readonly B: DockerHost
  readonly #children = new Set<Child>()
  readonly #containers = new Map<NodeName, { pid: string; address: string }>()

  private constructor(A: DockerHost, B: DockerHost) {
    super()
    this.A = A
    this.B = B
  }

  /** Both engines run, with Docker's own network on both, and have the image `box`. */
  static async start({ flags = '', iptables = 'nft' }: DockerHostsOptions = {}): Promise<DockerHosts> {
    const rig = new DockerHosts(await DockerHost.open(), await DockerHost.open())
    try {
      rig.#cable()
      await Promise.all(
        [rig.A, rig.B].map(async (host) => {
          host.useIptables(iptables)
          host.setFlags(flags)
          await host.systemctl('start')
          await host.importBox()
        }),
      )
      return rig
    } catch (error) {
      rig.close()
      throw error
    }
  }

  host(name: HostName): DockerHost {
    return this[name]
  }

  #cable(): void {
    const lines = [`link add eth1 netns ${this.A.name} type veth peer name eth1 netns ${this.B.name}`]
    for (const name of ['A', 'B'] as const) {
      const inside = [`address add ${UNDERLAY[name]}/24 dev eth1`, 'link set eth1 up']
      execFileSync('ip', ['-batch', '-'], { input: lines.splice(0).join('\n') })
      execFileSync('ip', ['-n', this[name].name, '-batch', '-'], { input: inside.join('\n') })
    }
  }

  spawn(node: NodeName, argv: readonly string[], options?: ChildOptions): Child {
    const host = node === 'A' || node === 'cA' ? this.A : this.B
    const container = this.#containers.get(node)
    // A container's programs come from the host: the image has nothing but busybox.
    const child = container
      ? new Child(['nsenter', '-t', container.pid, '-n', '--', ...argv], options)
      : host.spawn(argv, options)
    this.#children.add(child)
    child.ended.then(() => this.#children.delete(child))
    return child
  }

  address(node: NodeName): string {
    if (node === 'A' || node === 'B') return UNDERLAY[node]
    return this.#containers.get(node)!.address
  }

  /** docker0's network, as `--route` of the other host wants it. */
  async network(host: HostName): Promise<string> {
    const { stdout } = await this[host].run('ip', ...'-4 route show dev docker0 proto kernel'.split(' '))
    return stdout.split(' ')[0]!
  }

  /** Starts the container of a host, or starts it again; `options` of `docker run`, without blanks in their values. */
  async container(host: HostName, options = ''): Promise<void> {
    const name = host === 'A' ? 'cA' : 'cB'
    await this[host].docker(`rm -f ${name}`).catch(() => {})
    await this[host].docker(
      `run -d --name ${name} --stop-signal KILL ${options && `${options} `}box /busybox sleep 1000000`,
    )
    const format = '{{.State.Pid}}/{{.NetworkSettings.IPAddress}}'
    const [pid = '', address = ''] = (await this[host].docker(`inspect -f ${format} ${name}`)).trim().split('/')
    this.#containers.set(name, { pid, address })
  }

  /** `--route` with the other host's network. */
  async route(host: HostName): Promise<string[]> {
    return ['--route', await this.network(otherHost(host))]
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    this.A.close()
    this.B.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
