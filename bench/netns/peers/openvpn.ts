// OpenVPN between two points, Ethernet in UDP, clear text like GRE: what its way of carrying frames costs, not its cipher.

import { otherHost } from '../../../test/rig/topology.js'
import { bridged, HOSTS, type Peer } from './peer.js'

const OPTIONS = '--dev tap0 --dev-type tap --proto udp --port 1194 --cipher none --auth none --mssfix 0 --verb 2'

export const openvpn: Peer = {
  name: 'openvpn',
  title: 'OpenVPN, no cipher',
  about: 'OpenVPN, dev tap, UDP between two points, without TLS, cipher and authentication',
  kind: 'other',
  overhead: 20 + 8 + 14,
  async up(rig) {
    const programs = HOSTS.map((host) => {
      const ends = ['--local', rig.address(host), '--remote', rig.address(otherHost(host))]
      const mtu = ['--tun-mtu', `${rig.options.containerMtu}`]
      return rig.spawn(host, ['openvpn', ...OPTIONS.split(' '), ...mtu, ...ends])
    })
    for (const [i, host] of HOSTS.entries()) {
      await programs[i]!.waitFor(/TUN\/TAP device \S+ opened/)
      bridged(rig, host, 'tap0')
    }
    return { down: () => Promise.all(programs.map((program) => program.stop())) }
  },
}
