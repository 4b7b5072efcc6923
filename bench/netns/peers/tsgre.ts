// tsgre itself, as it comes and with one thing about it changed.

import { GRE_OVERHEAD, HOSTS, type Peer } from './peer.js'

const UDP_OVERHEAD = GRE_OVERHEAD + 8

export interface TsgreOptions extends Partial<Pick<Peer, 'kind' | 'overhead' | 'only'>> {
  /** Another build's command. */
  bin?: string
}

/** tsgre with these arguments on both hosts. */
export function tsgre(
  name: string,
  title: string,
  about: string,
  args: readonly string[] = [],
  options: TsgreOptions = {},
): Peer {
  const { bin, ...rest } = options
  return {
    name,
    title,
    about,
    kind: 'ours',
    overhead: GRE_OVERHEAD,
    ...rest,
    async up(rig) {
      const daemons = await rig.tunnel(['--bridge', 'docker0', ...args], { bin })
      const ends = () => Promise.all(HOSTS.map((host) => daemons[host].stop()))
      return { down: async () => (await ends()).map((end) => end.summary) }
    },
  }
}

export const rawSocket = tsgre(
  'raw-socket',
  'tsgre --io raw-socket',
  'tsgre --io raw-socket: the npm package, one packet an event',
  ['--io', 'raw-socket'],
)
export const tsgreOff = tsgre('tsgre-off', 'tsgre --no-offload', 'tsgre --no-offload: no superframes', ['--no-offload'])
export const tsgrePlain = tsgre('tsgre', 'tsgre', 'tsgre as it comes: protocol 47, superframes at the TAP')
export const tsgreUdp = tsgre('tsgre-udp', 'tsgre --encap udp', 'tsgre --encap udp: GRE-in-UDP', ['--encap', 'udp'], {
  overhead: UDP_OVERHEAD,
})
export const tsgreBusy = tsgre(
  'tsgre-busy',
  'tsgre --busy-poll 3000',
  'tsgre --busy-poll 3000: looks again for 3 ms before it sleeps, longer than the pause between two pings',
  ['--busy-poll', '3000'],
  { only: ['forth', 'ping', 'idle'] },
)
