// What a Docker host looks like from outside, as lines: two are equal exactly when tsgre left no trace.

import { setTimeout as sleep } from 'node:timers/promises'
import type { DockerHost } from './docker-host.js'

/** Timers, and the counters of chains in `iptables-save`, run whoever looks. */
const SCRIPT = `
ip -details address show | grep -v valid_lft | sed -E 's/ (hello|tcn|topology_change|gc)_timer +[0-9.]+//g; s/ qdisc [a-z_]+//'
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

/** What went and came since `before`, once the kernel has told of carriers that are gone. */
export async function dockerChanges(host: DockerHost, before: readonly string[]): Promise<string[]> {
  for (const deadline = Date.now() + 6000; ; await sleep(200)) {
    const after = await dockerSnapshot(host)
    const changes = [
      ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
      ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
    ]
    if (changes.length === 0 || Date.now() > deadline) return changes
  }
}

/** A snapshot that was the same twice. */
export async function settledDockerSnapshot(host: DockerHost): Promise<string[]> {
  for (let last = ''; ; await sleep(500)) {
    const now = await dockerSnapshot(host)
    if (now.join('\n') === last) return now
    last = now.join('\n')
  }
}
