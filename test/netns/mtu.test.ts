// Containers with Ethernet's MTU of 1500 over an underlay of 1500: nobody is told anything, and everything arrives.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { happened } from '../rig/accounts.js'
import type { Daemon } from '../rig/daemon.js'
import { datagrams } from '../rig/datagrams.js'
import { Hosts } from '../rig/hosts.js'
import { Ovs } from '../rig/ovs.js'
import type { Family, HostName } from '../rig/topology.js'

const LONG = Boolean(process.env.TSGRE_LONG)
const MB = 1_000_000
const MUCH = (LONG ? 100 : 16) * MB
const HOSTS: readonly HostName[] = ['A', 'B']
const CONTAINERS = ['cA', 'cB'] as const

const CASES: readonly (readonly [how: string, args: string[], family: Family, tunnelMtu: number])[] = [
  ['plain', [], 4, 1462],
  ['with key, checksum and sequence number', ['--key', '42', '--csum', '--seq'], 4, 1450],
  ['over IPv6', [], 6, 1442],
  ['in UDP', ['--encap', 'udp'], 4, 1454],
  ['with --no-offload', ['--no-offload'], 4, 1462],
  ['with --no-clamp-mss', ['--no-clamp-mss'], 4, 1462],
]

/** No container speaks before both ends are up. */
async function joined(rig: Hosts, args: readonly string[], family: Family): Promise<Record<HostName, Daemon>> {
  for (const host of HOSTS) rig.ip(host, 'link set veth0 nomaster')
  const daemons = await rig.tunnel(args, { family })
  for (const host of HOSTS) rig.ip(host, 'link set veth0 master docker0')
  await rig.reach('cA', 'cB', { family: 6 })
  await rig.reach('cA', 'cB')
  return daemons
}

function hosts(): Hosts {
  return new Hosts({ overlay: 'flat', containerIpv6: true, containerMtu: 1500 })
}

/** A ping with DF; what its container's kernel then knows of the way. */
async function learns(rig: Hosts, tunnelMtu: number): Promise<void> {
  const { output } = await rig.ping('cA', 'cB', { size: 1472, count: 1, dontFragment: true, wait: 1 })
  assert.match(output, new RegExp(`From ${rig.address('cB')} .*Frag needed and DF set \\(mtu = ${tunnelMtu}\\)`))
  assert.match(rig.ip('cA', `route get ${rig.address('cB')}`), new RegExp(`mtu ${tunnelMtu}`))
  assert.is((await rig.ping('cA', 'cB', { size: tunnelMtu - 28, dontFragment: true })).loss, 0)
  await rig.ping('cA', 'cB', { size: 1452, count: 1, family: 6, wait: 1 })
  assert.match(rig.ip('cA', `-6 route get ${rig.address('cB', 6)}`), new RegExp(`mtu ${tunnelMtu}`))
  await rig.reach('cA', 'cB', { size: 1452, family: 6 }) // who replies has to learn it too
  assert.is((await rig.ping('cA', 'cB', { size: 1452, family: 6 })).loss, 0)
}

async function transfers(rig: Hosts, bytes: number): Promise<void> {
  for (const family of [4, 6] as const) {
    assert.is((await rig.transfer('cA', 'cB', bytes, { family })).bytes, bytes)
    assert.is((await rig.transfer('cB', 'cA', bytes, { family, seed: 2 })).bytes, bytes)
  }
}

