// What the doctor says: one finding a line, with a stable code. The list of codes is the one that docs/doctor.md has, and each has
// its check and its weight here, so that no check can give the same code two meanings.

/** 'unknown': it cannot be told, and is nobody's fault. */
export type Level = 'ok' | 'warning' | 'problem' | 'unknown'

/** In the order in which they are made. */
export const CHECKS = [
  'capabilities',
  'tun',
  'system',
  'bridge',
  'tap',
  'tunnel',
  'route',
  'firewall',
  'rp-filter',
  'kernel-gre',
  'overlap',
  'answer',
  'match',
  'path-mtu',
] as const

export type Check = (typeof CHECKS)[number]

/** Every code but `ok`, with its check and its level. */
export const FINDINGS = {
  'no-net-admin': ['capabilities', 'problem'],
  'no-net-raw': ['capabilities', 'problem'],
  'instances-not-asked': ['capabilities', 'unknown'],
  'no-tun': ['tun', 'problem'],
  'tun-not-open': ['tun', 'problem'],
  'tun-refuses': ['tun', 'problem'],
  'old-node': ['system', 'problem'],
  'untried-platform': ['system', 'warning'],
  'bridge-missing': ['bridge', 'problem'],
  'not-a-bridge': ['bridge', 'problem'],
  'bridge-down': ['bridge', 'problem'],
  'tap-mtu-small': ['bridge', 'warning'],
  'tap-missing': ['tap', 'problem'],
  'not-a-tap': ['tap', 'problem'],
  'tap-down': ['tap', 'problem'],
  'tap-not-in-bridge': ['tap', 'problem'],
  'tap-blocked': ['tap', 'problem'],
  'tap-not-held': ['tap', 'problem'],
  'tap-holder-unknown': ['tap', 'unknown'],
  'tap-held-by-other': ['tap', 'warning'],
  'tap-no-carrier': ['tap', 'warning'],
  killed: ['tunnel', 'problem'],
  'nothing-asked': ['tunnel', 'unknown'],
  'tunnel-failed': ['tunnel', 'problem'],
  'tunnel-differs': ['tunnel', 'warning'],
  'not-a-remote': ['tunnel', 'warning'],
  loop: ['tunnel', 'problem'],
  'nothing-sent': ['tunnel', 'warning'],
  dropped: ['tunnel', 'warning'],
  'tunnel-problem': ['tunnel', 'warning'],
  'no-address': ['route', 'problem'],
  'name-gone': ['route', 'warning'],
  'no-route': ['route', 'problem'],
  'route-refuses': ['route', 'problem'],
  'route-loop': ['route', 'problem'],
  'remote-is-local': ['route', 'problem'],
  'forwarding-off': ['route', 'warning'],
  'firewall-input': ['firewall', 'problem'],
  'firewall-output': ['firewall', 'problem'],
  'firewall-forward': ['firewall', 'problem'],
  'firewall-only-answers': ['firewall', 'warning'],
  'firewall-unclear': ['firewall', 'unknown'],
  'firewall-unreadable': ['firewall', 'unknown'],
  'reverse-path-filter': ['rp-filter', 'problem'],
  'kernel-gre-device': ['kernel-gre', 'problem'],
  'kernel-gre-answers': ['kernel-gre', 'warning'],
  'overlap-remote': ['overlap', 'problem'],
  'overlap-network': ['overlap', 'problem'],
  'overlap-route': ['overlap', 'problem'],
  'no-gre-there': ['answer', 'problem'],
  'no-tunnel-there': ['answer', 'problem'],
  'firewall-there': ['answer', 'problem'],
  unreachable: ['answer', 'problem'],
  'not-sent': ['answer', 'problem'],
  'peer-down': ['answer', 'problem'],
  'no-answer': ['answer', 'unknown'],
  loss: ['answer', 'warning'],
  'wrong-key': ['match', 'problem'],
  'checksum-missing': ['match', 'problem'],
  'checksum-unwanted': ['match', 'problem'],
  'checksum-wrong': ['match', 'warning'],
  'checksum-wanted-there': ['match', 'problem'],
  'nothing-received': ['match', 'unknown'],
  'path-mtu-silent': ['path-mtu', 'problem'],
  'path-mtu-unknown': ['path-mtu', 'unknown'],
  'check-failed': [undefined, 'unknown'],
} as const satisfies Record<string, readonly [Check | undefined, Level]>

export type FindingCode = keyof typeof FINDINGS

export interface Finding {
  readonly check: Check
  readonly level: Level
  /** A key of FINDINGS, or 'ok'. */
  readonly code: FindingCode | 'ok'
  readonly text: string
  /** What to do, a command where there is one; empty where all is well or nobody knows. */
  readonly remedy: string
  /** The other host it is about. */
  readonly remote?: string
  /** Of the tunnel it is about. */
  readonly tap?: string
}

export function found(code: Exclude<FindingCode, 'check-failed'>, text: string, remedy = ''): Finding {
  const [check, level] = FINDINGS[code]
  return { check, level, code, text, remedy }
}

export function fine(check: Check, text: string): Finding {
  return { check, level: 'ok', code: 'ok', text, remedy: '' }
}
