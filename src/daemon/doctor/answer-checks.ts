// What the other host says to the doctor's questions: from an exchange of our own, or, where a tsgre that runs has the port and so the
// answers, from what it has heard meanwhile. Pure.

import type { IcmpError } from '../../io/icmp-errors.js'
import type { PeerStatus } from '../status.js'
import type { Exchange } from './exchange.js'
import { type Finding, fine, found } from './finding.js'
import { isOurs, wrongKey } from './match-checks.js'
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
  return [answer, ...wrongKey(subject, target)]
}

function gone(remote: string): Finding {
  const text = `${remote} has answered the tsgre that runs here, and does no more`
  return found('peer-down', text, 'look at the other host: tsgre doctor there')
}

/** What other checks know of this host that bears on what is heard. */
export interface Here {
  readonly addresses: ReadonlySet<string>
  /** Whether its firewall drops the answers on their way in. */
  readonly shut: boolean
}

const OPEN: Here = { addresses: new Set(), shut: false }

export function checkAnswer(
  { udpPort }: Subject,
  target: Target,
  { answer, icmp, came, refused, listens }: Exchange,
  here = OPEN,
): Finding[] {
  const { text } = target.address
  if (refused !== undefined) {
    const remedy = refused === 'EPERM' ? 'see the firewall above, output' : `ip route get ${text.replace(/%.*/, '')}`
    return [found('not-sent', `the kernel sends nothing to ${text}: ${refused}`, remedy)]
  }
  if (answer) return [fine('answer', `a tsgre answers at ${text} in ${answer.milliseconds.toFixed(1)} ms`)]
  const said = icmp.map((error) => icmpFinding(error, text, udpPort, here)).find((finding) => finding !== undefined)
  if (said) return [said]
  if (here.shut && came.length === 0) {
    const words = `whether ${text} answers cannot be told: this host drops what comes in`
    return [found('no-answer', words, 'see the firewall above, input')]
  }
  if (target.peer?.liveness === 'down') return [gone(text)]
  if (came.some((one) => isOurs(target, one)))
    return [
      fine('answer', `${text} sends GRE with the right key, and does not answer: no tsgre, or one that wants another`),
    ]
  // It was up when it was asked last, which may be minutes ago.
  if (target.peer?.liveness === 'up') return [gone(text)]
  if (!listens)
    return [found('no-answer', `whether ${text} answers only the tsgre that runs here can know`, 'tsgre status')]
  if (came.length > 0)
    return [found('no-answer', `${text} sends GRE with other keys only, and does not answer`, lookThere(text))]
  // The kernel trusts a neighbour for up to 45 s and then asks for eight (base_reachable_time, delay_first_probe_time).
  const may =
    'it may be a gretap or an Open vSwitch, have another key, or be behind a firewall; a link that was just cut shows after a minute'
  return [found('no-answer', `${text} answers nothing, good or bad: ${may}`, lookThere(text))]
}

function lookThere(remote: string): string {
  return `on ${remote}: tsgre doctor --remote THIS-HOST`
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
  { addresses }: Here,
): Finding | undefined {
  const meaning = (MEANINGS[family] as Readonly<Record<string, string>>)[`${type}/${code}`]
  // That a neighbour is silent the kernel tells in this host's own name; else a rule that rejects does.
  if (meaning !== undefined && meaning !== 'unreachable' && addresses.has(from)) {
    const text = `this host's own firewall refuses the packets to ${remote}: ICMP comes from ${from}, which is its own address`
    return found('not-sent', text, 'see the firewall above, output')
  }
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
