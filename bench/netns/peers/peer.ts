// What is measured side by side: each peer joins the two containers of a fresh rig in its own way.
// What a peer starts in the hosts is what "the tunnel's processes" means.

import type { Hosts } from '../../../test/rig/hosts.js'
import type { HostName } from '../../../test/rig/topology.js'
import type { StepName } from '../steps.js'

export interface Peer {
  /** By which it is asked for. */
  readonly name: string
  /** By which a stranger knows it, short enough for a picture. */
  readonly title: string
  /** What it is, for the report. */
  readonly about: string
  /** Whose work it is: of the kernel alone, of another program, ours. */
  readonly kind: 'kernel' | 'other' | 'ours'
  /** Bytes of headers: what the MTU of the containers is below that of the underlay, so that no packet needs fragments. */
  readonly overhead: number
  /** All, unless given. */
  readonly only?: readonly StepName[]
  /** Joins the containers; rejects where it cannot run here. `down` ends it properly and may return what it says of itself. */
  up(rig: Hosts): Promise<{ down(): Promise<unknown> }>
}

/** Of the outer IPv4 header, GRE and the inner Ethernet header. */
export const GRE_OVERHEAD = 20 + 4 + 14

export const HOSTS: readonly HostName[] = ['A', 'B']

export const nothing = async (): Promise<void> => {}

/** The container's network reaches the tunnel's device through the bridge, as with Docker. */
export function bridged(rig: Hosts, host: HostName, dev: string): void {
  rig.ip(host, `link set ${dev} mtu ${rig.options.containerMtu} addrgenmode none master docker0 up`)
}

/** The same peer on a wire: no packet between the hosts is larger than the MTU, since nothing is left to a network card. */
export function onWire(peer: Peer): Peer {
  return {
    ...peer,
    name: `${peer.name}-wire`,
    title: `${peer.title}, on a wire`,
    about: `${peer.name} with tso, gso, gro and tx of the underlay off: the veth carries no packet above its MTU`,
    async up(rig) {
      const running = await peer.up(rig)
      for (const host of HOSTS) rig.offloadsOff(host, 'eth1')
      return running
    },
  }
}
