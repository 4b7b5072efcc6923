// 802.1Q through the tunnel: the containers have VLAN devices, and the tags come out as they went in.
// A tag is four bytes of the frame that the tunnel's MTU does not count, as with a gretap: a VLAN device in front of a
// tunnel has an MTU of four bytes less for each, or is told so.

import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { closeBothBooks, type Pair } from '../rig/accounts.js'
import type { Daemon } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import type { HostName } from '../rig/topology.js'

const VLAN_DEVICE = fileURLToPath(new URL('../rig/vlan-device.js', import.meta.url))
const ADDRESS = { A: '10.104.0.1', B: '10.104.0.2' }

const CASES: readonly (readonly [how: string, tags: string[], tcpdump: string])[] = [
  ['VLAN 100', ['81000064'], '802.1Q (0x8100), length 102: vlan 100, p 0, ethertype IPv4'],
  ['VLAN 4094 with priority 5', ['8100affe'], '802.1Q (0x8100), length 102: vlan 4094, p 5, ethertype IPv4'],
  ['priority only', ['81006000'], '802.1Q (0x8100), length 102: vlan 0, p 3, ethertype IPv4'],
  [
    'two tags, 802.1ad outside',
    ['88a80007', '81000064'],
    '802.1Q-QinQ (0x88a8), length 106: vlan 7, p 0, ethertype 802.1Q (0x8100), vlan 100, p 0, ethertype IPv4',
  ],
]

/** In the container of `host`: a bridge of eth0 and the trunk of a VLAN device with an address. */
async function addVlan(
  rig: Hosts,
  host: HostName,
  tags: readonly string[],
  mtu: number,
  inside: number,
): Promise<void> {
  const container = `c${host}` as const
  const device = rig.spawn(container, [process.execPath, VLAN_DEVICE, 'vlan', 'trunk', ...tags])
  await device.waitFor(/^up$/)
  for (const command of [
    'link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
    'link set eth0 master br0',
    'link set trunk master br0',
    `link set eth0 mtu ${mtu}`,
    'link set br0 up',
    `link set vlan mtu ${inside}`,
    `address add ${ADDRESS[host]}/24 dev vlan`,
  ]) {
    rig.ip(container, command)
  }
}

async function start(rig: Hosts, args: readonly string[], tags: readonly string[]): Promise<Pair<Daemon>> {
  const daemons = await rig.tunnel(args)
  for (const host of ['A', 'B'] as const) {
    const { tunnelMtu } = daemons[host].up
    await addVlan(rig, host, tags, tunnelMtu, tunnelMtu - 4 * tags.length)
  }
  // A bridge forwards some time after it was told to.
  await rig.reach('cA', ADDRESS.B)
  return daemons
}

for (const io of ['mmsg', 'raw-socket']) {
  for (const [how, tags, words] of CASES) {
    test(`carries frames both ways with their tags: ${how}, --io ${io}`, async () => {
      using rig = new Hosts({ overlay: 'flat' })
      const daemons = await start(rig, ['--io', io], tags)
      const captures = await Promise.all([rig.capture('cA', 'eth0'), rig.capture('cB', 'eth0')])
      assert.is((await rig.ping('cA', ADDRESS.B)).loss, 0)
      assert.is((await rig.ping('cB', ADDRESS.A)).loss, 0)
      const size = daemons.A.up.tunnelMtu - 4 * tags.length - 28
      assert.is((await rig.ping('cA', ADDRESS.B, { size, dontFragment: true })).loss, 0)
      for (const capture of captures) {
        const lines = (await capture.stop()).filter((line) => line.includes('length 64') && line.includes('ICMP'))
        assert.is(lines.length, 12)
        assert.is(lines.filter((line) => line.includes(words)).length, 12, lines[0])
      }
      await closeBothBooks(rig, daemons)
    })
  }
}

test('carries a transfer inside a VLAN, with all GRE options', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const daemons = await start(rig, ['--key', '42', '--csum', '--seq'], ['81000064'])
  const report = await rig.transfer('cA', 'cB', 3_000_000, { address: ADDRESS.B })
  assert.is(report.bytes, 3_000_000)
  await closeBothBooks(rig, daemons)
})

test('a VLAN with an MTU of 1500 needs no other: TCP is cut, the rest fragmented or told four bytes less, tag and all', async () => {
  using rig = new Hosts({ overlay: 'flat', containerMtu: 1500 })
  const daemons = await rig.tunnel()
  for (const host of ['A', 'B'] as const) await addVlan(rig, host, ['81000064'], 1500, 1500)
  await rig.reach('cA', ADDRESS.B)
  assert.is((await rig.transfer('cA', 'cB', 8_000_000, { address: ADDRESS.B })).bytes, 8_000_000)
  assert.is((await rig.transfer('cB', 'cA', 8_000_000, { address: ADDRESS.A })).bytes, 8_000_000)
  const pinged = await rig.exec('cA', ['ping', '-n', '-M', 'dont', '-c', '2', '-W', '2', '-s', '4000', ADDRESS.B])
  assert.match(pinged.stdout, / 2 received/)
  const { output } = await rig.ping('cA', ADDRESS.B, { size: 1472, count: 1, dontFragment: true, wait: 1 })
  assert.match(output, /From 10\.104\.0\.2 .*Frag needed and DF set \(mtu = 1458\)/)
  assert.match(rig.ip('cA', `route get ${ADDRESS.B}`), /mtu 1458/)
  assert.is((await rig.ping('cA', ADDRESS.B, { size: 1458 - 28, dontFragment: true })).loss, 0)
  const { summary } = await daemons.A.stop()
  assert.equal([summary.drops.answered, summary.drops['too-big']], [1, 0])
})

test.run()
