// From the line that says up to the line that says down: what the command makes on the host, and that it goes again.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ask } from '#tsgre/daemon/control/client.js'
import { DROP_REASONS } from '#tsgre/drops.js'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { pidsIn } from '../rig/leftovers.js'
import { changes, settledChanges, settledSnapshot } from '../rig/snapshot.js'

const IO = ['mmsg', 'raw-socket'] as const
const NO_DROPS = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0]))

function link(rig: Hosts, name: string) {
  return rig.ipJson('A', `link show ${name}`)[0]
}

function exists(rig: Hosts, name: string): boolean {
  return rig.ipJson('A', 'link show').some(({ ifname }) => ifname === name)
}

/** Command lines of whoever runs in host A. */
function programs(rig: Hosts): string[] {
  return pidsIn(rig.namespace('A')).flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    } catch {
      return [] // ended meanwhile
    }
  })
}

/** Waits until the daemon watches its links, which it begins when it has said that it is up. */
async function monitored(rig: Hosts): Promise<void> {
  for (const deadline = Date.now() + 30_000; !/ monitor /.test(programs(rig).join('\n')); await sleep(20)) {
    assert.ok(Date.now() < deadline, `no monitor among\n${programs(rig).join('\n')}`)
  }
}

for (const io of IO) {
  test(`tells a program in JSON lines when it is up and what it carried, with --io ${io}`, async () => {
    using rig = new Hosts()
    const args = (other: 'A' | 'B') => ['--route', rig.network(other), '--io', io]
    const [A] = await Promise.all([rig.tsgre('A', args('B')), rig.tsgre('B', args('A'))])
    assert.equal(A.up, {
      event: 'up',
      name: 'tap0',
      local: '192.168.56.4',
      remote: '192.168.56.5',
      remotes: ['192.168.56.5'],
      mtu: 1500,
      tunnelMtu: 1462,
      offload: io === 'mmsg' ? 'uso' : 'off',
      udpPort: null,
      bridge: 'docker0',
      bridgeChosen: 'found',
      changes: [
        { what: 'no IPv6 address generation on tap0', command: 'ip link set dev tap0 addrgenmode none' },
        { what: 'tap0 in docker0', command: 'ip link set dev tap0 master docker0' },
        { what: 'tap0 up', command: 'ip link set dev tap0 up' },
        { what: 'no ICMP redirects (all)', command: 'echo 0 > /proc/sys/net/ipv4/conf/all/send_redirects' },
        { what: 'no ICMP redirects (docker0)', command: 'echo 0 > /proc/sys/net/ipv4/conf/docker0/send_redirects' },
        { what: 'route 10.103.200.0/24 dev docker0', command: 'ip route add 10.103.200.0/24 dev docker0' },
      ],
    })
    await rig.reach('cA', 'cB')
    const ping = await rig.ping('cA', 'cB', { count: 5 })
    assert.ok(ping.received >= 4, ping.output) // ping does not wait long for its last reply (ping_common.c, schedule_exit)
    assert.is(ping.ttl, 63) // host B's routing, on the way back; the other way is host A's
    const { code, summary, stderr } = await A.stop()
    assert.is(code, 0)
    assert.is(stderr, '')
    assert.is(A.lines.length, 2)
    const { seconds, txFrames, txBytes, rxFrames, rxBytes, ...rest } = summary
    assert.equal(rest, { event: 'down', name: 'tap0', drops: NO_DROPS, lastWrongKey: null, segmentRefused: 0 })
    assert.ok(seconds > 0)
    assert.ok(txFrames >= 6 && rxFrames >= 6)
    assert.ok(txBytes >= 6 * 98 && rxBytes >= 6 * 98)
  })
}

test('tells a person when it is up and what it carried', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const A = await rig.tsgre('A', [], { json: false })
  assert.is(
    A.up,
    'tsgre: tap0 up: 192.168.56.4 -> 192.168.56.5, MTU 1500 (tunnel 1462), offload of TCP and UDP, in bridge docker0 (found; --bridge none leaves it alone)',
  )
  const { summary, stdout, stderr } = await A.stop()
  assert.match(
    summary,
    /^tsgre: tap0 down after [\d.]+ s: sent \d+ frames? \(.+\), received 0 frames \(0 B\); nothing dropped$/,
  )
  assert.is(stdout, `${A.up}\n${summary}\n`)
  assert.is(stderr, '')
})

