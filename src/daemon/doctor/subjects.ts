// From what was asked for, and what running tsgre tell, to what is looked at: the tunnel named, else every one that runs, else this
// host alone. What is asked for wins over what a running tunnel has. Pure, but that addresses are read with their zones.

import { ConfigError } from '../../errors.js'
import { readAddress } from '../../tunnel/addresses.js'
import type { Keys } from '../../tunnel/peer-options.js'
import { parseKey } from '../../tunnel/resolve-peers.js'
import { familyOf } from '../addresses-of.js'
import { OF_LATE_MS } from '../health.js'
import { canonical } from '../peer-spec.js'
import type { InstanceStatus, PeerStatus, Problem, TunnelStatus } from '../status.js'
import type { Asked, AskedRemote } from './asked.js'
import { differencesOf } from './differences.js'
import type { Nameless, Subject, Target } from './subject.js'

/** @throws ConfigError for an address that is none */
export function subjectsOf(asked: Asked, instances: readonly InstanceStatus[]): Subject[] {
  const all = instances.flatMap((instance) => instance.tunnels)
  const tunnels = all.filter(({ name }) => asked.tap === undefined || name === asked.tap)
  if (asked.remotes.length > 0) {
    const running = tunnels.filter(({ peers }) => peers.some((peer) => asked.remotes.some((one) => is(peer, one))))
    const looked = running.map((tunnel) => subjectOf(asked, tunnel, asked.remotes, all))
    // Of several tunnels to a remote the one that has its key.
    const same = looked.find(({ targets }) => targets.every(({ differs }) => differs.length === 0))
    const onTap = asked.tap === undefined ? undefined : tunnels[0]
    return [same ?? looked[0] ?? subjectOf(asked, onTap, asked.remotes, all)]
  }
  if (tunnels.length === 0) return [subjectOf(asked, undefined, [], all)]
  return tunnels.map((tunnel) => subjectOf(asked, tunnel, remotesOf(tunnel), all))
}

/** A name may have other addresses by now than the one that a tunnel has for it. */
function is({ asked: name, remote }: PeerStatus, { asked, address }: AskedRemote): boolean {
  if (canonical(name) === canonical(asked.remote)) return true
  if (address === undefined || remote === '') return false
  // The zone of a link-local address may have been left away.
  const zoneless = address.includes('%') ? remote : remote.replace(/%.*/, '')
  return canonical(zoneless) === canonical(address)
}

function remotesOf({ peers }: TunnelStatus): AskedRemote[] {
  return peers.map(({ asked, remote, resolved }) => ({
    asked: { remote: asked },
    address: resolved ? remote : undefined,
  }))
}

function subjectOf(
  typed: Asked,
  running: TunnelStatus | undefined,
  remotes: readonly AskedRemote[],
  all: readonly TunnelStatus[],
): Subject {
  const dev = typed.dev ?? running?.dev ?? undefined
  const asked = { ...typed, dev }
  const ends = remotes.map((remote) => targetOf(asked, remote, running))
  const local = asked.local ?? localOf(running, remotes)
  const tap = asked.tap ?? running?.name
  return {
    tap,
    runs: all.some(({ name, state }) => name === tap && state === 'up'),
    bridge: asked.bridge ?? (running ? (running.bridge ?? 'none') : undefined),
    local: local === undefined ? undefined : readAddress('local', local, dev),
    dev,
    udpPort: portOf(asked, running),
    problems: running && problemsWith(remotes, running),
    routes: asked.routes,
    targets: ends.flatMap((end) => ('name' in end ? [] : [end])),
    nameless: ends.flatMap((end) => ('name' in end ? [end] : [])),
    ...keysBeside(running, portOf(asked, running) === undefined ? all.filter(({ udpPort }) => udpPort === null) : []),
  }
}

