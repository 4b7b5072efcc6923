// From what was asked for, and what running tsgre tell, to what is looked at: the tunnel named, else every one that runs, else this
// host alone. What is asked for wins over what a running tunnel has. Pure, but that addresses are read with their zones.

import { readAddress } from '../../tunnel/addresses.js'
import type { ChecksumRule } from '../../tunnel/peer-options.js'
import type { InstanceStatus, PeerStatus, TunnelStatus } from '../status.js'
import type { Subject, Target } from './subject.js'

/** Options as on the command line; what is absent is as the running tunnel has it, or as a tunnel without it. */
export interface Asked {
  readonly remotes: readonly string[]
  readonly tap?: string | undefined
  readonly bridge?: string | undefined
  readonly local?: string | undefined
  readonly dev?: string | undefined
  readonly udpPort?: number | undefined
  readonly keyIn?: number | undefined
  readonly keyOut?: number | undefined
  readonly checksum?: boolean | undefined
  readonly sequence?: boolean | undefined
  readonly receiveChecksum?: ChecksumRule | undefined
  readonly routes: readonly string[]
}

/** @throws ConfigError for an address that is none */
export function subjectsOf(asked: Asked, instances: readonly InstanceStatus[]): Subject[] {
  const tunnels = instances
    .flatMap((instance) => instance.tunnels)
    .filter(({ name }) => asked.tap === undefined || name === asked.tap)
  const all = instances.flatMap((instance) => instance.tunnels)
  if (asked.remotes.length > 0) {
    const texts = asked.remotes.map((remote) => readAddress('remote', remote, asked.dev).text)
    const running = tunnels.find(({ peers }) => peers.some(({ remote }) => texts.includes(remote)))
    return [subjectOf(asked, running, asked.remotes, all)]
  }
  if (tunnels.length === 0) return [subjectOf(asked, undefined, [], all)]
  return tunnels.map((tunnel) => subjectOf(asked, tunnel, remotesOf(tunnel), all))
}

/** Of names those that have an address now. */
function remotesOf({ peers }: TunnelStatus): string[] {
  return peers.filter(({ resolved }) => resolved).map(({ remote }) => remote)
}

function subjectOf(
  asked: Asked,
  running: TunnelStatus | undefined,
  remotes: readonly string[],
  all: readonly TunnelStatus[],
): Subject {
  const { routes } = asked
  const dev = asked.dev ?? running?.dev ?? undefined
  const targets = remotes.map((remote) => targetOf({ ...asked, dev }, remote, running?.peers))
  const local = asked.local ?? running?.local
  const tap = asked.tap ?? running?.name
  return {
    tap,
    runs: all.some(({ name, state }) => name === tap && state === 'up'),
    bridge: asked.bridge ?? (running ? (running.bridge ?? 'none') : undefined),
    local: local === undefined ? undefined : readAddress('local', local, dev),
    dev,
    udpPort: asked.udpPort ?? running?.udpPort ?? undefined,
    routes,
    targets,
    otherKeys: all
      .filter((tunnel) => tunnel !== running)
      .flatMap(({ peers }) => peers.map(({ remote, keyIn }) => ({ remote, key: keyIn ?? ('none' as const) }))),
  }
}

function targetOf(asked: Asked, remote: string, peers: readonly PeerStatus[] = []): Target {
  const address = readAddress('remote', remote, asked.dev)
  const peer = peers.find((one) => one.remote === address.text)
  return {
    address,
    keyIn: asked.keyIn ?? peer?.keyIn,
    keyOut: asked.keyOut ?? peer?.keyOut,
    checksum: asked.checksum ?? peer?.checksum ?? false,
    sequence: asked.sequence ?? peer?.sequence ?? false,
    receiveChecksum: asked.receiveChecksum ?? peer?.receiveChecksum ?? 'accept',
    peer,
  }
}
