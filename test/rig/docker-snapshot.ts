// What a Docker host looks like from outside, as lines: two are equal exactly when tsgre left no trace.

import { setTimeout as sleep } from 'node:timers/promises'
import type { DockerHost } from './docker-host.js'

/** Timers, and the counters of chains in `iptables-save`, run whoever looks. */
const SCRIPT = `
ip -details address show | grep -v valid_lft | sed -E 's/ (hello|tcn|topology_change|gc|hold|message_age|forward_delay)_timer +[0-9.]+//g; s/ qdisc [a-z_]+//'
ip route show table all | grep -v '^multicast'
ip -6 route show table all | grep -v '^multicast'
ip rule show
bridge link show
for save in iptables-save ip6tables-save; do $save | sed -E '/^#/d; s/ \\[[0-9]+:[0-9]+\\]//'; done
find /proc/sys/net/ipv4 /proc/sys/net/ipv6/conf /proc/sys/net/bridge -type f -perm -004 \\
  ! -name '*random*' ! -path '*/neigh/*' ! -name stable_secret 2>/dev/null | sort | xargs grep -H . 2>/dev/null | grep -v 'route/\\|fib_'
ls -ln /etc/docker | grep -v ^total
head -c -0 /etc/docker/daemon.json 2>/dev/null
ls /run/tsgre 2>/dev/null
`

export async function dockerSnapshot(host: DockerHost): Promise<string[]> {
  const { stdout, code, stderr } = await host.run('bash', '-c', SCRIPT)
  if (code !== 0 && stderr) throw new Error(stderr)
  return stdout.split('\n')
}

/** Lines that went and that came. */
export function differences(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ]
}

/** What went and came since `before`, once the kernel has told of carriers that are gone; of lines that are not `expected`. */
export async function dockerChanges(host: DockerHost, before: readonly string[], expected?: RegExp): Promise<string[]> {
  for (const deadline = Date.now() + 30_000; ; await sleep(200)) {
    const changes = differences(before, await dockerSnapshot(host)).filter((line) => !expected?.test(line))
    if (changes.length === 0 || Date.now() > deadline) return changes
  }
}

const QUIET_MS = 2000

/**
 * A snapshot that has not changed for a while: the kernel may tell of a carrier a second late (net/core/link_watch.c), and an
 * IPv6 address that comes with it is tentative for another second or two.
 */
export async function settledDockerSnapshot(host: DockerHost): Promise<string[]> {
  for (let last = '', since = 0; ; await sleep(250)) {
    const lines = await dockerSnapshot(host)
    const now = lines.join('\n')
    if (now !== last || now.includes(' tentative')) since = Date.now()
    else if (Date.now() - since >= QUIET_MS) return lines
    last = now
  }
}
