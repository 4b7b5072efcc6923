// An Instance in the words of Prometheus: every number of its status under one name, taken when it is asked for. Labels: `tunnel`
// is the TAP, `peer` the remote as it was configured, which a change of its address leaves alone; '' are drops of no peer.
// Invariant: a scrape reads status() once and waits for no pump.

import { Counter, Gauge, Registry } from 'prom-client'
import { DROP_REASONS } from '../drops.js'
import type { Instance } from './instance.js'
import type { InstanceStatus, PeerStatus, TunnelStatus } from './status.js'

type Labels = Readonly<Record<string, string>>
/** Puts down one value. */
type Put = (labels: Labels, value: number) => void

interface Family {
  readonly name: string
  readonly kind: 'counter' | 'gauge'
  readonly help: string
  readonly labels: readonly string[]
  readonly read: (status: InstanceStatus, put: Put) => void
}

const TUNNEL = ['tunnel']
const PEER = ['tunnel', 'peer']
const STATES = ['up', 'down', 'unknown'] as const

/** All there are, for the dashboard's test too. */
export const FAMILIES: readonly Family[] = [
  gauge('tsgre_build_info', 'Constant 1; the labels tell who this is.', ['instance_name', 'version'], (status, put) =>
    put({ instance_name: status.name, version: status.version }, 1),
  ),
  gauge('tsgre_start_time_seconds', 'When it started, in Unix time.', [], ({ since }, put) =>
    put({}, Date.parse(since) / 1000),
  ),
  ofTunnels('gauge', 'tsgre_tunnel_up', 'Whether the tunnel carries frames.', ({ state }) => Number(state === 'up')),
  ofTunnels('gauge', 'tsgre_tunnel_tap_mtu_bytes', 'MTU of the TAP.', ({ mtu }) => mtu),
  ofTunnels(
    'gauge',
    'tsgre_tunnel_mtu_bytes',
    'Largest payload that fits one packet to every peer.',
    (t) => t.tunnelMtu,
  ),
  ofTunnels('counter', 'tsgre_tunnel_transmit_frames_total', 'Frames carried to peers.', (t) => t.txFrames),
  ofTunnels('counter', 'tsgre_tunnel_transmit_bytes_total', 'Bytes of frames carried to peers.', (t) => t.txBytes),
  ofTunnels('counter', 'tsgre_tunnel_receive_frames_total', 'Frames carried from peers.', (t) => t.rxFrames),
  ofTunnels('counter', 'tsgre_tunnel_receive_bytes_total', 'Bytes of frames carried from peers.', (t) => t.rxBytes),
  ofTunnels('gauge', 'tsgre_tunnel_fdb_entries', 'MAC addresses known.', ({ fdb }) => fdb.entries),
  ofTunnels('gauge', 'tsgre_tunnel_fdb_limit_entries', 'MAC addresses that have room.', ({ fdb }) => fdb.limit),
  gauge('tsgre_tunnel_problems', 'What tsgre status has to tell, by its code.', ['tunnel', 'code'], (status, put) => {
    for (const { name, problems } of status.tunnels)
      for (const code of new Set(problems.map((problem) => problem.code)))
        put({ tunnel: name, code }, problems.filter((problem) => problem.code === code).length)
  }),
  {
    name: 'tsgre_drops_total',
    kind: 'counter',
    help: 'Packets and frames that were not carried, by reason; peer is empty where they belong to none.',
    labels: [...PEER, 'reason'],
    read: ({ tunnels }, put) => {
      for (const tunnel of tunnels) dropsOf(tunnel, put)
    },
  },
  gauge('tsgre_peer_info', 'Constant 1; remote is the address the peer has now.', [...PEER, 'remote'], (status, put) =>
    eachPeer(status, (labels, { remote }) => put({ ...labels, remote }, 1)),
  ),
  gauge('tsgre_peer_state', '1 for the state the peer is in, 0 for the others.', [...PEER, 'state'], (status, put) =>
    eachPeer(status, (labels, { liveness }) => {
      for (const state of STATES) put({ ...labels, state }, Number(state === liveness))
    }),
  ),
  ofPeers('gauge', 'tsgre_peer_resolved', 'Whether its name has an address.', ({ resolved }) => Number(resolved)),
  ofPeers('gauge', 'tsgre_peer_blocked', 'Whether the loop guard keeps the way shut.', (p) => Number(p.blocked)),
  ofPeers('counter', 'tsgre_peer_transmit_frames_total', 'Frames carried to the peer.', (p) => p.txFrames),
  ofPeers('counter', 'tsgre_peer_transmit_bytes_total', 'Bytes of frames carried to the peer.', (p) => p.txBytes),
  ofPeers('counter', 'tsgre_peer_receive_frames_total', 'Frames carried from the peer.', (p) => p.rxFrames),
  ofPeers('counter', 'tsgre_peer_receive_bytes_total', 'Bytes of frames carried from the peer.', (p) => p.rxBytes),
  ofPeers('gauge', 'tsgre_peer_last_received_timestamp_seconds', 'When the last good packet came, in Unix time.', (p) =>
    inSeconds(p.lastReceived),
  ),
  ofPeers('gauge', 'tsgre_peer_round_trip_seconds', 'Round trip of the last question.', ({ rtt }) => inSeconds(rtt)),
  ofPeers('gauge', 'tsgre_peer_loss_ratio', 'Share of questions without an answer of late.', ({ loss }) => loss),
  ofPeers('gauge', 'tsgre_peer_mtu_bytes', 'Largest payload that fits one packet to the peer.', (p) => p.tunnelMtu),
  ofPeers('gauge', 'tsgre_peer_fdb_entries', 'MAC addresses learnt from the peer.', ({ fdbEntries }) => fdbEntries),
]

