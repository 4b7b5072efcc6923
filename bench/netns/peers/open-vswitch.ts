// Open vSwitch's user-space datapath, type=gre, by the two ways it has to a network interface.

import { Ovs, type OvsOptions } from '../../../test/rig/ovs.js'
import type { HostName } from '../../../test/rig/topology.js'
import { GRE_OVERHEAD, HOSTS, type Peer } from './peer.js'

function openVswitch(name: string, title: string, about: string, options: (host: HostName) => OvsOptions): Peer {
  return {
    name,
    title,
    about: `Open vSwitch, user-space datapath ${about}, type=gre; veth offloads off, as it needs`,
    kind: 'other',
    overhead: GRE_OVERHEAD,
    async up(rig) {
      const switches = await Promise.all(HOSTS.map((host) => Ovs.start(rig, host, options(host))))
      return { down: () => Promise.all(switches.map((one) => one.stop())) }
    },
  }
}

export const ovs = openVswitch('ovs', 'Open vSwitch, AF_PACKET', 'over AF_PACKET', () => ({}))

/** Each switch has a thread that never sleeps; without a mask both would choose the same core. */
export const ovsAfxdp = openVswitch(
  'ovs-afxdp',
  'Open vSwitch, AF_XDP',
  'over AF_XDP, a core of its own kept busy on each host',
  (host) => ({ ports: 'afxdp', pmdCpuMask: host === 'A' ? 0x1 : 0x2 }),
)