test('prints the counters so far on SIGUSR1, and opens no debugger', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const A = await rig.tsgre('A', [], { json: false })
  process.kill(A.pid, 'SIGUSR1')
  await A.child.waitFor((line) =>
    /^tsgre: tap0 so far, tunnel MTU 1462: sent \d+ frames? .*nothing dropped$/.test(line),
  )
  assert.is((await A.stop()).stderr, '')
  const B = await rig.tsgre('B')
  process.kill(B.pid, 'SIGUSR1')
  assert.equal(JSON.parse(await B.child.waitFor((line) => line.includes('counters'))).drops, NO_DROPS)
  await B.stop()
})

test('twelve tunnels in one process come up, are counted on SIGUSR1 and go down without a word of Node', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const taps = Array.from({ length: 12 }, (_, index) => `tap${index}`)
  const file = rig.file('yaml')
  const tunnels = taps.map((tap, key) => ({ tap, key, bridge: 'none', remote: rig.address('B') }))
  writeFileSync(file, JSON.stringify({ tunnels }))
  const daemon = rig.spawn('A', tsgreArgv(['--config', file, '--json']))
  const heard = async (event: string, tap: string) => {
    const is = (line: string) => line.startsWith(`{"event":"${event}","name":"${tap}",`)
    await daemon.waitFor(is)
    return daemon.lines.filter(is).length
  }
  for (const tap of taps) await heard('up', tap)
  process.kill(daemon.pid, 'SIGUSR1')
  for (const tap of taps) assert.is(await heard('counters', tap), 1)
  const { code, stderr } = await daemon.stop()
  assert.equal([code, stderr], [0, ''])
})

test('says what was dropped, and why', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const [A, B] = await Promise.all([
    rig.tsgre('A', ['--key', '1'], { json: false }),
    rig.tsgre('B', ['--key', '16909060']),
  ])
  await rig.ping('cB', 'cA', { count: 2, wait: 0.2 })
  const { summary } = await A.stop()
  assert.match(summary, /; dropped: key-mismatch \d+ \(the last wrong one had key 16909060\)$/)
  await B.stop()
})

for (const io of IO) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    test(`puts everything back on ${signal}, with --io ${io}`, async () => {
      using rig = new Hosts()
      const before = await settledSnapshot(rig, 'A')
      const args = ['--route', '10.103.200.0/24', '--route', '10.103.201.0/24', '--mtu', '1400', '--io', io]
      const A = await rig.tsgre('A', args)
      assert.is.not(changes(rig, 'A', before).length, 0)
      await monitored(rig)
      const { code, summary, stderr } = await A.stop(signal)
      assert.is(code, 0)
      assert.is(summary.event, 'down')
      assert.is(stderr.includes('ended by SIGHUP: without --config'), signal === 'SIGHUP', stderr)
      assert.equal(await settledChanges(rig, 'A', before), [])
      assert.equal(programs(rig), [])
    })
  }
}

test('puts everything back whenever the signal comes, and however many', async () => {
  using rig = new Hosts()
  const before = await settledSnapshot(rig, 'A')
  for (let wait = 100; wait <= 800; wait += 100) {
    const child = rig.spawn('A', tsgreArgv(['--remote', '192.168.56.5', '--tap', 'tap0', '--route', '10.103.200.0/24']))
    await sleep(wait)
    child.kill('SIGTERM')
    await sleep(10)
    child.kill('SIGINT')
    const { code, signal, stderr } = await child.stop('SIGTERM')
    // Before node has started, nobody is there to put anything back: the signal itself ends it.
    assert.ok(code === 0 || signal === 'SIGTERM' || signal === 'SIGINT', `${code} ${signal} ${stderr}`)
    assert.equal(await settledChanges(rig, 'A', before), [])
  }
})

/** Several tunnels of one process, by number; none in a bridge. */
function configured(rig: Hosts, numbers: readonly number[], given: Record<number, object> = {}): string {
  const tunnels = numbers.map((i) => ({
    tap: `tap${i}`,
    bridge: 'none',
    key: i,
    remotes: ['192.168.56.5'],
    ...given[i],
  }))
  const file = join(rig.runFolder('A'), '..', 'several.yaml')
  writeFileSync(file, JSON.stringify({ tunnels }))
  return file
}

test('the end that is asked for while names are waited for starts no tunnel', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const child = rig.spawn('A', tsgreArgv(['--config', configured(rig, [0, 1], { 1: { remotes: ['nosuch.invalid'] } })]))
  await child.waitFor(/nosuch\.invalid: the name has no address/)
  const { code, stdout } = await child.stop('SIGTERM')
  assert.equal([code, stdout], [0, ''])
})

