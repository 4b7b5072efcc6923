// What is wrong with a tunnel, in words, out of what its status says and what was some time before: a pure function, the most
// serious first. It asks nobody and looks at nothing. "Of late" is within OF_LATE_MS of `now`.

import { DROP_REASONS, type DropReason } from '../drops.js'
import { errorProblem } from './icmp-words.js'
import { REMEDIES } from './remedies.js'
import type { PeerStatus, Problem, TunnelStatus } from './status.js'

/** What the status is without what is made of it here. */
export type TunnelFacts = Omit<TunnelStatus, 'problems'>

/** What the tunnel itself does not know. */
export interface HealthHints {
  /** Keys of other tunnels of this host: packets with them are not ours, and no mistake. 'none': a tunnel without a key. */
  readonly otherKeys?: ReadonlySet<number | 'none'> | undefined
  /** Why it failed, as a sentence. */
  readonly failure?: string | undefined
  /** Whether the TAP is up; undefined where nobody looked. */
  readonly tapUp?: boolean | undefined
  /** `--tunnel-mtu`: no way is called narrow because of it. */
  readonly tunnelMtuCap?: number | undefined
  /** Bytes of a packet to this peer beyond the payload, outer IP header and all; estimated where it is not given. */
  readonly overhead?: ((remote: string) => number) | undefined
  /** How the tunnel stood some time ago, at most OF_LATE_MS: only with it something can be said to grow. */
  readonly earlier?: TunnelFacts | undefined
  /** How it stood just before, some ten seconds ago: only with it something that grew can be said to be over. */
  readonly lately?: TunnelFacts | undefined
}

export const OF_LATE_MS = 60_000
/** So long nothing wrong must have come, and something right, for it to be over. */
const SETTLED_MS = 3000
/** Fewer drops than this in that time are life. */
const NOTABLE_DROPS = 10
const NOTABLE_CHECKSUMS = 3
const NOTABLE_LOSS = 0.05
const ETHERNET_AND_GRE = 14 + 4

/** Everything that is not as it should be; an empty list when all is well. */
export function healthOf(tunnel: TunnelFacts, now: number, hints: HealthHints = {}): Problem[] {
  const ofPeers = (rule: (peer: PeerStatus) => Problem | undefined) =>
    tunnel.peers.filter((peer) => peer.resolved).flatMap((peer) => rule(peer) ?? [])
  // In the order of how much does not work.
  return [
    ...failed(tunnel, hints),
    ...tapDown(tunnel, hints),
    ...ofPeers((peer) => icmp(peer, tunnel, now)),
    ...ofPeers((peer) => wrongKey(peer, now, hints)),
    ...ofPeers((peer) => checksums(peer, hints)),
    ...ofPeers((peer) => narrow(peer, tunnel, hints)),
    ...ofPeers((peer) => down(peer, now)),
    ...tunnel.peers.flatMap((peer) => unresolved(peer)),
    ...ofPeers((peer) => blocked(peer, tunnel)),
    ...ofPeers((peer) => silent(peer, tunnel, hints)),
    ...ofPeers((peer) => lossy(peer)),
    ...drops(tunnel, hints),
  ]
}

function failed({ name, state }: TunnelFacts, { failure }: HealthHints): Problem[] {
  if (state !== 'failed') return []
  const why = failure === undefined ? '' : `: ${failure}`
  return [problem('tunnel-failed', `the tunnel on ${name} has failed${why}`, 'mend that and start tsgre again')]
}

function tapDown(tunnel: TunnelFacts, { tapUp, earlier }: HealthHints): Problem[] {
  const { name, state } = tunnel
  const refuses = grown(tunnel.drops, earlier?.drops, 'tap-down') > 0
  if (state === 'failed' || !(tapUp === false || (tapUp === undefined && refuses))) return []
  return [problem('tap-down', `${name} is down: no frame gets in or out`, `ip link set ${name} up`)]
}

