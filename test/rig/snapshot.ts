// What a host looks like from outside: its links, bridge ports, addresses, routes and rules, as one text a line each.
// Two texts are equal exactly when nothing was changed, or everything was put back.

import { execFileSync } from 'node:child_process'
import type { Hosts } from './hosts.js'
import type { HostName } from './topology.js'

const ASKED = [
  ['ip', '-json', '-details', 'link', 'show'],
  ['bridge', '-json', '-details', 'link', 'show'],
  ['ip', '-json', 'address', 'show'],
  ['ip', '-json', '-4', 'route', 'show', 'table', 'all'],
  ['ip', '-json', '-6', 'route', 'show', 'table', 'all'],
  ['ip', '-json', 'rule', 'show'],
] as const

export function snapshot(rig: Hosts, host: HostName): string {
  return ASKED.flatMap(([command, ...words]) => {
    const argv = ['-n', rig.namespace(host), ...words]
    const listed = JSON.parse(execFileSync(command, argv, { encoding: 'utf8' }) || '[]')
    return [words.slice(1).join(' '), ...listed.map((entry: unknown) => JSON.stringify(entry, withoutClocks))]
  }).join('\n')
}

/** A bridge's timers run, whoever looks. */
function withoutClocks(key: string, value: unknown): unknown {
  return key.endsWith('_timer') ? undefined : value
}
