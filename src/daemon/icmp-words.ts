// What an ICMP error about packets to a peer means, by the errno the kernel makes of it (icmp(7), icmp_err_convert in
// net/ipv4/icmp.c; ICMPv6 likewise), as a problem in words.

import { nameOf, problem } from './problem-words.js'
import type { PeerStatus, Problem } from './status.js'

interface Meaning {
  readonly code: string
  /** What is said behind "host X". */
  readonly text: string
  readonly remedy: (remote: string) => string
}

const NO_GRE: Meaning = {
  code: 'no-gre-there',
  text: "answers 'protocol unreachable': no GRE there",
  remedy: (remote) => `start tsgre, or a gretap, on ${remote}; with --encap udp here, there too`,
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOPROTOOPT: NO_GRE,
  EPROTO: { ...NO_GRE, text: 'does not know the next header: no GRE there' }, // ICMPv6 parameter problem
  ECONNREFUSED: {
    code: 'no-tunnel-there',
    text: "answers 'port unreachable': GRE is there, but no tunnel to us",
    remedy: (remote) => `see on ${remote} that its tunnel has this host as its remote, and the same key`,
  },
  EHOSTUNREACH: {
    code: 'host-unreachable',
    text: "cannot be reached: 'host unreachable'",
    remedy: (remote) =>
      `see whether ${remote} is up and has that address, and whether a firewall refuses: ping ${remote}`,
  },
  ENETUNREACH: {
    code: 'net-unreachable',
    text: "cannot be reached: 'network unreachable'",
    remedy: (remote) => `see the routes on the way: ip route get ${remote}`,
  },
  EHOSTDOWN: {
    code: 'host-unreachable',
    text: 'cannot be reached: it is down, says a router',
    remedy: (remote) => `see whether ${remote} is up and has that address`,
  },
  EACCES: {
    code: 'prohibited',
    text: "must not be sent to: 'administratively prohibited'",
    remedy: () => 'a firewall on the way refuses the packets: allow protocol 47 there',
  },
}

/** What only the other host or a router can mean, said by this host itself: a rule of its firewall that rejects. */
const REJECTED = new Set(['ENOPROTOOPT', 'EPROTO', 'ECONNREFUSED', 'EACCES'])

export function isOwnFirewall({ lastErrorHere, lastError = '' }: PeerStatus): boolean {
  return lastErrorHere && REJECTED.has(lastError)
}

function ownFirewall(peer: PeerStatus, udpPort: number | null): Problem {
  const what = udpPort === null ? 'protocol 47' : `UDP port ${udpPort}`
  const text = `this host's own firewall refuses packets to ${nameOf(peer)}`
  return problem('prohibited', text, `allow ${what} to ${peer.remote} in its output chain`, peer)
}

/** In UDP the port is the protocol. */
function noListener(udpPort: number): Meaning {
  const remedy = (remote: string) => `start tsgre with --encap udp --udp-port ${udpPort} on ${remote}`
  return { ...NO_GRE, text: `answers 'port unreachable': nobody takes UDP port ${udpPort} there`, remedy }
}

/** Undefined for what is no problem: a packet too big is what path MTU discovery lives on. */
export function errorProblem(peer: PeerStatus, errno: string, udpPort: number | null): Problem | undefined {
  if (errno === 'EMSGSIZE') return undefined
  if (isOwnFirewall(peer)) return ownFirewall(peer, udpPort)
  const host = `host ${nameOf(peer)}`
  const meaning = errno === 'ECONNREFUSED' && udpPort !== null ? noListener(udpPort) : MEANINGS[errno]
  if (meaning === undefined) return problem('icmp-error', `${host}: packets to it come back with ${errno}`, '', peer)
  return problem(meaning.code, `${host} ${meaning.text}`, meaning.remedy(peer.remote), peer)
}
