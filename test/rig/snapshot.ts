// What a host looks like from outside: its links, bridge ports, addresses, routes and rules, as one text a line each.
// Two are equal exactly when nothing was changed, or everything was put back.

import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
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

export function snapshot(rig: Hosts, host: HostName): readonly string[] {
  return ASKED.flatMap(([command, ...words]) => {
    const argv = ['-n', rig.namespace(host), ...words]
    const listed = JSON.parse(execFileSync(command, argv, { encoding: 'utf8' }) || '[]')
    return listed
      .filter(isChosen)
      .map((entry: unknown) => `${words.slice(1).join(' ')}: ${JSON.stringify(entry, withoutClocks)}`)
  })
}

/** The kernel adds a multicast route to whatever has had a carrier, and keeps it. */
function isChosen({ dst }: { dst?: string }): boolean {
  return dst !== 'ff00::/8'
}

/** A bridge's timers run whoever looks, and the kernel never takes back the queue of a device that was up once. */
function withoutClocks(key: string, value: unknown): unknown {
  return key.endsWith('_timer') || key === 'qdisc' ? undefined : value
}

/**
 * A snapshot once the rig's own links have come up, of which the kernel may tell a second late (net/core/link_watch.c), and
 * their IPv6 addresses are no longer tentative.
 */
export async function settledSnapshot(rig: Hosts, host: HostName): Promise<readonly string[]> {
  const own = ['eth1', 'veth0', 'docker0']
  for (const deadline = Date.now() + 30_000; ; await sleep(50)) {
    const links = rig.ipJson(host, 'link show')
    const waiting = links.filter(({ ifname, operstate }) => own.includes(ifname) && operstate !== 'UP')
    if (waiting.length === 0 && rig.ip(host, '-6 address show tentative') === '') return snapshot(rig, host)
    if (Date.now() > deadline) throw new Error(`${host} has links that do not come up: ${JSON.stringify(waiting)}`)
  }
}

/** The lines that went (`-`) and came (`+`) since `before`. */
export function changes(rig: Hosts, host: HostName, before: readonly string[]): string[] {
  const after = snapshot(rig, host)
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ]
}

/** The same, when the kernel has had time to tell of a carrier that is gone; but for lines that are `expected`. */
export async function settledChanges(
  rig: Hosts,
  host: HostName,
  before: readonly string[],
  expected?: RegExp,
): Promise<string[]> {
  for (const deadline = Date.now() + 30_000; ; await sleep(100)) {
    const found = changes(rig, host, before).filter((line) => !expected?.test(line))
    if (found.length === 0 || Date.now() > deadline) return found
  }
}
