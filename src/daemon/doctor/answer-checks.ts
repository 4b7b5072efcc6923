// What the other host says, and whether what it sends fits what is expected here: from an exchange of our own, or, where a tsgre
// that runs has the port and so the answers, from what it has heard meanwhile. Pure.

import type { IcmpError } from '../../io/icmp-errors.js'
import { wrongKeyOf } from '../health.js'
import type { PeerStatus } from '../status.js'
import type { Exchange } from './exchange.js'
import { type Finding, fine, found } from './finding.js'
import type { Came } from './question.js'
import type { Subject, Target } from './subject.js'

const START_THERE = 'start tsgre there, with the address of this host as its --remote'

/** What a running tsgre has heard since it was asked the first time; undefined where that is nothing. */
export function answerKnown(before: PeerStatus, { remote, lastReceived = 0 }: PeerStatus): Finding | undefined {
  if (lastReceived <= (before.lastReceived ?? 0)) return undefined
  return fine('answer', `${remote} was asked, and the tsgre that runs here hears it`)
}

/** Where the doctor may open no socket: what a running tsgre knows, and how old that is. */
export function answerUnasked(subject: Subject, target: Target, { lastReceived, liveness }: PeerStatus): Finding[] {
  const { text } = target.address
  const ago = lastReceived === undefined ? undefined : Math.max(0, Math.round((Date.now() - lastReceived) / 1000))
  const known = ago === undefined ? 'has never heard it' : `heard it last ${ago} s ago`
  const words = `${text} cannot be asked without CAP_NET_RAW; the tsgre that runs here ${known}`
  const answer = liveness === 'down' ? gone(text) : found('no-answer', words, 'run it as root')
  return [answer, ...wrongKey(subject, target, [])]
}

function gone(remote: string): Finding {
  const text = `${remote} has answered the tsgre that runs here, and does no more`
  return found('peer-down', text, 'look at the other host: tsgre doctor there')
}

export function checkAnswer(
  { udpPort }: Subject,
  target: Target,
  { answer, icmp, came, refused, listens }: Exchange,
): Finding[] {
  const { text } = target.address
  if (refused !== undefined) {
    const remedy = refused === 'EPERM' ? 'see the firewall above, output' : `ip route get ${text.replace(/%.*/, '')}`
    return [found('not-sent', `the kernel sends nothing to ${text}: ${refused}`, remedy)]
  }
  if (answer) return [fine('answer', `a tsgre answers at ${text} in ${answer.milliseconds.toFixed(1)} ms`)]
  const said = icmp.map((error) => icmpFinding(error, text, udpPort)).find((finding) => finding !== undefined)
  if (said) return [said]
  if (target.peer?.liveness === 'down') return [gone(text)]
  if (came.length > 0)
    return [fine('answer', `${text} sends GRE, and does not answer: no tsgre, or one with another key`)]
  // It was up when it was asked last, which may be minutes ago.
  if (target.peer?.liveness === 'up') return [gone(text)]
  if (!listens)
    return [found('no-answer', `whether ${text} answers only the tsgre that runs here can know`, 'tsgre status')]
  // The kernel trusts a neighbour for up to 45 s and then asks for eight (base_reachable_time, delay_first_probe_time).
  const may =
    'it may be a gretap or an Open vSwitch, have another key, or be behind a firewall; a link that was just cut shows after a minute'
  return [
    found('no-answer', `${text} answers nothing, good or bad: ${may}`, `on ${text}: tsgre doctor --remote THIS-HOST`),
  ]
}

/** RFC 792, RFC 1812 §5.2.7.1; RFC 4443 §3. */
const MEANINGS = {
  4: {
    '3/2': 'no-gre',
    '3/3': 'no-tunnel',
    '3/9': 'firewall',
    '3/10': 'firewall',
    '3/13': 'firewall',
    '3/0': 'unreachable',
    '3/1': 'unreachable',
  },
  6: {
    '4/1': 'no-gre',
    '1/4': 'no-tunnel',
    '1/1': 'firewall',
    '1/5': 'firewall',
    '1/6': 'firewall',
    '1/0': 'unreachable',
    '1/3': 'unreachable',
  },
} as const