/** Over UDP each tunnel has a port of its own, and nobody else's packets: `raw` are those on protocol 47. */
function keysBeside(
  running: TunnelStatus | undefined,
  raw: readonly TunnelStatus[],
): Pick<Subject, 'otherKeys' | 'strayKeys'> {
  const peers = raw.filter((tunnel) => tunnel !== running).flatMap((tunnel) => tunnel.peers)
  const wanted = new Set(
    raw.flatMap((tunnel) => tunnel.peers).map(({ remote, keyIn }) => `${keyIn ?? 'none'} ${remote}`),
  )
  return {
    otherKeys: peers.map(({ remote, keyIn }) => ({ remote, key: keyIn ?? ('none' as const) })),
    strayKeys: peers.flatMap(({ remote, lastWrongKey: key, lastWrongKeyAt = 0 }) =>
      key === undefined || wanted.has(`${key} ${remote}`) || Date.now() - lastWrongKeyAt > OF_LATE_MS
        ? []
        : [{ remote, key }],
    ),
  }
}

/** A tunnel of the other family has none for these remotes. */
function localOf(running: TunnelStatus | undefined, remotes: readonly AskedRemote[]): string | undefined {
  const family = familyOf(running?.local)
  return remotes.some(({ address }) => address !== undefined && familyOf(address) !== family)
    ? undefined
    : running?.local
}

function portOf(asked: Asked, running: TunnelStatus | undefined): number | undefined {
  const port = asked.udpPort ?? running?.udpPort ?? 'none'
  return port === 'none' ? undefined : port
}

/** Those of the whole tunnel too; what is dropped, its worst remote is only an example. */
function problemsWith(remotes: readonly AskedRemote[], { peers, problems }: TunnelStatus): Problem[] {
  const concerned = peers.filter((peer) => remotes.some((one) => is(peer, one)))
  const called = concerned.map(({ asked, remote }) => remote || asked)
  return problems.filter(
    ({ code, remote }) => remote === undefined || code.startsWith('drops-') || called.includes(remote),
  )
}

/** Where a tunnel runs its address of the name is the one to look at. */
function targetOf(asked: Asked, remote: AskedRemote, running: TunnelStatus | undefined): Target | Nameless {
  const peer = running?.peers.find((one) => is(one, remote))
  const own = remote.asked
  const address = addressOf(own.remote, (peer?.remote || undefined) ?? remote.address, asked.dev)
  if ('name' in address) return address
  const [keyIn, keyOut] = directions(own.key ?? asked.key)
  const terms = {
    keyIn: keyIn ?? peer?.keyIn,
    keyOut: keyOut ?? peer?.keyOut,
    checksum: own.checksum ?? asked.checksum ?? peer?.checksum ?? false,
    sequence: own.sequence ?? asked.sequence ?? peer?.sequence ?? false,
    receiveChecksum: own.receiveChecksum ?? asked.receiveChecksum ?? peer?.receiveChecksum ?? 'accept',
  }
  const runs = peer && { ...peer, udpPort: running?.udpPort ?? undefined }
  const differs = runs ? differencesOf(runs, { ...terms, udpPort: portOf(asked, running) }) : []
  return { address, asked: own.remote, ...terms, peer: differs.length === 0 ? peer : undefined, differs }
}

/** What a name server says may be no address of a host; what was typed as an address is refused. */
function addressOf(name: string, text: string | undefined, dev: string | undefined): Target['address'] | Nameless {
  if (text === undefined) return { name, why: 'has no address now' }
  try {
    return readAddress('remote', text, dev)
  } catch (error) {
    if (!(error instanceof ConfigError) || text === name) throw error
    return { name, why: `has an address that cannot be taken: ${error.message.replace(/^--remote /, '')}` }
  }
}

function directions(key: Keys | undefined): [into: number | undefined, out: number | undefined] {
  const { in: into, out } = typeof key === 'object' ? key : { in: key, out: key }
  return [parseKey('ikey', into), parseKey('okey', out)]
}
