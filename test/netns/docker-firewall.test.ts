// Two real Docker engines that keep their containers apart (--icc=false), with either back end of iptables, and one flat
// network over both: tsgre lets its own packets through, and nothing else.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Daemon } from '../rig/daemon.js'
import { DockerHosts, type DockerHostsOptions } from '../rig/docker-hosts.js'
import { dockerChanges, settledDockerSnapshot } from '../rig/docker-snapshot.js'

const HOSTS = ['A', 'B'] as const
const BIP = { A: '10.103.100.1/24', B: '10.103.200.1/24' }

interface Case {
  engines: DockerHostsOptions
  /** Words of `tsgre docker apply` besides --bip. */
  apply: string
  routed: boolean
}

async function withEngines(
  { engines, apply, routed }: Case,
  body: (rig: DockerHosts, args: typeof argsOf) => Promise<void>,
) {
  using rig = await DockerHosts.start(engines)
  await Promise.all(
    HOSTS.map(async (host) => {
      const { code, stderr } = await rig[host].tsgre(`apply --bip ${BIP[host]} ${apply}`)
      assert.is(code, 0, stderr)
      await rig.container(host)
    }),
  )
  await body(rig, (of, host) => (routed ? of.route(host) : Promise.resolve([])))
}

async function argsOf(rig: DockerHosts, host: 'A' | 'B'): Promise<string[]> {
  return await rig.route(host)
}

async function rules(rig: DockerHosts): Promise<string> {
  return (await rig.A.run('iptables', '-S', 'DOCKER-USER')).stdout
}

/** Whether a second container of host A can speak to the first. */
async function neighbours(rig: DockerHosts): Promise<boolean> {
  await rig.A.docker('run -d --name neighbour --stop-signal KILL box /busybox sleep 1000000')
  const ping = `exec neighbour /busybox ping -c 1 -W 1 ${rig.address('cA')}`
  const reached = await rig.A.docker(ping).then(
    () => true,
    () => false,
  )
  await rig.A.docker('rm -f neighbour')
  return reached
}

async function stopped(daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) assert.is((await daemon.stop()).code, 0)
}

for (const { claim, ...engines } of [
  {
    claim: 'routed containers kept apart with --icc=false, iptables-nft',
    engines: { flags: '--icc=false' },
    apply: '--restart',
    routed: true,
  },
  {
    claim: 'routed containers kept apart with --icc=false, iptables-legacy',
    engines: { flags: '--icc=false', iptables: 'legacy' },
    apply: '--restart',
    routed: true,
  },
  {
    claim: 'a flat network kept apart with --icc=false',
    engines: { flags: '--icc=false' },
    apply: '--flat --restart',
    routed: false,
  },
] as const) {
  test(`${claim}: reach the other host, not each other, and the rules go with the tunnel`, () =>
    withEngines(engines, async (rig, args) => {
      const before = await settledDockerSnapshot(rig.A)
      const [A, B] = await Promise.all(HOSTS.map(async (host) => rig.tsgre(host, await args(rig, host))))
      const firewall = A!.up.changes.filter(({ what }: { what: string }) => what.startsWith('firewall:'))
      assert.is(firewall.length, 2, JSON.stringify(A!.up.changes))
      await rig.reach('cA', 'cB')
      await rig.reach('cB', 'cA')
      assert.is((await rig.transfer('cA', 'cB', 1_000_000)).bytes, 1_000_000)
      assert.not.ok(await neighbours(rig))

      // dockerd rewrites its chains when it starts; somebody empties the one for others.
      await rig.A.systemctl('restart')
      await rig.container('A')
      await rig.reach('cA', 'cB')
      await rig.A.run('iptables', '-F', 'DOCKER-USER')
      await A!.child.waitFor(/put back: firewall/, 30_000)
      assert.match(await rules(rig), /--comment "tsgre tap0"/)
      await rig.reach('cA', 'cB')
      await rig.A.run('iptables', '-A', 'DOCKER-USER', '-j', 'RETURN')

      await stopped([A!, B!])
      assert.is(await rules(rig), '-N DOCKER-USER\n-A DOCKER-USER -j RETURN\n')
      const veth = /veth|if\d+|00:00|fe80|link\/ether|^. {4,}|tap0/ // the container was made anew
      assert.equal(await dockerChanges(rig.A, before, veth), [])
    }))
}

test('iptables-legacy without --icc=false needs no rule, and containers reach each other', () =>
  withEngines({ engines: { iptables: 'legacy' }, apply: '--restart', routed: true }, async (rig) => {
    const before = await rules(rig)
    const [A, B] = await Promise.all(HOSTS.map(async (host) => rig.tsgre(host, await rig.route(host))))
    await rig.reach('cA', 'cB')
    assert.is(await rules(rig), before)
    await stopped([A!, B!])
  }))

test('a flat network needs neither routes nor rules, and its containers are neighbours', () =>
  withEngines({ engines: {}, apply: '--flat --restart', routed: false }, async (rig) => {
    const before = await rules(rig)
    assert.match(rig.address('cA'), /^10\.103\.100\./)
    assert.match(rig.address('cB'), /^10\.103\.200\./)
    const [A, B] = await Promise.all(HOSTS.map((host) => rig.tsgre(host)))
    assert.is(await rules(rig), before)
    await rig.reach('cA', 'cB')
    for (const [from, to] of [
      ['cA', 'cB'],
      ['A', 'cB'],
      ['cB', '10.103.100.1'],
    ] as const)
      assert.is((await rig.ping(from, to)).ttl, 64, `${from} ${to}`)
    assert.is((await rig.transfer('cA', 'cB', 2_000_000)).bytes, 2_000_000)
    assert.is((await rig.transfer('cB', 'cA', 2_000_000)).bytes, 2_000_000)
    await stopped([A!, B!])
  }))

test.run()