function icmpFinding(
  { family, type, code, from, errno }: IcmpError,
  remote: string,
  udpPort: number | undefined,
): Finding | undefined {
  const meaning = (MEANINGS[family] as Readonly<Record<string, string>>)[`${type}/${code}`]
  if (meaning === 'no-gre')
    return found('no-gre-there', `${from} answers "protocol unreachable": there is no GRE for this host`, START_THERE)
  if (meaning === 'no-tunnel') {
    const gre = 'there is a GRE of the kernel, but no tunnel to this host; or a firewall that rejects'
    const text = `${from} answers "port unreachable": ${udpPort === undefined ? gre : `nobody takes UDP port ${udpPort} there`}`
    return found(
      'no-tunnel-there',
      text,
      udpPort === undefined ? `${START_THERE}; or look at its firewall` : `${START_THERE} and --encap udp`,
    )
  }
  if (meaning === 'firewall') {
    const what = udpPort === undefined ? 'protocol 47 (GRE)' : `UDP port ${udpPort}`
    return found(
      'firewall-there',
      `${from} answers "prohibited": a firewall refuses the packets`,
      `let ${what} pass on ${from}`,
    )
  }
  if (meaning === 'unreachable') {
    const text =
      from === remote ? `${from} answers "unreachable"` : `${from} says that ${remote} cannot be reached (${errno})`
    return found('unreachable', text, `is it up, is the address right? ping ${remote}`)
  }
  return undefined
}

/** Keys and checksums of what came. */
export function checkMatch(
  subject: Subject,
  target: Target,
  { answer, icmp, came, refused, listens }: Exchange,
): Finding[] {
  const { text } = target.address
  const findings = [...wrongKey(subject, target, came), ...wrongChecksum(target, came)]
  if (answer && answer.question.checksum !== target.checksum) {
    const [has, wants] = target.checksum ? ['with', 'without'] : ['without', 'with']
    const remedy = target.checksum
      ? 'leave --csum away, or --checksum accept there'
      : 'give --csum, or --checksum accept there'
    findings.push(
      found(
        'checksum-wanted-there',
        `${text} takes packets ${wants} a GRE checksum, and this tunnel sends them ${has} one`,
        remedy,
      ),
    )
  }
  if (findings.length > 0) return findings
  if (came.length > 0) return [fine('match', `key and checksum of ${came.length} received packets are as expected`)]
  if (!listens || refused !== undefined || icmp.length > 0) return [] // why nothing came is known
  return [found('nothing-received', `nothing came from ${text} while the doctor listened, whatever its key`, '')]
}

/** As checkMatch, from what a running tsgre knows that hears the remote. */
export function matchKnown(subject: Subject, target: Target): Finding[] {
  const findings = wrongKey(subject, target, [])
  return findings.length > 0 ? findings : [fine('match', `what comes from ${target.address.text} is taken`)]
}

function wrongKey({ otherKeys }: Subject, { address, keyIn, peer }: Target, came: readonly Came[]): Finding[] {
  const wanted = keyIn ?? 'none'
  const known = otherKeys.filter(({ remote }) => remote === address.text).map(({ key }) => key)
  const wrong = came.find(({ key }) => key !== wanted && !known.includes(key))?.key ?? ofLate(peer, known)
  if (wrong === undefined) return []
  const has = wrong === 'none' ? 'without a key' : `with key ${wrong}`
  const wants = wanted === 'none' ? 'none' : `key ${wanted}`
  const remedy =
    wrong === 'none'
      ? 'give that host the --key of this one'
      : `tsgre --key ${wrong} here, or --key ${keyIn ?? '(none)'} there`
  return [found('wrong-key', `packets from ${address.text} come ${has}, this tunnel wants ${wants}`, remedy)]
}

function ofLate(peer: PeerStatus | undefined, known: readonly (number | 'none')[]): number | 'none' | undefined {
  const key = peer && wrongKeyOf(peer, Date.now())
  return key !== undefined && known.includes(key) ? undefined : key
}

function wrongChecksum({ address, keyIn, receiveChecksum }: Target, came: readonly Came[]): Finding[] {
  const { text } = address
  const ours = came.filter(({ key }) => key === (keyIn ?? 'none'))
  const has = (what: Came['checksum']) => ours.some(({ checksum }) => checksum === what)
  if (receiveChecksum === 'require' && has('none'))
    return [
      found(
        'checksum-missing',
        `packets from ${text} have no GRE checksum, and --checksum require drops them`,
        `--csum on ${text}, or --checksum accept here`,
      ),
    ]
  if (receiveChecksum === 'forbid' && (has('right') || has('wrong')))
    return [
      found(
        'checksum-unwanted',
        `packets from ${text} have a GRE checksum, and --checksum forbid drops them`,
        `no --csum on ${text}, or --checksum accept here`,
      ),
    ]
  if (!has('wrong')) return []
  return [
    found(
      'checksum-wrong',
      `packets from ${text} have a wrong GRE checksum: something on the way changes them`,
      'ethtool -K DEVICE tx off, on both hosts, to see whether a network card does',
    ),
  ]
}
