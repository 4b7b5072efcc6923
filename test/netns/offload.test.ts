// Superframes through real TAPs: every byte arrives, whatever the two ends leave to their kernels; the wire carries whole
// packets with right checksums; what the underlay corrupts arrives as loss and never as data.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { closeBothBooks, happened } from '../rig/accounts.js'
import { packetsOfPcap } from '../rig/captures.js'
import { ACK, innerFrame, PSH } from '../rig/flows.js'
import { Hosts } from '../rig/hosts.js'
import { Ovs } from '../rig/ovs.js'
import { random } from '../rig/random.js'
import { segmentedDatagrams } from '../rig/segmented-datagrams.js'
import type { Family, HostName } from '../rig/topology.js'

const LONG = Boolean(process.env.TSGRE_LONG)
const MB = 1_000_000
const MUCH = (LONG ? 1000 : 64) * MB
const SOME = (LONG ? 64 : 8) * MB
const FAMILIES: readonly Family[] = [4, 6]
const HOSTS: readonly HostName[] = ['A', 'B']
const PEER = fileURLToPath(new URL('../rig/gre-peer.js', import.meta.url))

/** A flat overlay with IPv6, in which no container speaks before both ends are up. */
async function joined(rig: Hosts, a: readonly string[], b: readonly string[]) {
  for (const host of HOSTS) rig.ip(host, 'link set veth0 nomaster')
  const [A, B] = await Promise.all([rig.tsgre('A', a), rig.tsgre('B', b)])
  for (const host of HOSTS) rig.ip(host, 'link set veth0 master docker0')
  await rig.reach('cA', 'cB', { family: 6 })
  return { A, B }
}

async function transferBothWays(rig: Hosts, family: Family, bytes: number): Promise<void> {
  const options = { family, timeoutMs: 120_000 + bytes / 1000 }
  assert.is((await rig.transfer('cA', 'cB', bytes, options)).bytes, bytes)
  assert.is((await rig.transfer('cB', 'cA', bytes, { ...options, seed: 2 })).bytes, bytes)
}

const MIXES: readonly (readonly [string, string[], string[]])[] = [
  ['with offload', [], []],
  ['without offload', ['--no-offload'], ['--no-offload']],
  ['with offload on one side only', [], ['--no-offload']],
  ['with raw-socket on the other side', [], ['--io', 'raw-socket']],
]

for (const [how, a, b] of MIXES) {
  test(`carries ${MUCH / MB} MB of TCP over IPv4 and over IPv6 each way ${how}`, async () => {
    using rig = new Hosts({ overlay: 'flat', containerIpv6: true })
    const daemons = await joined(rig, a, b)
    const slow = b.includes('raw-socket')
    for (const family of FAMILIES) await transferBothWays(rig, family, slow ? SOME : MUCH)
    await closeBothBooks(rig, daemons)
  })
}

test(`carries ${SOME / MB} MB of TCP each way with Open vSwitch on the other side`, async () => {
  using rig = new Hosts({ overlay: 'flat', containerIpv6: true })
  const [daemon] = await Promise.all([rig.tsgre('A'), Ovs.start(rig, 'B')])
  await rig.reach('cA', 'cB', { family: 6 })
  for (const family of FAMILIES) await transferBothWays(rig, family, SOME)
  assert.is(daemon.up.offload, 'uso')
})

for (const level of ['uso', 'tso', 'csum', 'off']) {
  test(`carries TCP and UDP with --offload ${level} forced, and says so`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const daemons = await rig.tunnel(['--offload', level])
    assert.equal([daemons.A.up.offload, daemons.B.up.offload], [level, level])
    await rig.reach('cA', 'cB')
    await transferBothWays(rig, 4, 3 * MB)
    const { came, sent } = await segmentedDatagrams(rig, 'cA', 'cB')
    assert.equal(came, { good: sent, bad: 0, reordered: 0, last: sent - 1 })
    await closeBothBooks(rig, daemons)
  })
}

for (const family of FAMILIES) {
  test(`carries the datagrams of a container that uses UDP_SEGMENT over IPv${family}, large and small`, async () => {
    using rig = new Hosts({ overlay: 'flat', containerIpv6: true })
    const daemons = await joined(rig, [], [])
    for (const size of [1200, 1, 100, 1410].map((bytes) => bytes + 4)) {
      const { came, sent } = await segmentedDatagrams(rig, 'cA', 'cB', { family, size })
      assert.equal(came, { good: sent, bad: 0, reordered: 0, last: sent - 1 }, `${size} bytes`)
    }
    await closeBothBooks(rig, daemons)
  })
}

