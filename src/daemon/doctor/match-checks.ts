// Whether what the other host sends has the key and the checksum that are expected here. A host may have several tunnels to one
// remote, and each socket is given the packets of all: what belongs to another tunnel of this host is neither right nor wrong. Pure.

import { OF_LATE_MS, wrongKeyOf } from '../health.js'
import type { PeerStatus } from '../status.js'
import type { Exchange } from './exchange.js'
import { type Finding, fine, found } from './finding.js'
import type { Came } from './question.js'
import type { Subject, Target } from './subject.js'

/** Whether it has the key that this tunnel expects. */
export function isOurs({ keyIn }: Pick<Target, 'keyIn'>, { key }: Came): boolean {
  return key === (keyIn ?? 'none')
}

/** Keys and checksums of what came. */
export function checkMatch(subject: Subject, target: Target, heard: Exchange): Finding[] {
  const { answer, icmp, came, refused, listens } = heard
  const { text } = target.address
  const findings = [...wrongKey(subject, target, heard), ...wrongChecksum(target, heard.came)]
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
  const ours = came.filter((one) => isOurs(target, one)).length
  if (ours === 1) return [fine('match', 'key and checksum of the packet that was received are as expected')]
  if (ours > 0) return [fine('match', `key and checksum of ${ours} received packets are as expected`)]
  if (came.length > 0) {
    const words = `nothing came from ${text} ${withKey(target.keyIn ?? 'none')} while the doctor listened; what came is for other tunnels of this host`
    return [found('nothing-received', words)]
  }
  if (!listens || refused !== undefined || icmp.length > 0) return [] // why nothing came is known
  return [found('nothing-received', `nothing came from ${text} while the doctor listened, whatever its key`)]
}

/** As checkMatch, from what a running tsgre knows that hears the remote. */
export function matchKnown(subject: Subject, target: Target): Finding[] {
  const findings = wrongKey(subject, target)
  return findings.length > 0 ? findings : [fine('match', `what comes from ${target.address.text} is taken`)]
}

/**
 * The keys that come and no tunnel of this host wants, where nothing comes with the right one: beside right packets they are those of
 * another tunnel, which has its end elsewhere or hears nothing itself.
 */
export function wrongKey(
  { otherKeys, strayKeys }: Subject,
  { address, keyIn, peer }: Target,
  heard?: Pick<Exchange, 'answer' | 'came'>,
): Finding[] {
  const of = (keys: Subject['otherKeys']) => keys.filter(({ remote }) => remote === address.text).map(({ key }) => key)
  const known = of(otherKeys)
  const came = heard?.came ?? []
  if (came.some((one) => isOurs({ keyIn }, one))) return []
  const wrong = came.filter((one) => !known.includes(one.key) || isAnswer(one, heard?.answer)).map(({ key }) => key)
  if (wrong.length === 0 && !(known.length > 0 && !heard && hearsOfLate(peer)))
    wrong.push(...ofLate(peer, known), ...of(strayKeys))
  const keys = [...new Set(wrong)]
  const [first] = keys
  if (first === undefined) return []
  const wants = keyIn === undefined ? 'none' : `key ${keyIn}`
  const remedy =
    first === 'none'
      ? 'give that host the --key of this one'
      : `tsgre --key ${first} here, or --key ${keyIn ?? '(none)'} there`
  const has = keys.map(withKey).join(' and ')
  return [found('wrong-key', `packets from ${address.text} come ${has}, this tunnel wants ${wants}`, remedy)]
}

function withKey(key: number | 'none'): string {
  return key === 'none' ? 'without a key' : `with key ${key}`
}

/** To the doctor's own question: then it is for this tunnel, whatever its key. */
function isAnswer({ answers }: Came, answer: Exchange['answer']): boolean {
  return answer?.question.nonce.every((part, at) => part === answers?.[at]) ?? false
}

/** Of several tunnels to a remote each sees the others' wrong keys as its own. */
function hearsOfLate(peer: PeerStatus | undefined): boolean {
  return peer?.lastReceived !== undefined && Date.now() - peer.lastReceived < OF_LATE_MS
}

function ofLate(peer: PeerStatus | undefined, known: readonly (number | 'none')[]): (number | 'none')[] {
  const key = peer && wrongKeyOf(peer, Date.now(), (one) => known.includes(one))
  return key === undefined ? [] : [key]
}

function wrongChecksum({ address, keyIn, receiveChecksum }: Target, came: readonly Came[]): Finding[] {
  const { text } = address
  const ours = came.filter((one) => isOurs({ keyIn }, one))
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