function icmp(peer: PeerStatus, { udpPort }: TunnelFacts, now: number): Problem | undefined {
  if (!isOfLate(peer.lastErrorAt, now) || peer.lastError === undefined) return undefined
  // What came from it after the message says that it is over.
  if (peer.lastReceived !== undefined && peer.lastReceived > peer.lastErrorAt!) return undefined
  return errorProblem(peer, peer.lastError, udpPort)
}

function wrongKey(peer: PeerStatus, now: number, { otherKeys }: HealthHints): Problem | undefined {
  const { keyIn } = peer
  const key = wrongKeyOf(peer, now)
  if (key === undefined || otherKeys?.has(key)) return undefined
  const came = key === 'none' ? 'without a key' : `with key ${key}`
  const wanted = keyIn === undefined ? 'none' : keyIn
  const text = `packets from ${nameOf(peer)} arrive ${came}, this tunnel wants ${wanted}`
  const here = key === 'none' ? 'no key here' : `key ${key} here (--ikey ${key})`
  const there = keyIn === undefined ? 'no key there' : `key ${keyIn} there (--okey ${keyIn})`
  return problem('key-mismatch', text, `set ${here}, or ${there}`, peer)
}

/** The wrong key that packets of a peer have now: of late, and not only good ones since. */
export function wrongKeyOf(
  { lastWrongKey, lastWrongKeyAt, lastReceived = 0 }: PeerStatus,
  now: number,
): number | 'none' | undefined {
  if (lastWrongKeyAt === undefined || !isOfLate(lastWrongKeyAt, now)) return undefined
  const over = lastReceived > lastWrongKeyAt && now - lastWrongKeyAt > SETTLED_MS
  return over ? undefined : lastWrongKey
}

function checksums(peer: PeerStatus, { earlier, lately }: HealthHints): Problem | undefined {
  const count = grown(peer.drops, peerOf(earlier, peer)?.drops, 'checksum')
  if (count < NOTABLE_CHECKSUMS) return undefined
  const before = peerOf(lately, peer)
  const heardSince = (before?.lastReceived ?? 0) < (peer.lastReceived ?? 0)
  if (before && heardSince && grown(peer.drops, before.drops, 'checksum') === 0) return undefined
  const text = `${count} packets from ${nameOf(peer)} had a wrong GRE checksum of late`
  return problem(
    'checksum',
    text,
    'something on the way damages packets, or the sender sums wrongly: look at network cards and their offloads',
    peer,
  )
}

function narrow(peer: PeerStatus, tunnel: TunnelFacts, { tunnelMtuCap, overhead }: HealthHints): Problem | undefined {
  const { tunnelMtu, pathTunnelMtu } = peer
  if (!(tunnelMtu > 0 && tunnelMtu < pathTunnelMtu) || tunnelMtu === tunnelMtuCap) return undefined
  const beyond = overhead?.(peer.remote) ?? estimatedOverhead(peer, tunnel)
  const text = `packets of ${pathTunnelMtu + beyond} to ${nameOf(peer)} do not pass, ${tunnelMtu + beyond} do`
  const remedy =
    'a router on the way drops large packets and tells nobody: raise its MTU; until then tsgre sends smaller ones'
  return problem('narrow-path', text, remedy, peer)
}

function estimatedOverhead({ remote, keyOut }: PeerStatus, { udpPort }: TunnelFacts): number {
  const ip = remote.includes(':') ? 40 : 20
  return ip + (udpPort === null ? 0 : 8) + ETHERNET_AND_GRE + (keyOut === undefined ? 0 : 4)
}

function down(peer: PeerStatus, now: number): Problem | undefined {
  if (peer.liveness !== 'down') return undefined
  const since =
    peer.lastReceived === undefined ? '' : `; the last packet came ${secondsWords(now - peer.lastReceived)} ago`
  const remedy = `see whether tsgre and the host itself run there, and what is between: ping ${peer.remote}`
  return problem('peer-down', `${nameOf(peer)} is down: it answers no more${since}`, remedy, peer)
}