test('a reload that is asked for while tunnels are started waits until they are, and ends none', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const numbers = [0, 1, 2, 3, 4, 5]
  const child = rig.spawn('A', tsgreArgv(['--config', configured(rig, numbers)]))
  await child.waitFor(/^tsgre: tap0 up/)
  configured(rig, [...numbers, 6])
  const answer = await ask(join(rig.runFolder('A'), 'several.sock'), { method: 'POST', path: '/v1/reload', body: {} })
  assert.equal(JSON.parse(answer).changed, ['tap6 is started'])
  const ups = child.lines.filter((line) => line.includes(' up: ')).map((line) => line.split(' ')[1])
  assert.equal(
    ups,
    [...numbers, 6].map((i) => `tap${i}`),
  )
  assert.is((await child.stop('SIGTERM')).code, 0)
})

test('what cannot be put back of one tunnel keeps the others from nothing', async () => {
  using rig = new Hosts({ overlay: 'none' })
  rig.ip('A', 'tuntap add tap0 mode tap')
  const redirects = () => rig.execSync('A', ['sysctl', '-n', 'net.ipv4.conf.all.send_redirects'])
  const before = redirects()
  const given = { 0: { mac: '02:00:00:00:00:42' }, 1: { route: '10.103.200.0/24' } }
  const child = rig.spawn('A', tsgreArgv(['--config', configured(rig, [1, 0], given)]))
  await child.waitFor(/^tsgre: tap0 up/)
  // Something else has its name at the end, which can be given no MAC.
  rig.ip('A', 'link set tap0 down')
  rig.ip('A', 'link set tap0 name elsewhere')
  rig.ip('A', 'tuntap add tap0 mode tun')
  const { code, stdout, stderr } = await child.stop('SIGTERM')
  assert.is(code, 1)
  assert.match(stderr, /SIOCSIFHWADDR/)
  assert.match(stdout, /^tsgre: tap1 down after/m)
  assert.is(redirects(), before)
  assert.not.ok(exists(rig, 'tap1'))
})

const found: [how: string, setup: string[], args: string[]][] = [
  ['down', [], []],
  ['down, with a MAC and an MTU of its own', ['link set tap0 address 02:00:00:00:00:77 mtu 1300'], ['--mtu', '1500']],
  ['up', ['link set tap0 up'], []],
  [
    'up, with addresses',
    ['link set tap0 up', 'address add 10.9.0.1/24 dev tap0', 'address add fd09::1/64 dev tap0'],
    [],
  ],
  [
    'up, with addresses, bridged nowhere',
    ['link set tap0 up', 'address add 10.9.0.1/24 dev tap0'],
    ['--bridge', 'none'],
  ],
  ['with a link-local address', ['link set tap0 up', 'address add fe80::77/64 dev tap0'], []],
  ['with addrgenmode none', ['link set tap0 addrgenmode none up'], []],
  ['with addrgenmode random', ['link set tap0 addrgenmode random', 'link set tap0 up'], ['--bridge', 'none']],
  ['in the bridge', ['link set tap0 master docker0 up'], []],
  [
    'in another bridge',
    [
      'link add br1 type bridge forward_delay 0',
      'link set br1 up',
      'link add eth8 type veth peer name eth9', // without it br1 would lose its carrier with the TAP's
      'link set eth9 up',
      'link set eth8 master br1 up',
      'link set tap0 master br1 up',
    ],
    [],
  ],
  ['given another MAC', ['link set tap0 address 02:00:00:00:00:77'], ['--mac', 'fe:00:00:00:00:01']],
]
for (const [how, setup, args] of found) {
  test(`takes over a TAP found ${how}, and leaves it as found`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    rig.ip('A', 'tuntap add tap0 mode tap')
    for (const command of setup) rig.ip('A', command)
    const before = await settledSnapshot(rig, 'A')
    const A = await rig.tsgre('A', args)
    if (!args.includes('none')) {
      await rig.tsgre('B')
      await rig.reach('cA', 'cB')
    }
    const { code, stderr } = await A.stop()
    assert.is(code, 0)
    assert.is(stderr, '')
    assert.equal(await settledChanges(rig, 'A', before), [])
  })
}

