// What is on the wire, seen at the other end of the cable: the same as a Linux kernel sends, field by field, for every
// capture of one that can be compared; what tcpdump makes of it; and what Linux does otherwise by default.

import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { happened } from '../rig/accounts.js'
import { type CaptureRow, captureRows, captures } from '../rig/captures.js'
import type { Daemon } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { type SeenPacket, seePacket } from '../rig/outer-packet.js'
import type { Family, NodeName } from '../rig/topology.js'

const VLAN_DEVICE = fileURLToPath(new URL('../rig/vlan-device.js', import.meta.url))
const PORTS = ['mmsg', 'raw-socket']
const FAMILIES: readonly Family[] = [4, 6]
const IPPROTO_ICMP = 1
const IPPROTO_ICMPV6 = 58
const ECN_CE = 3

/**
 * B sends, as the sender of the captures did: its addresses are the rig's. On A a tunnel in no bridge takes the packets,
 * so that nothing answers and the kernel does not say that nobody takes GRE.
 */
async function sender(): Promise<Hosts> {
  const rig = new Hosts({ overlay: 'flat', containerIpv6: true })
  for (const family of FAMILIES) await rig.tsgre('A', ['--bridge', 'none', '--tap', `sink${family}`], { family })
  const inContainer = [
    'link set eth0 address 02:00:00:00:00:b2',
    'address add fd10::2/64 dev eth0 nodad',
    'neigh replace fd10::1 lladdr 02:00:00:00:00:a1 dev eth0',
  ]
  for (const command of inContainer) rig.ip('cB', command)
  await addVlanDevice(rig)
  return rig
}

/** In the host: the container's address would be two in one bridge. */
async function addVlanDevice(rig: Hosts): Promise<void> {
  const device = rig.spawn('B', [process.execPath, VLAN_DEVICE, 'vlan100', 'trunk', '81000064'])
  await device.waitFor(/^up$/)
  const inHost = [
    'link set trunk addrgenmode none',
    'link set trunk master docker0 up',
    'link set vlan100 addrgenmode none',
    'link set vlan100 address 02:00:00:00:00:b2 up',
    'address add 10.104.0.2/24 dev vlan100',
    'neigh replace 10.104.0.1 lladdr 02:00:00:00:00:a1 dev vlan100',
  ]
  for (const command of inHost) rig.ip('B', command)
}

/** One for all tests that only send: building it takes longer than most of them. */
let shared: Promise<Hosts> | undefined
test.after(async () => (await shared)?.close())

/** Sends what `script` makes a node send; returns the packets that arrived at A, and tcpdump's words. */
async function sent(script: string, args: readonly string[], family: Family = 4, node: NodeName = 'cB') {
  shared ??= sender()
  const rig = await shared
  const permanent = 'neigh replace 10.103.0.1 lladdr 02:00:00:00:00:a1 dev eth0'
  rig.ip('cB', permanent)
  const [daemon, capture] = await Promise.all([
    rig.tsgre('B', args, { family }),
    rig.capture('A', 'eth1', `src host ${rig.address('B', family)} and proto 47`),
  ])
  await rig.exec(node, ['sh', '-c', script], { anyCode: true })
  const words = await capture.stop(['-nn', '-e', '-v', '-t'])
  // Whom nobody answered the kernel would go on asking for, in the next test's capture.
  rig.ip('cB', 'neigh flush dev eth0 nud incomplete')
  rig.ip('B', 'neigh flush dev vlan100 nud incomplete')
  assert.equal(happened((await daemon.stop()).summary), {})
  return { packets: capture.packets().map(seePacket).filter(isWanted), words: words.join('\n') }
}

/** A kernel says by itself which groups it joined. */
function isWanted({ frame }: SeenPacket): boolean {
  return !(frame.ip?.version === 6 && frame.rest[0] !== 128 && frame.rest[0] !== 135)
}

// ——— the captures ———

/** What `ip link add … type gretap` was told, as the command's options. Linux copies the inner TTL unless told otherwise. */
function optionsOf({ setUp }: CaptureRow): string[] {
  const words = setUp.split(';')[0].split(' ')
  const plain = words.slice(words.indexOf('remote') + 2)
  const options: string[] = []
  while (plain.length > 0) {
    const word = plain.shift()!
    if (['csum', 'seq', 'ignore-df'].includes(word)) options.push(`--${word}`)
    else if (word === 'nopmtudisc') options.push('--no-pmtudisc')
    else if (['key', 'ikey', 'okey', 'tos', 'ttl'].includes(word)) options.push(`--${word}`, plain.shift()!)
    else if (word === 'tclass') options.push('--tos', plain.shift()!)
    else if (word === 'hoplimit') options.push('--ttl', plain.shift()!)
    else plain.shift() // encaplimit and flowlabel have no counterpart
  }
  const inherits = setUp.includes('type gretap') && !options.includes('--ttl')
  return inherits ? [...options, '--ttl', 'inherit'] : options
}

