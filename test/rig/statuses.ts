// Statuses as a running tsgre gives them, with everything well but for what a test asks for.

import type { InstanceStatus, PeerStatus, TunnelStatus } from '#tsgre/daemon/status.js'
import { DROP_REASONS, type DropReason } from '#tsgre/drops.js'

/** Counters by reason, zeros for those not named. */
export function drops(some: Partial<Record<DropReason, number>> = {}): Record<DropReason, number> {
  const zeros = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<DropReason, number>
  return { ...zeros, ...some }
}

export function peerStatus(remote: string, some: Partial<PeerStatus> = {}): PeerStatus {
  const { lastWrongKey, lastWrongKeyAt } = some
  return {
    remote,
    asked: remote,
    since: 0,
    resolved: true,
    checksum: false,
    sequence: false,
    receiveChecksum: 'accept',
    txFrames: 0,
    txBytes: 0,
    rxFrames: 0,
    rxBytes: 0,
    drops: drops(),
    liveness: 'up',
    blocked: false,
    lastReceived: undefined,
    rtt: undefined,
    loss: undefined,
    tunnelMtu: 1462,
    pathTunnelMtu: 1462,
    keyOut: undefined,
    keyIn: undefined,
    lastWrongKey: undefined,
    lastWrongKeyAt: undefined,
    wrongKeys: lastWrongKeyAt === undefined ? [] : [{ key: lastWrongKey ?? 'none', at: lastWrongKeyAt }],
    lastUnruledAt: undefined,
    lastError: undefined,
    lastErrorHere: false,
    lastErrorAt: undefined,
    fdbEntries: 0,
    ...some,
  }
}

export function tunnelStatus(peers: readonly PeerStatus[], some: Partial<TunnelStatus> = {}): TunnelStatus {
  return {
    name: 'tap0',
    state: 'up',
    local: '192.168.56.4',
    dev: null,
    mtu: 1500,
    tunnelMtu: 1462,
    offload: 'uso',
    udpPort: null,
    bridge: null,
    problems: [],
    peers,
    txFrames: 0,
    txBytes: 0,
    rxFrames: 0,
    rxBytes: 0,
    drops: drops(),
    fdb: { entries: 0, limit: 16384 },
    ...some,
  }
}

export function instanceStatus(tunnels: readonly TunnelStatus[], some: Partial<InstanceStatus> = {}): InstanceStatus {
  return {
    name: 'hosts',
    version: '0.1.0',
    pid: process.pid,
    since: new Date(0).toISOString(),
    config: null,
    capabilities: { effective: ['cap_net_admin', 'cap_net_raw'], bounding: ['cap_net_admin', 'cap_net_raw'] },
    noNewPrivileges: true,
    user: 'tsgre',
    tunnels,
    ...some,
  }
}
