// What is measured side by side: each peer joins the two containers of a fresh rig in its own way.
// Another one is another object here. What a peer starts in the hosts is what "the tunnel's processes" means.

import { resolve } from 'node:path'
import type { Hosts } from '../../test/rig/hosts.js'
import { Ovs } from '../../test/rig/ovs.js'
import type { HostName } from '../../test/rig/topology.js'

export interface Peer {
  readonly name: string
  /** What it is, for the report. */
  readonly about: string
  /** MTU of the containers' eth0: what fits the tunnel without a fragment. */
  readonly containerMtu: number
  /** Joins the containers; `down` ends it properly and may return what it says of itself, for the record. */
  up(rig: Hosts): Promise<{ down(): Promise<unknown> }>
}

const HOSTS: readonly HostName[] = ['A', 'B']
const UNDERLAY_MTU = 1500
const TUNNEL_MTU = 1462

const direct: Peer = {
  name: 'direct',
  about: 'no tunnel: the underlay veth is a port of the bridge',
  containerMtu: UNDERLAY_MTU,
  async up(rig) {
    for (const host of HOSTS) {
      rig.ip(host, 'address flush dev eth1')
      rig.ip(host, 'link set eth1 master docker0')
    }
    return { down: async () => {} }
  },
}

const ovs: Peer = {
  name: 'ovs',
  about: 'Open vSwitch, user-space datapath over AF_PACKET, type=gre; veth offloads off, as it needs',
  containerMtu: TUNNEL_MTU,
  async up(rig) {
    const switches = await Promise.all(HOSTS.map((host) => Ovs.start(rig, host)))
    return { down: () => Promise.all(switches.map((one) => one.stop())) }
  },
}

function tsgre(name: string, about: string, args: readonly string[] = [], bin?: string): Peer {
  return {
    name,
    about,
    containerMtu: TUNNEL_MTU,
    async up(rig) {
      const daemons = await rig.tunnel(['--bridge', 'docker0', ...args], { bin })
      return {
        down: async () => (await Promise.all(HOSTS.map((host) => daemons[host].stop()))).map((end) => end.summary),
      }
    },
  }
}

export const PEERS: readonly Peer[] = [
  direct,
  ovs,
  tsgre('raw-socket', 'tsgre --io raw-socket: the npm package, one packet an event', ['--io', 'raw-socket']),
  tsgre('tsgre', 'tsgre as it comes (--io mmsg)'),
]

/** A peer by its name; NAME=PATH is the command of another build, to hold two of them against each other. */
export function peerNamed(word: string): Peer | undefined {
  const [name, path] = word.split('=')
  if (path) return tsgre(name!, 'tsgre, another build', [], resolve(path))
  return PEERS.find((peer) => peer.name === name)
}
