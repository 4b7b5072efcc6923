// The obvious loop in C (../naive-loop.c), compiled as the bench runs: what frame by frame costs in any language.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../../../test/rig/root.js'
import { otherHost } from '../../../test/rig/topology.js'
import { bridged, GRE_OVERHEAD, HOSTS, type Peer } from './peer.js'

const SOURCE = fileURLToPath(new URL('bench/netns/naive-loop.c', ROOT))

export const naive: Peer = {
  name: 'naive-c',
  title: 'C loop, frame by frame',
  about: 'a small C program: poll, one read and one send a frame, protocol 47 (bench/netns/naive-loop.c)',
  kind: 'other',
  overhead: GRE_OVERHEAD,
  async up(rig) {
    const program = rig.file('naive-loop')
    execFileSync('cc', ['-O2', '-Wall', '-o', program, SOURCE], { stdio: 'pipe' })
    const loops = HOSTS.map((host) =>
      rig.spawn(host, [program, 'tap0', rig.address(host), rig.address(otherHost(host))]),
    )
    for (const [i, host] of HOSTS.entries()) {
      await loops[i]!.waitFor(/^ready/)
      bridged(rig, host, 'tap0')
    }
    return { down: () => Promise.all(loops.map((loop) => loop.stop())) }
  },
}
