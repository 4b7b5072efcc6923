// Container to container through two daemons: small and large pings, and a bulk TCP transfer compared by its SHA-256, in
// every combination of underlay, GRE options and port. Nothing may be dropped without an explanation.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { closeBothBooks, type Pair } from '../rig/accounts.js'
import type { Daemon } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import type { Family, HostName } from '../rig/topology.js'

const LONG = Boolean(process.env.TSGRE_LONG)
const MB = 1_000_000
const FEW = (LONG ? 64 : 3) * MB
const SIZES = [1, 1000, 1448]
const FAMILIES: readonly Family[] = [4, 6]
const HOSTS: readonly HostName[] = ['A', 'B']
const PORTS = ['mmsg', 'raw-socket']
const VARIANTS: readonly (readonly [string, readonly string[], gre: number])[] = [
  ['plain', [], 4],
  ['a key', ['--key', '42'], 8],
  ['checksums', ['--csum'], 8],
  ['sequence numbers', ['--seq'], 8],
  ['all three', ['--key', '42', '--csum', '--seq'], 16],
]

function fitContainers(rig: Hosts, { A, B }: Pair<Daemon>): void {
  rig.ip('cA', `link set eth0 mtu ${A.up.tunnelMtu}`)
  rig.ip('cB', `link set eth0 mtu ${B.up.tunnelMtu}`)
}

async function pingBothWays(rig: Hosts, family: Family): Promise<void> {
  for (const size of SIZES) {
    for (const [from, to] of [
      ['cA', 'cB'],
      ['cB', 'cA'],
    ] as const) {
      const { loss, output } = await rig.ping(from, to, { size, family })
      assert.is(loss, 0, `${size} bytes from ${from} to ${to}: ${output}`)
    }
  }
}

/** Everything, with one family inside; both ways. */
async function carry(rig: Hosts, daemons: Pair<Daemon>, bytes: number, inside: Family = 4): Promise<void> {
  fitContainers(rig, daemons)
  await pingBothWays(rig, inside)
  const options = { family: inside, timeoutMs: 60_000 + bytes / 1000 }
  assert.is((await rig.transfer('cA', 'cB', bytes, { ...options, seed: 1 })).bytes, bytes)
  assert.is((await rig.transfer('cB', 'cA', FEW, { ...options, seed: 2 })).bytes, FEW)
  await closeBothBooks(rig, daemons)
}

for (const family of FAMILIES) {
  for (const io of PORTS) {
    for (const [how, options, gre] of VARIANTS) {
      test(`carries pings and a transfer over IPv${family} with ${how}, --io ${io}`, async () => {
        using rig = new Hosts({ overlay: 'flat' })
        const daemons = await rig.tunnel(['--io', io, ...options], { family })
        const mtu = 1500 - (family === 4 ? 20 : 40) - gre - 14
        assert.equal([daemons.A.up.tunnelMtu, daemons.A.up.mtu], [mtu, 1500])
        await carry(rig, daemons, FEW)
      })
    }
    test(`carries IPv6 inside over IPv${family}, --io ${io}`, async () => {
      using rig = new Hosts({ overlay: 'flat', containerIpv6: true })
      // Such a container speaks by itself, and would do so while only one of the two TAPs is up.
      for (const host of HOSTS) rig.ip(host, 'link set veth0 nomaster')
      const daemons = await rig.tunnel(['--io', io], { family })
      for (const host of HOSTS) rig.ip(host, 'link set veth0 master docker0')
      await rig.reach('cA', 'cB', { family: 6 })
      await carry(rig, daemons, FEW, 6)
    })
  }

  test(`mmsg on one side and raw-socket on the other understand each other over IPv${family}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const options = ['--key', '42', '--csum', '--seq']
    const [A, B] = await Promise.all([
      rig.tsgre('A', ['--io', 'mmsg', ...options], { family }),
      rig.tsgre('B', ['--io', 'raw-socket', ...options], { family }),
    ])
    await carry(rig, { A, B }, FEW)
  })

  const many = (LONG && family === 4 ? 1000 : 64) * MB
  test(`carries ${many / MB} MB over IPv${family}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    await carry(rig, await rig.tunnel([], { family }), many)
  })
}

test('carries between routed container networks', async () => {
  using rig = new Hosts({ overlay: 'routed' })
  const [A, B] = await Promise.all([
    rig.tsgre('A', ['--route', rig.network('B')]),
    rig.tsgre('B', ['--route', rig.network('A')]),
  ])
  await carry(rig, { A, B }, FEW)
})

test.run()