/** Every line in which tcpdump found a checksum to be wrong. */
const incorrect = (lines: readonly string[]) => lines.filter((line) => /incorrect|bad (udp )?cksum/.test(line))

test('the wire carries no packet above its MTU and no wrong checksum', async () => {
  using rig = new Hosts({ overlay: 'flat', containerIpv6: true })
  await joined(rig, ['--csum'], [])
  for (const node of ['cA', 'cB'] as const) rig.ip(node, 'link set eth0 mtu 1458')
  const wire = await rig.capture('B', 'eth1', 'ip proto gre')
  await rig.transfer('cB', 'cA', 3 * MB)
  await rig.transfer('cB', 'cA', MB, { family: 6 })
  await rig.transfer('cA', 'cB', 3 * MB)
  await segmentedDatagrams(rig, 'cA', 'cB', { size: 1400, messages: 10 })
  const lines = await wire.stop(['-nn', '-t', '-vv'])
  const packets = packetsOfPcap(readFileSync(wire.path))
  assert.ok(packets.length > 5000, `${packets.length}`)
  assert.is(packets.filter(({ length }) => length > 1500).length, 0)
  assert.equal(incorrect(lines).slice(0, 3), [])
  assert.ok(lines.filter((line) => line.includes('(correct)')).length > 3000, 'tcpdump has verified them')
})

test('tcpdump does call a wrong checksum wrong', async () => {
  using rig = new Hosts({ overlay: 'flat', middle: true })
  await rig.tunnel()
  await rig.reach('cA', 'cB')
  corrupt(rig)
  const wire = await rig.capture('B', 'eth1', 'ip proto gre')
  await rig.transfer('cA', 'cB', 8 * MB, { timeoutMs: 120_000 })
  assert.ok(incorrect(await wire.stop(['-nn', '-t', '-vv'])).length > 0)
})

/** The middle changes one octet of the TCP payload in some packets. */
function corrupt(rig: Hosts): void {
  // Octet 120 behind the outer IP header: GRE 4, Ethernet 14, IP 20, TCP with time stamps 32, and 50 of the payload.
  rig.middleRules(['ip protocol gre meta length > 1000 numgen random mod 200 < 1 @th,960,8 set 0x55'])
}

test(`packets corrupted on their way are lost, and never delivered as good ones: ${SOME / MB} MB`, async () => {
  using rig = new Hosts({ overlay: 'flat', middle: true })
  const daemons = await rig.tunnel()
  await rig.reach('cA', 'cB')
  corrupt(rig)
  await rig.transfer('cA', 'cB', SOME, { timeoutMs: 240_000 })
  const { stdout } = await rig.exec('cB', ['cat', '/proc/net/snmp'])
  const [names, values] = stdout.split('\n').filter((line) => line.startsWith('Tcp:'))
  const refused = Number(values!.split(' ')[names!.split(' ').indexOf('InCsumErrors')])
  assert.ok(refused > 10, `the container's kernel has refused ${refused}`)
  const { summary } = await daemons.B.stop()
  assert.equal(happened(summary), {})
})

test('a merged packet of 50 000 octets goes into the overlay in segments that the tunnel carries', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('B')
  // The kernel is to cut the superframe on its way to the container, where tcpdump sees what would come out of a card.
  rig.offloadsOff('B', 'veth0')
  const capture = await rig.capture('cB', 'eth0', 'tcp')
  const payload = random(1).bytes(50_000)
  const frame = innerFrame({
    checksum: 'partial',
    flags: ACK | PSH,
    destinationMac: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    payload,
  })
  const input = JSON.stringify([{ flags: 0, payload: Buffer.from(frame).toString('hex') }])
  const peer = rig.spawn('A', [process.execPath, PEER, rig.address('B')], { input })
  await peer.waitFor(/^sent/)
  await capture.waitFor(/length (\d+)/)
  const lines = await capture.stop(['-nn', '-t', '-vv'])
  const packets = packetsOfPcap(readFileSync(capture.path))
  assert.equal(incorrect(lines), [])
  assert.is(Buffer.compare(Buffer.concat(packets.map((packet) => packet.subarray(40))), payload), 0)
  assert.is(Math.max(...packets.map(({ length }) => length)), 1462)
})

test.run()