/** All fields but the random ones: the ids, what ping stamps, and the ECN of an inner CE, which Linux makes ECT(0). */
function fields({ outer, gre, frame }: SeenPacket) {
  const { ip, rest } = frame
  const ce = ip !== undefined && (ip.tos & ECN_CE) === ECN_CE
  const ping = ip?.protocol === IPPROTO_ICMP || (ip?.protocol === IPPROTO_ICMPV6 && rest[0] === 128)
  return {
    outer: { ...outer, id: 0, tos: ce ? outer.tos & ~ECN_CE : outer.tos },
    gre: gre.checksum ? { ...gre, header: '' } : gre,
    frame: {
      ...frame,
      ip: ip && { ...ip, id: 0 },
      rest: ping ? [rest[0], rest[1], rest.readUInt16BE(6)] : rest.toString('hex'),
    },
  }
}

/** Without those that are the same as the one before: how often ARP asks depends on the clock. */
function story(packets: readonly SeenPacket[]): string[] {
  const lines = packets.map((packet) => JSON.stringify(fields(packet), undefined, 1))
  return lines.filter((line, i) => line !== lines[i - 1])
}

// Of a bridge with STP; of a kernel that fragments; with an IPv6 extension header; of another switch.
const NOT_COMPARED = ['stp-bpdu', 'oversize-pmtudisc', 'v6-plain', 'ovs-plain', 'ovs-key']

// The captures whose outer header depends on an option, and one of each other kind: the GRE header has one writer.
const PORTABLE = /ttl|tos|df|pmtu|v6|vlan|^plain$|^csum-key$|^seq$/

const vectors = captures()
for (const row of captureRows().filter(({ name }) => !NOT_COMPARED.includes(name))) {
  const family = row.name.startsWith('v6') ? 6 : 4
  const ports = PORTABLE.test(row.name) ? PORTS : ['mmsg']
  const unknown = row.name.includes('arp') ? 'ip neigh del 10.103.0.1 dev eth0; ' : ''
  const traffic = unknown + row.traffic.replaceAll('-i 0.2 -W 0.2', '-i 0.05 -W 0.05')
  for (const io of ports) {
    test(`sends what Linux sends, ${row.name}: ${row.what}, --io ${io}`, async () => {
      const { packets } = await sent(traffic, ['--io', io, ...optionsOf(row)], family, row.name === 'vlan' ? 'B' : 'cB')
      assert.equal(story(packets), story(vectors.get(row.name)!.map(seePacket).filter(isWanted)))
    })
  }
}

// ——— tcpdump's words ———

const GRE_HEADERS: readonly (readonly [string[], header: RegExp, words: string])[] = [
  [[], /^00006558$/, 'GREv0, Flags [none], proto TEB (0x6558)'],
  [['--key', '42'], /^200065580000002a$/, 'GREv0, Flags [key present], key=0x2a, proto TEB (0x6558)'],
  [['--key', '0'], /^2000655800000000$/, 'GREv0, Flags [key present], key=0x0, proto TEB (0x6558)'],
  [['--csum'], /^80006558[\da-f]{4}0000$/, 'GREv0, Flags [checksum present], sum 0x'],
  [['--seq'], /^100065580000000[0-2]$/, 'GREv0, Flags [sequence# present], seq 2, proto TEB (0x6558)'],
  [
    ['--key', '10.20.30.40', '--csum', '--seq'],
    /^b0006558[\da-f]{4}00000a141e280000000[0-2]$/,
    'off 0x0, key=0xa141e28, seq 2, proto TEB (0x6558)',
  ],
]

for (const family of FAMILIES) {
  for (const io of PORTS) {
    for (const [options, header, words] of GRE_HEADERS) {
      const how = `${options.join(' ') || 'no option'} over IPv${family}, --io ${io}`
      test(`writes a GRE header that tcpdump reads as meant: ${how}`, async () => {
        const seen = await sent('ping -n -c 3 -i 0.05 -W 0.1 10.103.0.1', ['--io', io, ...options], family)
        assert.is(seen.packets.length, 3)
        for (const { gre } of seen.packets) assert.match(gre.header, header)
        assert.not(seen.packets.some(({ gre }) => gre.checksum === 'bad'))
        assert.ok(seen.words.includes(words), seen.words)
        assert.match(seen.words, /02:00:00:00:00:b2 > 02:00:00:00:00:a1, ethertype IPv4.*\n.*ICMP echo request/)
        assert.not.match(seen.words, /bad|incorrect|truncated/)
      })
    }

    test(`counts sequence numbers up from 0 over IPv${family}, --io ${io}`, async () => {
      const { packets } = await sent('ping -n -f -c 100 -W 0.1 10.103.0.1', ['--io', io, '--seq'], family)
      assert.equal(
        packets.map(({ gre }) => gre.sequence),
        Array.from({ length: 100 }, (_, i) => i),
      )
    })

    test(`sends TTL 64 and TOS 0 but for ECN, whatever is inside, over IPv${family}, --io ${io}`, async () => {
      const script = ['0xb8', '2', '1'].map((tos) => `ping -n -c 1 -W 0.1 -t 33 -Q ${tos} 10.103.0.1`).join('; ')
      const { packets } = await sent(script, ['--io', io], family)
      assert.equal(
        packets.map(({ outer, frame }) => [outer.ttl, outer.tos, frame.ip?.ttl]),
        [
          [64, 0, 33],
          [64, 2, 33],
          [64, 1, 33],
        ],
      )
    })

    test(`goes back to the defaults behind a frame that asked for others, over IPv${family}, --io ${io}`, async () => {
      const options = ['--io', io, '--ttl', 'inherit', '--tos', 'inherit', '--no-pmtudisc']
      const ping = (more: string) => `ping -n -c 1 -W 0.1 ${more} 10.103.0.1`
      const odd = ping('-t 5 -Q 0x28 -M dont')
      const { packets } = await sent(`${ping('')}; ${odd}; ${ping('')}; ${odd}`, options, family)
      const [usual, other] = [
        [64, 0, true],
        [5, 0x28, family === 6],
      ]
      assert.equal(
        packets.map(({ outer }) => [outer.ttl, outer.tos, outer.df]),
        [usual, other, usual, other],
      )
    })
  }
}