test('gives a TAP of its own a MAC that no bridge takes for its own, and no IPv6 address', async () => {
  using rig = new Hosts()
  // docker0 of the rig has a MAC that was set; this one follows its ports.
  rig.ip('A', 'link add br1 type bridge')
  rig.ip('A', 'link add eth8 address fa:00:00:00:00:01 type veth peer name eth9')
  rig.ip('A', 'link set eth8 master br1')
  for (const name of ['eth8', 'eth9', 'br1']) rig.ip('A', `link set ${name} up`)
  await rig.tsgre('A', ['--bridge', 'br1'])
  const tap = link(rig, 'tap0')
  assert.match(tap.address, /^fe:/)
  assert.is(tap.master, 'br1')
  assert.is(link(rig, 'br1').address, 'fa:00:00:00:00:01')
  const other = await rig.tsgre('A', ['--tap', 'tap1', '--key', '2', '--bridge', 'docker0'])
  assert.is.not(link(rig, 'tap1').address, tap.address)
  assert.is(link(rig, 'docker0').address, '02:42:c0:a8:38:04')
  await sleep(300) // an address would come with the carrier, not at once
  for (const name of ['tap0', 'tap1']) {
    assert.ok(link(rig, name).flags.includes('LOWER_UP'))
    assert.equal(rig.ipJson('A', `-6 address show dev ${name}`), [])
  }
  await other.stop()
})

test('leaves docker0 alone with --bridge none, where it then has the route on the TAP itself', async () => {
  using rig = new Hosts()
  const before = await settledSnapshot(rig, 'A')
  const A = await rig.tsgre('A', ['--bridge', 'none', '--route', '10.103.200.0/24'])
  assert.is(A.up.bridge, null)
  assert.is(A.up.bridgeChosen, 'none')
  assert.is(link(rig, 'tap0').master, undefined)
  assert.ok(link(rig, 'tap0').flags.includes('UP'))
  assert.is(rig.ipJson('A', 'route show 10.103.200.0/24')[0].dev, 'tap0')
  await A.stop()
  assert.equal(await settledChanges(rig, 'A', before), [])
  const words = await rig.tsgre('A', ['--bridge', 'none'], { json: false })
  assert.match(words.up, /MTU 1500 \(tunnel 1462\), offload of TCP and UDP, joined to no bridge$/)
  await words.stop()
})

test('says that there is no docker0', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const json = await rig.tsgre('A')
  assert.is(json.up.bridge, null)
  assert.is(json.up.bridgeChosen, 'missing')
  await json.stop()
  const A = await rig.tsgre('A', [], { json: false })
  assert.match(A.up, 'joined to no bridge (there is no docker0; --bridge NAME joins another)')
  await A.stop()
})

test('names a bridge that was named without apology', async () => {
  using rig = new Hosts()
  const A = await rig.tsgre('A', ['--bridge', 'docker0'], { json: false })
  assert.match(A.up, /, in bridge docker0$/)
  await A.stop()
})

test('takes the MTU and the MAC it is given', async () => {
  using rig = new Hosts()
  const A = await rig.tsgre('A', ['--mtu', '1400', '--mac', '02:00:00:00:00:42'])
  assert.is(A.up.mtu, 1400)
  assert.is(A.up.tunnelMtu, 1462)
  assert.is(link(rig, 'tap0').mtu, 1400)
  assert.is(link(rig, 'tap0').address, '02:00:00:00:00:42')
  const { stderr } = await A.stop()
  const { level, event, message } = JSON.parse(stderr)
  assert.equal([level, event], ['warn', 'warning'])
  assert.match(message, /^--mtu 1400: /)
})

for (const [args, tunnelMtu] of [
  [[], 1462],
  [['--mtu', 'auto'], 1462],
  [['--key', '1'], 1458],
  [['--key', '1', '--csum', '--seq'], 1450],
  [['--remote', 'fd56::5'], 1442],
  [['--encap', 'udp'], 1454],
  [['--tunnel-mtu', '1400'], 1400],
  [['--tunnel-mtu', '9000'], 1462],
] as const) {
  test(`carries ${tunnelMtu} bytes in a packet on a wire of 1500 with ${args.join(' ') || 'no options'}, its TAP 1500`, async () => {
    using rig = new Hosts()
    const A = await rig.tsgre('A', args)
    assert.equal([A.up.tunnelMtu, A.up.mtu, link(rig, 'tap0').mtu], [tunnelMtu, 1500, 1500])
    assert.is(A.stderr, '')
    await A.stop()
  })
}

for (const [args, words] of [
  [['--oversize', 'drop'], /MTU of 1500 bytes, but only 1462 bytes fit one packet .* larger frames are dropped/],
  [['--tunnel-mtu', '1279'], /only 1279 bytes fit .* IPv6 takes 1280 for granted/],
] as const) {
  test(`warns of what is lost or slow with ${args.join(' ')}`, async () => {
    using rig = new Hosts()
    const A = await rig.tsgre('A', args)
    const { event, message } = JSON.parse(A.stderr)
    assert.is(event, 'warning')
    assert.match(message, words)
    await A.stop()
  })
}

