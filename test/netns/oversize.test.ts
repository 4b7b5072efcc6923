// What may not be cut, frames that are no IP, and what the options make of them; outer congestion marks on their way in.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { happened } from '../rig/accounts.js'
import { datagrams } from '../rig/datagrams.js'
import { Hosts } from '../rig/hosts.js'
import type { Family } from '../rig/topology.js'

const ETHERTYPE = 0x88b6 // for local experiments (IEEE 802)

function hosts(options = {}): Hosts {
  return new Hosts({ overlay: 'flat', containerMtu: 1500, ...options })
}

/** Sends a frame that is no IP, 1514 octets long; how many of that EtherType came. */
async function foreignFrames(rig: Hosts): Promise<number> {
  const capture = await rig.capture('cB', 'eth0', `ether proto ${ETHERTYPE}`)
  const script = `import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0)); s.send(bytes([255] * 6 + [2, 0, 0, 0, 0, 1, ${ETHERTYPE >> 8}, ${ETHERTYPE & 255}]) + bytes(1500))`
  await rig.exec('cA', ['python3', '-c', script])
  await rig.ping('cA', 'cB', { count: 2 })
  return (await capture.stop(['-nn', '-e'])).filter((line) => line.includes('length 1514')).length
}

for (const [family, args] of [
  [4, []],
  [6, []],
  [4, ['--encap', 'udp']],
] as const) {
  test(`--oversize outer: everything passes, in outer fragments, over IPv${family} ${args.join(' ')}`, async () => {
    using rig = hosts()
    const { A } = await rig.tunnel(['--oversize', 'outer', ...args], { family })
    await rig.reach('cA', 'cB')
    const wire = await rig.capture('A', 'eth1')
    assert.is((await rig.ping('cA', 'cB', { size: 1472, dontFragment: true })).loss, 0)
    assert.is(await foreignFrames(rig), 1)
    assert.is(await datagrams(rig, 'cA', 'cB', { size: 1472 }), 1)
    const lines = await wire.stop(['-nn', '-v'])
    assert.ok(lines.some((line) => (family === 4 ? /flags \[\+\]/ : /frag \(/).test(line)))
    assert.is((await rig.transfer('cA', 'cB', 4_000_000)).bytes, 4_000_000)
    assert.equal(happened((await A.stop()).summary), {})
  })
}

for (const [family, args] of [
  [4, []],
  [6, []],
  [4, ['--encap', 'udp']],
  [6, ['--encap', 'udp']],
] as const) {
  test(`frames of 60 000 octets arrive out of their outer fragments, over IPv${family} ${args.join(' ')}`, async () => {
    using rig = hosts({ containerMtu: 60_000 })
    for (const host of ['A', 'B'] as const) rig.ip(host, 'link set veth0 mtu 60000')
    const { A } = await rig.tunnel(['--oversize', 'outer', ...args], { family })
    assert.equal([A.up.mtu, rig.ipJson('A', 'link show docker0')[0].mtu], [60_000, 60_000])
    await rig.reach('cA', 'cB')
    assert.is((await rig.ping('cA', 'cB', { size: 59_972, dontFragment: true })).loss, 0)
    assert.equal(happened((await A.stop()).summary), {})
  })
}

test('a frame that is no IP and does not fit is dropped and counted, unless it may go in fragments', async () => {
  using rig = hosts()
  const { A } = await rig.tunnel()
  await rig.reach('cA', 'cB')
  assert.is(await foreignFrames(rig), 0)
  assert.equal(happened((await A.stop()).summary), { 'too-big': 1 })
})

test('--oversize drop: nobody is told, nothing is cut but superframes', async () => {
  using rig = hosts()
  const { A } = await rig.tunnel(['--oversize', 'drop'])
  await rig.reach('cA', 'cB')
  for (const dontFragment of [true, false])
    assert.is((await rig.ping('cA', 'cB', { size: 1472, dontFragment, wait: 0.3 })).received, 0)
  assert.is((await rig.transfer('cA', 'cB', 4_000_000)).bytes, 4_000_000)
  assert.equal(happened((await A.stop()).summary), { 'too-big': 6 })
})

test('IPv6 packets of 1280 pass a tunnel that is narrower, and the start says how', async () => {
  using rig = hosts({ containerIpv6: true, mtu: 1300 })
  for (const host of ['A', 'B'] as const) rig.ip(host, 'link set veth0 nomaster')
  const { A } = await rig.tunnel()
  for (const host of ['A', 'B'] as const) rig.ip(host, 'link set veth0 master docker0')
  assert.is(A.up.tunnelMtu, 1262)
  assert.match(A.stderr, /IPv6 takes 1280 for granted/)
  await rig.reach('cA', 'cB', { family: 6 })
  assert.is((await rig.ping('cA', 'cB', { family: 6, size: 1232 })).loss, 0)
  await rig.reach('cA', 'cB', { family: 6, size: 1400 }) // learns 1280
  assert.is((await rig.transfer('cA', 'cB', 4_000_000, { family: 6 })).bytes, 4_000_000)
  const { summary } = await A.stop()
  assert.is(summary.drops['too-big'], 0)
})

/** Every packet of the tunnel gets CE on its way. */
function congest(rig: Hosts, how: string, family: Family): void {
  rig.middleRules([`${how} ${family === 4 ? 'ip' : 'ip6'} ecn set ce`])
}

for (const [family, args, what] of [
  [4, [], 'ip protocol gre'],
  [6, [], 'ip6 nexthdr gre'],
  [4, ['--encap', 'udp'], 'udp dport 4754'],
  [6, ['--encap', 'udp'], 'udp dport 4754'],
] as const) {
  test(`a congestion mark of the underlay reaches who understands it, over IPv${family} ${args.join(' ')}`, async () => {
    using rig = hosts({ middle: true })
    const { B } = await rig.tunnel(args, { family })
    await rig.reach('cA', 'cB')
    const capture = await rig.capture('cB', 'eth0', 'icmp[icmptype] == icmp-echo')
    congest(rig, what, family)
    const tos = (value: string) => ['ping', '-n', '-c', '3', '-i', '0.1', '-W', '0.5', '-Q', value, rig.address('cB')]
    for (const value of ['0x02', '0xba', '0x00']) await rig.exec('cA', tos(value), { anyCode: true })
    rig.middleRules([])
    await rig.reach('cA', 'cB')
    const lines = (await capture.stop(['-nn', '-v', '-t'])).join('\n')
    assert.is([...lines.matchAll(/tos 0x3,CE/g)].length, 3)
    assert.is([...lines.matchAll(/tos 0xbb,CE/g)].length, 3)
    assert.not.match(lines, /bad cksum/)
    const { summary } = await B.stop()
    assert.equal(happened(summary), { ecn: 3 })
  })
}

test('TCP with ECN goes on under a mark on every packet', async () => {
  using rig = hosts({ middle: true })
  const { B } = await rig.tunnel()
  await rig.reach('cA', 'cB')
  for (const node of ['cA', 'cB'] as const) rig.execSync(node, ['sysctl', '-qw', 'net.ipv4.tcp_ecn=1'])
  rig.middleRules(['ip protocol gre ip ecn != not-ect ip ecn set ce'])
  assert.is((await rig.transfer('cA', 'cB', 2_000_000)).bytes, 2_000_000)
  assert.equal(happened((await B.stop()).summary), {})
})

test.run()
