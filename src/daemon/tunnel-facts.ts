// What a tunnel of this process tells of itself, up or not: the status without what is made of it.

import { DROP_REASONS, type DropReason } from '../drops.js'
import { FDB_ENTRIES } from '../tunnel/fdb-memory.js'
import type { CarriedTunnel } from './carried-tunnel.js'
import type { TunnelFacts } from './health.js'
import type { PeerStatus } from './status.js'

export function factsOf(carried: CarriedTunnel): TunnelFacts {
  const { options, tunnel, place, failure } = carried
  const peers = peersOf(carried)
  const state = failure !== undefined ? 'failed' : tunnel ? 'up' : 'starting'
  const { txFrames = 0, txBytes = 0, rxFrames = 0, rxBytes = 0, drops = NO_DROPS } = tunnel?.stats() ?? {}
  return {
    name: options.name,
    state,
    local: tunnel?.local ?? options.local ?? '',
    dev: options.dev ?? null,
    mtu: tunnel && failure === undefined ? tunnel.mtu : 0,
    tunnelMtu: tunnel?.tunnelMtu ?? 0,
    offload: tunnel?.offload ?? 'off',
    udpPort: tunnel?.udpPort ?? null,
    bridge: place?.bridge ?? null,
    peers,
    txFrames,
    txBytes,
    rxFrames,
    rxBytes,
    drops,
    fdb: { entries: tunnel?.fdbSize ?? 0, limit: FDB_ENTRIES },
  }
}

function peersOf({ tunnel, names, options }: CarriedTunnel): PeerStatus[] {
  const known = tunnel?.peers() ?? []
  return names.list.map(({ asked, address }) => {
    const stats = known.find(({ remote }) => remote === address)
    const said = {
      asked: asked.remote,
      checksum: asked.checksum ?? options.checksum ?? false,
      sequence: asked.sequence ?? options.sequence ?? false,
      receiveChecksum: asked.receiveChecksum ?? options.receiveChecksum ?? 'accept',
    }
    return stats ? { ...stats, ...said, resolved: true } : { ...ABSENT, ...said }
  })
}

const NO_DROPS = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<DropReason, number>

/** Of a remote that has no address yet. */
const ABSENT: Omit<PeerStatus, 'asked' | 'checksum' | 'sequence' | 'receiveChecksum'> = {
  remote: '',
  since: 0,
  resolved: false,
  txFrames: 0,
  txBytes: 0,
  rxFrames: 0,
  rxBytes: 0,
  drops: NO_DROPS,
  liveness: 'unknown',
  blocked: false,
  lastReceived: undefined,
  rtt: undefined,
  loss: undefined,
  tunnelMtu: 0,
  pathTunnelMtu: 0,
  keyOut: undefined,
  keyIn: undefined,
  lastWrongKey: undefined,
  lastWrongKeyAt: undefined,
  wrongKeys: [],
  lastUnruledAt: undefined,
  lastError: undefined,
  lastErrorHere: false,
  lastErrorAt: undefined,
  fdbEntries: 0,
}