for (const [how, args, family, tunnelMtu] of CASES) {
  test(`${how}: TCP of ${MUCH / MB} MB flows both ways, whatever the containers leave to their hardware`, async () => {
    using rig = hosts()
    const daemons = await joined(rig, args, family)
    assert.equal([daemons.A.up.mtu, daemons.A.up.tunnelMtu], [1500, tunnelMtu])
    await transfers(rig, MUCH)
    for (const node of CONTAINERS) rig.offloadsOff(node, 'eth0')
    await transfers(rig, MUCH / 4)
    for (const host of HOSTS) assert.equal(happened((await daemons[host].stop()).summary), {})
  })

  test(`${how}: who must not be cut is told ${tunnelMtu}, all else arrives`, async () => {
    using rig = hosts()
    const daemons = await joined(rig, args, family)
    for (const size of ['1472', '4000', '60000']) {
      const argv = ['ping', '-n', '-M', 'dont', '-c', '2', '-i', '0.2', '-W', '5', '-s', size, rig.address('cA')]
      assert.match((await rig.exec('cB', argv)).stdout, / 2 received/)
    }
    for (const size of [1, 512, 1472, 8000]) {
      assert.is(await datagrams(rig, 'cA', 'cB', { size, discover: false }), 1, `${size} bytes without DF`)
    }
    for (const size of [512, 1472, 8000]) {
      // The first one of 1472 is answered; the kernel sends the next in pieces.
      const came = await datagrams(rig, 'cB', 'cA', { size, times: 2 })
      assert.is(came, size === 1472 ? 1 : 2, `${size} bytes`)
    }
    await learns(rig, tunnelMtu)
    // The one that ends first answers the other's frames with an ICMP error.
    for (const node of CONTAINERS) rig.ip(node, 'link set eth0 down')
    const [a, b] = [await daemons.A.stop(), await daemons.B.stop()]
    assert.equal([happened(a.summary), happened(b.summary)], [{ answered: 2 }, { answered: 2 }])
  })
}

test('a SYN arrives with the segment size that fits, of IPv4 and of IPv6, either way', async () => {
  using rig = hosts()
  await joined(rig, [], 4)
  for (const [from, to] of [CONTAINERS, [...CONTAINERS].reverse()] as const) {
    const capture = await rig.capture(to!, 'eth0', 'tcp or ip6')
    await rig.transfer(from!, to!, MB)
    await rig.transfer(from!, to!, MB, { family: 6 })
    const syns = (await capture.stop(['-nn'])).filter((line) => /Flags \[S/.test(line))
    // Those that came, and the answers as the container itself sent them; a late one comes twice.
    const sizes = new Set(syns.map((line) => /mss (\d+)/.exec(line)?.[1]))
    assert.equal([...sizes].sort(), ['1402', '1422', '1440', '1460'])
  }
})

test('Open vSwitch on the other side: TCP flows both ways, and nothing we send is too large for it', async () => {
  using rig = hosts()
  const [daemon] = await Promise.all([rig.tsgre('A'), Ovs.start(rig, 'B')])
  await rig.reach('cA', 'cB')
  const wire = await rig.capture('A', 'eth1', `src ${rig.address('A')} and (ip[6:2] & 0x3fff != 0 or greater 1515)`)
  await rig.transfer('cA', 'cB', MUCH)
  await rig.transfer('cB', 'cA', MUCH)
  for (const size of [1472, 8000]) assert.is(await datagrams(rig, 'cA', 'cB', { size, discover: false }), 1)
  assert.equal(await wire.stop(), [])
  await daemon.stop()
})

test('routed container networks need no other MTU either', async () => {
  using rig = new Hosts({ overlay: 'routed', containerMtu: 1500 })
  const [A, B] = await Promise.all([
    rig.tsgre('A', ['--route', rig.network('B')]),
    rig.tsgre('B', ['--route', rig.network('A')]),
  ])
  await rig.reach('cA', 'cB')
  await rig.transfer('cA', 'cB', MUCH)
  await rig.transfer('cB', 'cA', MUCH)
  const { output } = await rig.ping('cA', 'cB', { size: 1472, count: 1, dontFragment: true, wait: 1 })
  assert.match(output, /Frag needed and DF set \(mtu = 1462\)/)
  for (const daemon of [A, B]) assert.is((await daemon.stop()).summary.drops['too-big'], 0)
})

test.run()