/** What `/metrics` says of an instance. */
export class Metrics {
  readonly #instance: Instance
  readonly #registry = new Registry()
  readonly #metrics = FAMILIES.map((family) => {
    const { kind, name, help, labels } = family
    const options = { name, help, labelNames: labels, registers: [this.#registry] }
    return { family, metric: kind === 'counter' ? new Counter(options) : new Gauge(options) }
  })

  constructor(instance: Instance) {
    this.#instance = instance
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** Filled anew at once and then written out, so that two scrapes at a time cannot spoil each other. */
  text(): Promise<string> {
    const status = this.#instance.status()
    for (const { family, metric } of this.#metrics) {
      metric.reset()
      family.read(status, (labels, value) => metric.inc(labels, value))
    }
    return this.#registry.metrics()
  }
}

function gauge(name: string, help: string, labels: readonly string[], read: Family['read']): Family {
  return { name, kind: 'gauge', help, labels, read }
}

function ofTunnels(kind: Family['kind'], name: string, help: string, value: (tunnel: TunnelStatus) => number): Family {
  const read: Family['read'] = ({ tunnels }, put) => {
    for (const tunnel of tunnels) put({ tunnel: tunnel.name }, value(tunnel))
  }
  return { name, kind, help, labels: TUNNEL, read }
}

/** What a peer has no number for is left out. */
function ofPeers(
  kind: Family['kind'],
  name: string,
  help: string,
  value: (peer: PeerStatus) => number | undefined,
): Family {
  const read: Family['read'] = (status, put) =>
    eachPeer(status, (labels, peer) => {
      const number = value(peer)
      if (number !== undefined) put(labels, number)
    })
  return { name, kind, help, labels: PEER, read }
}

function eachPeer({ tunnels }: InstanceStatus, body: (labels: Labels, peer: PeerStatus) => void): void {
  for (const { name, peers } of tunnels) for (const peer of peers) body({ tunnel: name, peer: peer.asked }, peer)
}

/** The sum over peers is the tunnel's count: what no peer has stands under ''. */
function dropsOf({ name, peers, drops }: TunnelStatus, put: Put): void {
  for (const reason of DROP_REASONS) {
    for (const { asked, drops } of peers) put({ tunnel: name, peer: asked, reason }, drops[reason])
    const ofPeers = peers.reduce((sum, peer) => sum + peer.drops[reason], 0)
    put({ tunnel: name, peer: '', reason }, Math.max(0, drops[reason] - ofPeers))
  }
}

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}
