// GRE-in-UDP between two hosts, and with others: what tshark makes of it, and a sender in another language.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { happened } from '../rig/accounts.js'
import { packetsOfPcap } from '../rig/captures.js'
import { type Daemon, tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { arpRequest, isArpReply, type Node } from '../rig/inner-frames.js'
import { fileOf } from '../rig/root.js'
import { segmentedDatagrams } from '../rig/segmented-datagrams.js'
import type { Family, HostName } from '../rig/topology.js'

const LONG = Boolean(process.env.TSGRE_LONG)
const MB = 1_000_000
const FEW = (LONG ? 64 : 3) * MB
const MUCH = (LONG ? 1000 : 64) * MB
const FAMILIES: readonly Family[] = [4, 6]
const HOSTS: readonly HostName[] = ['A', 'B']
const UDP = ['--encap', 'udp']
const FLOW = ['--udp-source-port', 'flow']

/** Both ends, the containers' MTU as large as the tunnel's. */
async function joined(rig: Hosts, args: readonly string[], family: Family = 4) {
  const daemons = await rig.tunnel([...UDP, ...args], { family })
  for (const node of ['cA', 'cB'] as const) rig.ip(node, `link set eth0 mtu ${daemons.A.up.tunnelMtu}`)
  await rig.reach('cA', 'cB')
  await rig.reach('cB', 'cA')
  return daemons
}

async function nothingDropped(daemons: Record<HostName, Daemon>): Promise<void> {
  for (const host of HOSTS) {
    const { summary, stderr } = await daemons[host].stop()
    assert.equal([happened(summary), summary.segmentRefused, stderr], [{}, 0, ''], host)
  }
}

const VARIANTS: readonly (readonly [string, readonly string[], gre: number])[] = [
  ['plain', [], 4],
  ['a source port by flow', FLOW, 4],
  ['key, checksum and sequence', ['--key', '42', '--csum', '--seq'], 16],
  ['a port of its own, whole frames at the TAP', ['--udp-port', '40000', '--no-offload'], 4],
  ['TOS and TTL from inside', ['--tos', 'inherit', '--ttl', 'inherit'], 4],
  ['DF from inside', ['--no-pmtudisc'], 4],
  ['DF never', ['--ignore-df'], 4],
]

for (const family of FAMILIES) {
  for (const [how, args, gre] of VARIANTS) {
    test(`carries pings and ${FEW / MB} MB each way over IPv${family} with ${how}`, async () => {
      using rig = new Hosts({ overlay: 'flat' })
      const daemons = await joined(rig, args, family)
      assert.is(daemons.A.up.tunnelMtu, 1500 - (family === 4 ? 20 : 40) - 8 - gre - 14)
      assert.is((await rig.ping('cA', 'cB', { size: daemons.A.up.tunnelMtu - 28, dontFragment: true })).loss, 0)
      await rig.transfer('cA', 'cB', FEW)
      await rig.transfer('cB', 'cA', FEW)
      await nothingDropped(daemons)
    })
  }

  test(`carries ${MUCH / MB} MB over IPv${family}, and over a wire of packets no larger than its MTU`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const daemons = await joined(rig, [], family)
    await rig.transfer('cA', 'cB', MUCH, { timeoutMs: 240_000 })
    for (const host of HOSTS) rig.offloadsOff(host, 'eth1')
    await rig.transfer('cB', 'cA', MUCH, { timeoutMs: 240_000 })
    for (const host of HOSTS) {
      const { summary } = await daemons[host].stop()
      assert.equal(happened(summary), {}, host)
    }
  })

  test(`is GRE-in-UDP to tshark over IPv${family}: ports, checksums, GRE, the frame, no packet above the MTU`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    for (const host of HOSTS) rig.offloadsOff(host, 'eth1')
    await joined(rig, ['--key', '7'], family)
    const wire = await rig.capture('B', 'eth1', 'udp')
    await rig.transfer('cA', 'cB', MB)
    await wire.stop()
    assert.is(packetsOfPcap(readFileSync(wire.path)).filter(({ length }) => length > 1500).length, 0)
    const fields = ['udp.srcport', 'udp.dstport', 'udp.checksum.status', 'gre.proto', 'gre.key', 'tcp.checksum.status']
    const argv = [
      'tshark',
      '-r',
      wire.path,
      '-o',
      'udp.check_checksum:TRUE',
      '-o',
      'tcp.check_checksum:TRUE',
      '-T',
      'fields',
    ]
    const { stdout } = await rig.exec('A', [...argv, '-Y', 'tcp', ...fields.flatMap((field) => ['-e', field])])
    const rows = new Set(stdout.trim().split('\n'))
    assert.equal([...rows], [['4754', '4754', '1', '0x6558', '0x00000007', '1'].join('\t')])
  })
}

