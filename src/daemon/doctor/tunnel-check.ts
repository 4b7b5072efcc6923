// What a tunnel that runs here tells of itself, as far as no other check has found it; and where it is another one than was asked
// for. Pure.

import type { Problem } from '../status.js'
import { type Check, type Finding, type FindingCode, fine, found } from './finding.js'
import type { Subject, Target } from './subject.js'

/** Problems of a status that only the tunnel itself can know, by their codes. */
const OWN: Readonly<Record<string, Exclude<FindingCode, 'check-failed'>>> = {
  'tunnel-failed': 'tunnel-failed',
  loop: 'loop',
  'nothing-sent': 'nothing-sent',
  loss: 'loss',
  checksum: 'checksum-wrong',
}

/** The others, with the check that tells them better, where it comes to a result. */
const CHECKED: Readonly<Record<string, Check>> = {
  'tap-down': 'tap',
  'name-not-resolved': 'route',
  'no-gre-there': 'answer',
  'no-tunnel-there': 'answer',
  'host-unreachable': 'answer',
  'net-unreachable': 'answer',
  prohibited: 'answer',
  'icmp-error': 'answer',
  'peer-down': 'answer',
  'key-mismatch': 'match',
  'checksum-refused': 'match',
  'nothing-received': 'match',
  'narrow-path': 'path-mtu',
}

/** What ICMP has said, at some time of late. */
const HEARSAY = new Set([
  'no-gre-there',
  'no-tunnel-there',
  'host-unreachable',
  'net-unreachable',
  'prohibited',
  'icmp-error',
])

/** `others`: what the other checks have found of this tunnel. */
export function checkTunnel(
  { tap, problems, targets }: Pick<Subject, 'tap' | 'problems' | 'targets'>,
  others: readonly Finding[],
): Finding[] {
  if (!problems) return []
  const findings = [
    ...targets.flatMap((target) => [...missing(target, tap), ...differing(target, tap)]),
    ...problems.flatMap((problem) => tell(problem, others)),
  ]
  if (findings.some(({ check }) => check === 'tunnel')) return findings
  return [fine('tunnel', `the tsgre on ${tap} tells of no loop and no drops`), ...findings]
}

function missing({ address, peer, differs }: Target, tap: string | undefined): Finding[] {
  if (peer || differs.length > 0) return []
  const text = `the tsgre that runs here on ${tap} does not have ${address.text} as a remote: it sends nothing there, and takes nothing from there`
  const remedy = `tsgre peers add ${address.text} --tap ${tap}; or give it at the start, too`
  return [{ ...found('not-a-remote', text, remedy), remote: address.text }]
}

function differing({ address, differs }: Target, tap: string | undefined): Finding[] {
  if (differs.length === 0) return []
  const has = differs.map(({ runs }) => runs).join(', ')
  const asked = differs.map(({ asked }) => asked).join(', ')
  const text = `the tsgre that runs here on ${tap} has ${has} for ${address.text}; the doctor asks with ${asked}, as it was told`
  const remedy = 'leave that option away to look at the tunnel as it runs; or start the tunnel anew with it'
  return [{ ...found('tunnel-differs', text, remedy), remote: address.text }]
}

function tell({ code, text, remedy, remote }: Problem, others: readonly Finding[]): Finding[] {
  const same = others.filter((other) => other.remote === remote || remote === undefined)
  const check = CHECKED[code]
  if (check && same.some((other) => other.check === check && other.level !== 'unknown')) return []
  // What this host drops on its way in is why nothing comes.
  if ((check === 'answer' || check === 'match') && same.some((other) => other.code === 'firewall-input')) return []
  const name = OWN[code] ?? (code.startsWith('drops-') ? 'dropped' : 'tunnel-problem')
  if (same.some((other) => other.code === name)) return []
  // Where nothing at all came to the doctor's questions, that is what is true now.
  const over = HEARSAY.has(code) && same.some((other) => other.code === 'nothing-received')
  const words = over ? `ICMP said of late, and says no more: ${text}` : text
  return [{ ...found(name, words, remedy), ...(remote === undefined ? {} : { remote }) }]
}
