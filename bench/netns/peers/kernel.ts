// No program at all between the containers: a bare cable, and the kernel's own tunnel.

import { otherHost } from '../../../test/rig/topology.js'
import { bridged, HOSTS, nothing, type Peer } from './peer.js'

export const direct: Peer = {
  name: 'direct',
  title: 'no tunnel',
  about: 'no tunnel: the underlay veth is a port of the bridge',
  kind: 'kernel',
  overhead: 0,
  async up(rig) {
    for (const host of HOSTS) {
      rig.ip(host, 'address flush dev eth1')
      rig.ip(host, 'link set eth1 master docker0')
    }
    return { down: nothing }
  },
}

export const vxlan: Peer = {
  name: 'vxlan',
  title: 'kernel VXLAN',
  about: 'the kernel’s VXLAN, one remote, UDP port 4789: what an overlay network of Docker uses',
  kind: 'kernel',
  overhead: 20 + 8 + 8 + 14,
  async up(rig) {
    for (const host of HOSTS) {
      const [local, remote] = [rig.address(host), rig.address(otherHost(host))]
      rig.ip(host, `link add vx0 type vxlan id 42 dstport 4789 local ${local} remote ${remote} dev eth1`)
      bridged(rig, host, 'vx0')
    }
    return { down: nothing }
  },
}