test('adds routes through the bridge, keeps one that is there already, and takes away only its own', async () => {
  using rig = new Hosts()
  rig.ip('A', 'route add 10.103.200.0/24 dev docker0')
  const before = await settledSnapshot(rig, 'A')
  const routes = ['10.103.200.0/24', '10.103.201.0/24', '10.103.201.0/24', 'fd10:103:200::/64']
  const A = await rig.tsgre(
    'A',
    routes.flatMap((route) => ['--route', route]),
  )
  for (const [family, route] of [
    [4, routes[0]],
    [4, routes[1]],
    [6, routes[3]],
  ]) {
    const list = rig.ipJson('A', `-${family} route show ${route}`)
    assert.is(list.length, 1)
    assert.is(list[0].dev, 'docker0')
  }
  const { code, stderr } = await A.stop()
  assert.is(code, 0)
  assert.is(stderr, '')
  assert.equal(await settledChanges(rig, 'A', before), [])
})

test('gives up where a network is routed elsewhere already, and puts everything back', async () => {
  using rig = new Hosts()
  rig.ip('A', 'route add 10.103.200.0/24 via 192.168.56.9')
  const before = await settledSnapshot(rig, 'A')
  const argv = tsgreArgv(['--remote', '192.168.56.5', '--tap', 'tap0'])
  const routes = ['--route', '10.103.201.0/24', '--route', '10.103.200.0/24']
  const { code, stdout, stderr } = await rig.exec('A', [...argv, ...routes], { anyCode: true })
  assert.is(code, 1)
  assert.is(stdout, '')
  assert.match(stderr, /10\.103\.200\.0\/24 .*via 192\.168\.56\.9.*take it away .*or leave --route/)
  assert.equal(await settledChanges(rig, 'A', before), [])
})

test('does not mind that a route of its own was taken away meanwhile', async () => {
  using rig = new Hosts()
  const before = await settledSnapshot(rig, 'A')
  const A = await rig.tsgre('A', ['--route', '10.103.200.0/24'])
  rig.ip('A', 'route del 10.103.200.0/24')
  const { code, stderr } = await A.stop()
  assert.is(code, 0)
  assert.is(stderr, '')
  assert.equal(await settledChanges(rig, 'A', before), [])
})

for (const io of IO) {
  test(`carries frames bound to a device, with --io ${io}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    await rig.tunnel(['--dev', 'eth1', '--io', io])
    await rig.reach('cA', 'cB')
  })

  test(`carries frames between link-local addresses, with --io ${io}`, async () => {
    using rig = new Hosts({ overlay: 'flat', containerMtu: 1442 })
    const [A] = await Promise.all([
      rig.tsgre('A', ['--remote', `${rig.linkLocal('B')}%eth1`, '--io', io]),
      rig.tsgre('B', ['--remote', rig.linkLocal('A'), '--dev', 'eth1', '--io', io]),
    ])
    assert.is(A.up.local, `${rig.linkLocal('A')}%eth1`)
    assert.is(A.up.remote, `${rig.linkLocal('B')}%eth1`)
    await rig.reach('cA', 'cB')
    assert.is((await rig.transfer('cA', 'cB', 1_000_000)).bytes, 1_000_000)
  })
}

function kernelHasVrf(): boolean {
  using rig = new Hosts({ overlay: 'none' })
  try {
    rig.ip('A', 'link add vrf1 type vrf table 10')
    return true
  } catch {
    return false
  }
}
const onVrf = kernelHasVrf() ? test : test.skip
onVrf('carries frames bound to a VRF', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  rig.ip('A', 'link add vrf1 type vrf table 10')
  rig.ip('A', 'link set vrf1 up')
  rig.ip('A', 'link set eth1 master vrf1')
  await Promise.all([rig.tsgre('A', ['--dev', 'vrf1']), rig.tsgre('B')])
  await rig.reach('cA', 'cB')
})

test('goes on when nobody reads its lines any more', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('B')
  const inner = `sh -c 'echo pid $$ >&2; exec "$@"' sh "$@"`
  const script = `{ ${inner}; echo ended $? >&2; } | head -n 1`
  const shell = rig.spawn('A', ['sh', '-c', script, 'sh', ...tsgreArgv(['--remote', '192.168.56.5', '--tap', 'tap0'])])
  const pid = Number((await shell.waitFor(/^pid \d+$/)).slice(4))
  await shell.waitFor(/tap0 up/)
  await rig.reach('cA', 'cB')
  process.kill(pid, 'SIGTERM') // its last line meets a closed pipe
  await shell.waitFor(/^ended \d+$/)
  assert.match(shell.stderr, /^ended 0$/m)
  assert.not(exists(rig, 'tap0'))
})

test.run()
