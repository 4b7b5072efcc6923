// What is wrong with a tunnel, in words, out of what its status says and what was some time before: a pure function, the most
// serious first. It asks nobody and looks at nothing. "Of late" is within OF_LATE_MS of `now`.

import { DROP_REASONS, type DropReason } from '../drops.js'
import { checksumRule, checksums, isUnruled } from './checksum-problems.js'
import { errorProblem, isOwnFirewall } from './icmp-words.js'
import { grown, isOfLate, nameOf, peerOf, problem, SETTLED_MS, secondsWords } from './problem-words.js'
import { REMEDIES } from './remedies.js'
import type { PeerStatus, Problem, TunnelStatus } from './status.js'

/** What the status is without what is made of it here. */
export type TunnelFacts = Omit<TunnelStatus, 'problems'>

/** What the tunnel itself does not know. */
export interface HealthHints {
  /** Whether packets of a remote with that key are another tunnel's business, and no mistake here. */
  readonly isForOther?: ((peer: PeerStatus, key: number | 'none') => boolean) | undefined
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

export { OF_LATE_MS } from './problem-words.js'

/** Within so much of a right packet, one with another key is taken for somebody else's, even where nobody is asked. */
const RIGHT_MS = 30_000
/** Who is down, but was heard so shortly ago, is there. */
const JUST_NOW_MS = 2000
/** Fewer drops than this in that time are life. */
const NOTABLE_DROPS = 10
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
    ...ofPeers((peer) => icmp(peer, tunnel, now, hints)),
    ...ofPeers((peer) => wrongKey(peer, now, hints)),
    ...ofPeers((peer) => checksumRule(peer, now)),
    ...ofPeers((peer) => checksums(peer, now, hints)),
    ...ofPeers((peer) => narrow(peer, tunnel, hints)),
    ...ofPeers((peer) => down(peer, tunnel, now, hints)),
    ...tunnel.peers.flatMap((peer) => unresolved(peer)),
    ...loop(tunnel),
    ...ofPeers((peer) => silent(peer, tunnel, now, hints)),
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

function icmp(peer: PeerStatus, { udpPort }: TunnelFacts, now: number, hints: HealthHints): Problem | undefined {
  if (!isOfLate(peer.lastErrorAt, now) || peer.lastError === undefined) return undefined
  return isErrorOver(peer, hints) ? undefined : errorProblem(peer, peer.lastError, udpPort)
}

/** What came from the peer after the message says so; of what does not leave this host only that it leaves again. */
function isErrorOver(peer: PeerStatus, { lately }: HealthHints): boolean {
  const { lastErrorAt = 0, lastReceived = 0, liveness, txFrames, drops } = peer
  if (!isOwnFirewall(peer)) return lastReceived > lastErrorAt
  const before = peerOf(lately, peer)
  const leaves = before !== undefined && (liveness === 'up' || before.txFrames < txFrames)
  return leaves && grown(drops, before.drops, 'firewall') === 0
}

function wrongKey(peer: PeerStatus, now: number, hints: HealthHints): Problem | undefined {
  const { keyIn } = peer
  const key = wrongKeyFor(peer, now, hints)
  if (key === undefined) return undefined
  const came = key === 'none' ? 'without a key' : `with key ${key}`
  const wanted = keyIn === undefined ? 'none' : keyIn
  const text = `packets from ${nameOf(peer)} arrive ${came}, this tunnel wants ${wanted}`
  const here = key === 'none' ? 'no key here' : `key ${key} here (--ikey ${key})`
  const there = keyIn === undefined ? 'no key there' : `key ${keyIn} there (--okey ${keyIn})`
  return problem('key-mismatch', text, `set ${here}, or ${there}`, peer)
}

function wrongKeyFor(peer: PeerStatus, now: number, { isForOther }: HealthHints): number | 'none' | undefined {
  return wrongKeyOf(peer, now, (key) => isForOther?.(peer, key) ?? false)
}

/**
 * The wrong key that packets of a peer have now, besides those that are another's: of late, and while no right packets come. A
 * peer whose packets are right may have other tunnels to this host, which are none of this tunnel's business.
 */
export function wrongKeyOf(
  { wrongKeys = [], lastReceived, liveness }: PeerStatus, // a tsgre that still runs may be older, and tell none
  now: number,
  isOthers: (key: number | 'none') => boolean = () => false,
): number | 'none' | undefined {
  const wrong = wrongKeys.find(({ key, at }) => isOfLate(at, now) && !isOthers(key))
  if (wrong === undefined || lastReceived === undefined) return wrong?.key
  const over = lastReceived > wrong.at && now - wrong.at > SETTLED_MS
  return over || liveness === 'up' || now - lastReceived <= RIGHT_MS ? undefined : wrong.key
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

function down(peer: PeerStatus, tunnel: TunnelFacts, now: number, hints: HealthHints): Problem | undefined {
  if (peer.liveness !== 'down') return undefined
  const { lastReceived } = peer
  const before = peerOf(hints.lately, peer)
  const cameSince = before?.liveness === 'down' && (before.lastReceived ?? 0) < (lastReceived ?? 0)
  if (cameSince || (lastReceived !== undefined && now - lastReceived <= JUST_NOW_MS)) {
    const whyIsTold = isOwnFirewall(peer) && icmp(peer, tunnel, now, hints) !== undefined
    return whyIsTold ? undefined : unanswering(peer, tunnel)
  }
  const since = lastReceived === undefined ? '' : `; the last packet came ${secondsWords(now - lastReceived)} ago`
  const remedy = `see whether tsgre and the host itself run there, and what is between: ping ${peer.remote}`
  return problem('peer-down', `${nameOf(peer)} is down: it answers no more${since}`, remedy, peer)
}

function unanswering(peer: PeerStatus, { local, udpPort }: TunnelFacts): Problem {
  const what = udpPort === null ? 'protocol 47' : `UDP port ${udpPort}`
  const text = `packets come from ${nameOf(peer)}, but it does not answer ours: they do not arrive there`
  const remedy = `see whether a firewall there (input), here (output) or on the way drops ${what} from ${local}, and by \`tsgre status\` there whether it wants another key`
  return problem('peer-down', text, remedy, peer)
}

function unresolved(peer: PeerStatus): Problem[] {
  if (peer.resolved) return []
  const remedy = 'see whether the name is right (`getent hosts`) and a name server answers; it is asked again and again'
  return [problem('name-not-resolved', `${peer.asked} has no address now`, remedy, peer)]
}

/** Of several ways that are shut each may be a loop of its own, or all of them one. */
function loop({ name, peers }: TunnelFacts): Problem[] {
  const shut = peers.filter(({ resolved, blocked }) => resolved && blocked)
  return shut.map((peer) => {
    const others = shut.filter((other) => other !== peer).map(nameOf)
    const same = others.length === 0 ? '' : ` (it may be the same one as through ${others.join(', ')})`
    const text = `a loop runs through ${nameOf(peer)}${same}: a second path joins the two LANs, and the way there is shut for a while`
    const remedy = `find what joins the network of ${name} and that host's besides the tunnel, and cut it; the way opens by itself then`
    return problem('loop', text, remedy, peer)
  })
}

function silent(peer: PeerStatus, { name }: TunnelFacts, now: number, hints: HealthHints): Problem | undefined {
  const before = peerOf(hints.earlier, peer)
  if (before === undefined) return undefined // it has only begun
  const known = wrongKeyFor(peer, now, hints) !== undefined || isUnruled(peer, now)
  if (before.txFrames > 0 && peer.rxFrames === 0 && peer.lastReceived === undefined) {
    if (known) return undefined // something came, and why it is not taken was told
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