test('with a source port by flow, each inner flow keeps to one port and several flows take several', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  for (const host of HOSTS) rig.offloadsOff(host, 'eth1')
  await joined(rig, FLOW)
  const wire = await rig.capture('B', 'eth1', 'udp and dst host 192.168.56.5')
  for (let i = 0; i < 12; i++) await rig.transfer('cA', 'cB', 100_000)
  await wire.stop()
  const argv = [
    'tshark',
    '-r',
    wire.path,
    '-Y',
    'tcp',
    '-T',
    'fields',
    '-e',
    'tcp.srcport',
    '-e',
    'tcp.dstport',
    '-e',
    'udp.srcport',
  ]
  const { stdout } = await rig.exec('A', argv)
  const ways = new Map<string, Set<number>>()
  for (const line of stdout.trim().split('\n')) {
    const [from, to, outer] = line.split('\t')
    ways.set(`${from} ${to}`, (ways.get(`${from} ${to}`) ?? new Set()).add(Number(outer)))
  }
  const ports = [...ways.values()].flatMap((set) => [...set])
  assert.is(ways.size, 12)
  assert.ok(
    [...ways.values()].every((set) => set.size === 1),
    'one port a flow',
  )
  assert.ok(new Set(ports).size > 1 && new Set(ports).size <= 8, `${ports}`)
  assert.ok(
    ports.every((port) => port >= 49152 && port <= 65535),
    `${ports}`,
  )
})

const SENDER = fileOf('test/rig/udp-gre-sender.py')
const US: Node = { mac: '0200000000b2', address: '10.103.0.77' }

/** Sends an ARP request for cA's address from host B by that program. */
function ask(rig: Hosts, family: Family, source: string, ...flags: string[]) {
  const input = `${arpRequest(US, rig.address('cA'))}\n`
  return rig.spawn('B', ['python3', SENDER, source, rig.address('A', family), '4754', ...flags], { input })
}

for (const family of FAMILIES) {
  test(`takes frames of a foreign sender from whatever port, and answers to its own, over IPv${family}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const daemon = await rig.tsgre('A', UDP, { family })
    const sender = ask(rig, family, rig.address('B', family))
    const [port, packet] = (await sender.waitFor(/^\d+ /)).split(' ')
    assert.is(port, '4754')
    assert.is(packet!.slice(0, 8), '00006558')
    assert.ok(isArpReply(packet!.slice(8), US))
    assert.equal(happened((await daemon.stop()).summary), {})
  })

  test(`counts what another address sends as unknown-peer, over IPv${family}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const other = family === 4 ? '192.168.56.77' : 'fd56::77'
    rig.ip('B', `address add ${other}/${family === 4 ? 24 : 64} dev eth1${family === 4 ? '' : ' nodad'}`)
    const daemon = await rig.tsgre('A', UDP, { family })
    await ask(rig, family, other).waitFor(/^sent/)
    await rig.exec('B', ['sleep', '1'])
    const { summary } = await daemon.stop()
    assert.equal([summary.rxFrames, happened(summary)], [0, { 'unknown-peer': 1 }])
  })
}

/** Whether a packet without a UDP checksum was taken. */
async function takesZeroChecksum(family: Family, args: readonly string[]): Promise<boolean> {
  using rig = new Hosts({ overlay: 'flat' })
  const daemon = await rig.tsgre('A', [...UDP, ...args], { family })
  await ask(rig, family, rig.address('B', family), 'zero').waitFor(/^sent/)
  await rig.exec('B', ['sleep', '1'])
  return (await daemon.stop()).summary.rxFrames === 1
}

test('takes packets without a UDP checksum over IPv4, and over IPv6 when it is told to', async () => {
  assert.is(await takesZeroChecksum(4, []), true)
  assert.is(await takesZeroChecksum(6, []), false)
  assert.is(await takesZeroChecksum(6, ['--udp6zerocsumrx']), true)
})

test('loses nothing when the way becomes narrower than what it has the kernel cut', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const { A } = await joined(rig, [])
  rig.ip('A', 'route replace 192.168.56.5 dev eth1 mtu lock 1300')
  // 1280 octets and their headers do not fit any more, whoever cuts them; 1000 still go many at a time.
  for (const size of [1280, 1000]) {
    const { came, sent } = await segmentedDatagrams(rig, 'cA', 'cB', { size, messages: 20 })
    assert.equal(came, { good: sent, bad: 0, reordered: 0, last: sent - 1 }, `${size} bytes`)
  }
  const { summary } = await A.stop()
  assert.is(summary.drops['too-big'], 0)
  assert.ok(summary.segmentRefused <= 40, `${summary.segmentRefused}`) // none where the look of every second came first
})

test('refuses a port that another tunnel has, names it, and leaves nothing', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const first = await rig.tsgre('A', UDP)
  const argv = tsgreArgv([...UDP, '--tap', 'tap1', '--remote', rig.address('B')])
  const { code, stderr } = await rig.exec('A', argv, { anyCode: true })
  assert.is(code, 2)
  assert.match(stderr, /--udp-port 4754: another program, or another tunnel, has that port on 192\.168\.56\.4/)
  assert.equal(
    rig.ipJson('A', 'link show').filter(({ ifname }) => ifname === 'tap1'),
    [],
  )
  const second = await rig.tsgre('A', [...UDP, '--tap', 'tap1', '--udp-port', '4755'])
  for (const daemon of [first, second]) assert.is((await daemon.stop()).code, 0)
})

test('stands beside a tunnel of protocol 47 between the same hosts', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const daemons = await joined(rig, [])
  const other = await rig.tsgre('A', ['--tap', 'tap1', '--bridge', 'none'])
  await rig.transfer('cA', 'cB', MB)
  await other.stop()
  await nothingDropped(daemons)
})

test.run()