function unresolved(peer: PeerStatus): Problem[] {
  if (peer.resolved) return []
  const remedy = 'see whether the name is right (`getent hosts`) and a name server answers; it is asked again and again'
  return [problem('name-not-resolved', `${peer.asked} has no address now`, remedy, peer)]
}

function blocked(peer: PeerStatus, { name }: TunnelFacts): Problem | undefined {
  if (!peer.blocked) return undefined
  const text = `a loop runs through ${nameOf(peer)}: a second path joins the two LANs, and the way there is shut for a while`
  const remedy = `find what joins the network of ${name} and that host's besides the tunnel, and cut it; the way opens by itself then`
  return problem('loop', text, remedy, peer)
}

function silent(peer: PeerStatus, { name }: TunnelFacts, { earlier }: HealthHints): Problem | undefined {
  const before = peerOf(earlier, peer)
  if (before === undefined) return undefined // it has only begun
  if (before.txFrames > 0 && peer.rxFrames === 0 && peer.lastReceived === undefined) {
    const text = `nothing was ever received from ${nameOf(peer)}, though frames are sent to it`
    const remedy = `see whether tsgre runs there with this host as its remote, and whether a firewall stands between (protocol 47)`
    return problem('nothing-received', text, remedy, peer)
  }
  if (before.rxFrames > 0 && peer.txFrames === 0) {
    const text = `frames come from ${nameOf(peer)}, but none was ever sent to it`
    return problem(
      'nothing-sent',
      text,
      `nothing behind ${name} sends: see whether it is up and in the right bridge`,
      peer,
    )
  }
  return undefined
}

function lossy(peer: PeerStatus): Problem | undefined {
  const { loss = 0, liveness } = peer
  if (liveness !== 'up' || loss < NOTABLE_LOSS) return undefined
  const text = `${Math.round(loss * 100)} % of the questions to ${nameOf(peer)} get no answer`
  return problem('loss', text, 'the way there is overloaded or broken: see its links and queues', peer)
}

function drops(tunnel: TunnelFacts, { earlier }: HealthHints): Problem[] {
  if (earlier === undefined) return []
  return DROP_REASONS.map((reason) => ({ reason, count: grown(tunnel.drops, earlier.drops, reason) }))
    .filter(({ reason, count }) => count >= NOTABLE_DROPS && REMEDIES[reason] !== undefined)
    .sort((a, b) => b.count - a.count)
    .map(({ reason, count }) => {
      const most = worstPeer(tunnel, earlier, reason)
      const where = most === undefined ? '' : `, most with ${nameOf(most)}`
      return problem(`drops-${reason}`, `${count} dropped of late as ${reason}${where}`, REMEDIES[reason]!, most)
    })
}

function worstPeer(tunnel: TunnelFacts, earlier: TunnelFacts, reason: DropReason): PeerStatus | undefined {
  if (tunnel.peers.length < 2) return tunnel.peers[0]
  const counts = tunnel.peers.map((peer) => grown(peer.drops, peerOf(earlier, peer)?.drops, reason))
  const most = Math.max(...counts)
  return most > 0 ? tunnel.peers[counts.indexOf(most)] : undefined
}

/** Nothing, where it is not known how much there was. */
function grown(now: PeerStatus['drops'], before: PeerStatus['drops'] | undefined, reason: DropReason): number {
  return before === undefined ? 0 : Math.max(0, (now[reason] ?? 0) - (before[reason] ?? 0))
}

function peerOf(tunnel: TunnelFacts | undefined, { asked }: PeerStatus): PeerStatus | undefined {
  return tunnel?.peers.find((peer) => peer.asked === asked)
}

function isOfLate(at: number | undefined, now: number): boolean {
  return at !== undefined && now - at <= OF_LATE_MS
}

/** `name (address)`, or the address alone. */
function nameOf({ asked, remote }: PeerStatus): string {
  return asked === remote ? remote : `${asked} (${remote})`
}

function secondsWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`
}

function problem(code: string, text: string, remedy: string, peer?: PeerStatus): Problem {
  return { code, text, remedy, remote: peer && (peer.remote || peer.asked) }
}
