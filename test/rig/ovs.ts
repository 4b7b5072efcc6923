// Open vSwitch's user-space datapath as the tunnel of one host: a peer that shares no code with us.
// It puts the underlay address on a bridge of its own and takes the container's cable out of docker0, so the overlay is flat.
// Invariant: two programs of the rig and a folder of the rig's; no system daemon, no kernel module.

import { mkdirSync } from 'node:fs'
import type { Child } from './child.js'
import type { Hosts } from './hosts.js'
import { type Family, type HostName, otherHost } from './topology.js'

export interface OvsOptions {
  key?: number
  csum?: boolean
  /** Of the outer packets. */
  family?: Family
  /** How it gets at eth1 and at the container's cable: through packet sockets unless given. */
  ports?: 'afxdp'
  /** Of its threads that poll without sleeping, which `afxdp` has. */
  pmdCpuMask?: number
}

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'

export class Ovs {
  readonly #rig: Hosts
  readonly #host: HostName
  readonly #folder: string
  readonly #programs: Child[] = []

  private constructor(rig: Hosts, host: HostName) {
    this.#rig = rig
    this.#host = host
    this.#folder = rig.file('ovs')
    mkdirSync(this.#folder)
  }

  /** The first frame may still wait for ARP between the hosts: `rig.reach` waits with it. */
  static async start(rig: Hosts, host: HostName, options: OvsOptions = {}): Promise<Ovs> {
    if (rig.options.overlay !== 'flat' || rig.options.middle) {
      throw new Error('the rig runs Open vSwitch in a flat overlay without a middle only')
    }
    const ovs = new Ovs(rig, host)
    try {
      await ovs.#startPrograms()
      await ovs.#plug(options)
      return ovs
    } catch (error) {
      await ovs.stop()
      throw error
    }
  }

  /** Ends it and gives eth1 its addresses and docker0 its cable back. */
  async stop(): Promise<void> {
    for (const program of this.#programs.splice(0).reverse()) await program.stop()
    // Open vSwitch leaves its TAPs to its next start.
    for (const dev of ['br-int', 'br-phy', 'ovs-netdev']) {
      await this.#rig.exec(this.#host, ['ip', 'link', 'del', dev], { anyCode: true })
    }
    for (const address of this.#underlayAddresses())
      this.#rig.ip(this.#host, `address replace ${address} dev eth1 nodad`)
    this.#rig.ip(this.#host, 'link set veth0 master docker0')
  }

  /** ovs-vsctl on this host's database; returns stdout. */
  async vsctl(...args: string[]): Promise<string> {
    const argv = ['ovs-vsctl', `--db=unix:${this.#folder}/db.sock`, '--retry', '-t', '20', ...args]
    return (await this.#rig.exec(this.#host, argv, { env: this.#environment() })).stdout
  }

  /** ovs-appctl on this host's switch, for example `dpctl/dump-flows`; returns stdout. */
  async appctl(...args: string[]): Promise<string> {
    const argv = ['ovs-appctl', '-t', `${this.#folder}/ovs-vswitchd.ctl`, ...args]
    return (await this.#rig.exec(this.#host, argv, { env: this.#environment() })).stdout
  }

  /** Every place Open vSwitch would otherwise share with an installation of the machine. */
  #environment(): NodeJS.ProcessEnv {
    const folder = this.#folder
    return { OVS_RUNDIR: folder, OVS_DBDIR: folder, OVS_LOGDIR: folder, OVS_SYSCONFDIR: folder }
  }

  #underlayAddresses(): string[] {
    const [rig, host] = [this.#rig, this.#host]
    return [`${rig.address(host, 4)}/24`, `${rig.address(host, 6)}/64`, `${rig.linkLocal(host)}/64`]
  }

  #start(program: string, ...args: string[]): Child {
    const own = [`--unixctl=${this.#folder}/${program}.ctl`, '--no-chdir', '-vconsole:warn', '-vsyslog:off']
    const child = this.#rig.spawn(this.#host, [program, ...args, ...own], { env: this.#environment() })
    this.#programs.push(child)
    return child
  }

  async #startPrograms(): Promise<void> {
    const [database, socket] = [`${this.#folder}/conf.db`, `${this.#folder}/db.sock`]
    await this.#rig.exec(this.#host, ['ovsdb-tool', 'create', database, SCHEMA])
    this.#start('ovsdb-server', database, `--remote=punix:${socket}`)
    // With --retry ovs-vsctl waits for the socket to be there.
    await this.vsctl('--no-wait', 'init')
    this.#start('ovs-vswitchd', `unix:${socket}`)
  }

  async #plug(options: OvsOptions): Promise<void> {
    const { key, csum = false, family = 4, ports, pmdCpuMask } = options
    const [rig, host] = [this.#rig, this.#host]
    // Open vSwitch 3.1 cannot put a packet whose checksum or segmentation was left to the hardware into a tunnel.
    for (const dev of ['eth1', 'veth0']) rig.offloadsOff(host, dev)
    rig.offloadsOff(host === 'A' ? 'cA' : 'cB', 'eth0')
    rig.ip(host, 'link set veth0 nomaster')
    // Its TAPs would speak up in the overlay with link-local addresses of their own.
    rig.execSync(host, ['sysctl', '-qw', 'net.ipv6.conf.default.addr_gen_mode=1'])
    const [{ address: mac }] = rig.ipJson(host, 'link show eth1')
    const bridge = (name: string) => [
      '--',
      'add-br',
      name,
      '--',
      'set',
      'bridge',
      name,
      'datapath_type=netdev',
      'fail-mode=standalone',
    ]
    const port = (name: string, to: string) => [
      ...['--', 'add-port', to, name],
      ...(ports ? ['--', 'set', 'interface', name, `type=${ports}`] : []),
    ]
    const remote = `options:remote_ip=${rig.address(otherHost(host), family)}`
    const gre = ['type=gre', remote, `options:csum=${csum}`, ...(key === undefined ? [] : [`options:key=${key}`])]
    if (pmdCpuMask)
      await this.vsctl('set', 'Open_vSwitch', '.', `other_config:pmd-cpu-mask=0x${pmdCpuMask.toString(16)}`)
    await this.vsctl(...bridge('br-phy'), `other_config:hwaddr="${mac}"`, ...port('eth1', 'br-phy'))
    rig.ip(host, 'address flush dev eth1')
    rig.ip(host, 'link set br-phy up')
    for (const address of this.#underlayAddresses()) rig.ip(host, `address replace ${address} dev br-phy nodad`)
    await this.vsctl(
      ...bridge('br-int'),
      ...port('veth0', 'br-int'),
      ...['--', 'add-port', 'br-int', 'gre0', '--', 'set', 'interface', 'gre0', ...gre],
    )
    for (const dev of ['eth1', 'veth0']) await this.#checkPort(dev)
    rig.ip(host, 'link set br-int up')
  }
  /** ovs-vsctl succeeds with a port that the switch could not open, too. */
  async #checkPort(dev: string): Promise<void> {
    const error = (await this.vsctl('get', 'interface', dev, 'error')).trim()
    if (error !== '[]') throw new Error(`Open vSwitch cannot use ${dev}: ${error}`)
  }
}