test('gives every packet another id, never 0, also where DF is set', async () => {
  const { packets } = await sent('ping -n -c 5 -i 0.05 -W 0.1 10.103.0.1', [])
  const ids = packets.map(({ outer }) => outer.id)
  assert.is(new Set(ids).size, 5)
  assert.not(ids.includes(0))
})

// Linux numbers such a packet only for a connected socket, which raw-socket does not have; RFC 6864 §4.1 allows any id here.
test('--io raw-socket sends id 0 where DF is set, and numbers the others', async () => {
  const script = 'ping -n -c 2 -i 0.05 -W 0.1 10.103.0.1'
  const set = await sent(script, ['--io', 'raw-socket'])
  assert.equal(
    set.packets.map(({ outer }) => outer.id),
    [0, 0],
  )
  const clear = await sent(script, ['--io', 'raw-socket', '--ignore-df'])
  assert.not(clear.packets.some(({ outer }) => outer.id === 0))
})

// ——— too long for one packet ———

async function withMtu1500(rig: Hosts, args: readonly string[], family: Family): Promise<{ A: Daemon; B: Daemon }> {
  const daemons = await rig.tunnel(['--mtu', '1500', ...args], { family })
  for (const node of ['cA', 'cB', 'A', 'B'] as const)
    rig.ip(node, `link set ${node.length === 2 ? 'eth0' : 'docker0'} mtu 1500`)
  return daemons
}

for (const family of FAMILIES) {
  for (const io of PORTS) {
    test(`drops as too-big what does not fit with --oversize drop, and says so at the start, over IPv${family}, --io ${io}`, async () => {
      using rig = new Hosts({ overlay: 'flat' })
      const { A, B } = await withMtu1500(rig, ['--io', io, '--oversize', 'drop'], family)
      assert.match(A.stderr, /MTU of 1500 bytes, but only 14[46]2 bytes fit/)
      const fits = A.up.tunnelMtu - 28
      assert.is((await rig.ping('cA', 'cB', { size: fits })).loss, 0)
      assert.is((await rig.ping('cA', 'cB', { size: fits + 1, count: 4, wait: 0.1 })).received, 0)
      const [a, b] = await Promise.all([A.stop(), B.stop()])
      assert.equal(happened(a.summary), { 'too-big': 4 })
      assert.equal(happened(b.summary), {})
      assert.is(b.summary.rxFrames, a.summary.txFrames)
    })

    test(`--ignore-df fragments outside what does not fit, and it arrives, over IPv${family}, --io ${io}`, async () => {
      using rig = new Hosts({ overlay: 'flat' })
      const daemons = await withMtu1500(rig, ['--io', io, '--ignore-df'], family)
      const capture = await rig.capture('B', 'eth1', `src host ${rig.address('A', family)}`)
      assert.is((await rig.ping('cA', 'cB', { size: 1472, count: 2, dontFragment: true })).loss, 0)
      const words = (await capture.stop(['-nn', '-v', '-t'])).join('\n')
      assert.match(
        words,
        family === 4
          ? /offset 0, flags \[\+\], proto GRE[\s\S]*offset 1480, flags \[none\], proto GRE/
          : /frag \(0x[\da-f]+:0\|/,
      )
      assert.is((await rig.transfer('cA', 'cB', 2_000_000)).bytes, 2_000_000)
      for (const daemon of [daemons.A, daemons.B]) assert.is(daemon.stderr, '')
      const [a, b] = await Promise.all([daemons.A.stop(), daemons.B.stop()])
      assert.equal([happened(a.summary), happened(b.summary)], [{}, {}])
    })
  }
}

test.run()
