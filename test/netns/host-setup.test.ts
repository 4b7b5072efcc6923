// What the command does to its host besides the TAP: shown before it is done, kept as long as the tunnel runs, taken back
// at the end or, where the end came too suddenly, afterwards. Real Docker engines are in docker*.test.ts.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Daemon, tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { changes, settledChanges, settledSnapshot } from '../rig/snapshot.js'
import type { HostName } from '../rig/topology.js'

const ROUTE = ['--route', '10.103.200.0/24']

function setting(rig: Hosts, device: string): string {
  return rig.execSync('A', ['cat', `/proc/sys/net/ipv4/conf/${device}/send_redirects`]).trim()
}

/** Beside them stands the control socket of each tunnel that runs. */
function journals(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.journal'))
}

function settings(rig: Hosts): string[] {
  return ['all', 'docker0'].map((device) => setting(rig, device))
}

/** `run` of its own, so that journals of two hosts meet in one folder and none is left in /run. */
function options(rig: Hosts, folder = rig.file('run')) {
  return { env: { ...process.env, TSGRE_RUN_DIR: folder }, folder }
}

async function cleanup(rig: Hosts, env: NodeJS.ProcessEnv, args: string[] = [], host: HostName = 'A') {
  return await rig.exec(host, tsgreArgv(['cleanup', ...args]), { env, anyCode: true })
}

async function killed(daemon: Daemon): Promise<void> {
  await daemon.stop('SIGKILL')
  await sleep(300)
}

function notes(daemon: Daemon): string[] {
  return daemon.lines.flatMap((line) => JSON.parse(line).message ?? [])
}

test('switches ICMP redirects off for routed containers, and back at the end', async () => {
  using rig = new Hosts()
  const before = await settledSnapshot(rig, 'A')
  assert.equal(settings(rig), ['1', '1'])
  const A = await rig.tsgre('A', ROUTE)
  assert.equal(settings(rig), ['0', '0'])
  await A.stop()
  assert.equal(settings(rig), ['1', '1'])
  assert.equal(await settledChanges(rig, 'A', before), [])
})

test('leaves redirects alone without routes, and where they are off already', async () => {
  using rig = new Hosts()
  const plain = await rig.tsgre('A')
  assert.equal(settings(rig), ['1', '1'])
  await plain.stop()
  rig.execSync('A', ['sysctl', '-qw', 'net.ipv4.conf.all.send_redirects=0'])
  const routed = await rig.tsgre('A', ROUTE)
  assert.equal(settings(rig), ['0', '0'])
  await routed.stop()
  assert.equal(settings(rig), ['0', '1'])
})

test('of several tunnels the last to leave switches redirects on again, whichever that is', async () => {
  using rig = new Hosts()
  const { env } = options(rig)
  const start = (tap: string, key: string, route: string) =>
    rig.tsgre('A', ['--tap', tap, '--key', key, '--route', route], { env })
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
  ]) {
    const tunnels = await Promise.all([
      start('tap0', '1', '10.103.200.0/24'),
      start('tap1', '2', '10.103.201.0/24'),
      start('tap2', '3', '10.103.202.0/24'),
    ])
    for (const index of order) {
      assert.equal(settings(rig), ['0', '0'])
      await tunnels[index]!.stop()
    }
    assert.equal(settings(rig), ['1', '1'])
  }
})

test('a tunnel that lives keeps what it needs while another, killed, is cleaned up after', async () => {
  using rig = new Hosts()
  const { env, folder } = options(rig)
  const before = await settledSnapshot(rig, 'A')
  const one = await rig.tsgre('A', ['--tap', 'tap1', '--key', '1', ...ROUTE], { env })
  const two = await rig.tsgre('A', ['--tap', 'tap2', '--key', '2', '--route', '10.103.202.0/24'], { env })
  await killed(one)
  const { stdout, code } = await cleanup(rig, env)
  assert.is(code, 0)
  assert.match(stdout, /^tap1: taken back: route 10\.103\.200\.0\/24 dev docker0$/m)
  assert.match(stdout, /^tap2: its tsgre runs \(process \d+\); left alone$/m)
  assert.equal(settings(rig), ['0', '0'])
  assert.is(rig.ip('A', 'route show 10.103.200.0/24'), '')
  assert.match(rig.ip('A', 'route show 10.103.202.0/24'), /dev docker0/)
  await two.stop()
  assert.equal(settings(rig), ['1', '1'])
  assert.equal(await settledChanges(rig, 'A', before), [])
  assert.equal(readdirSync(folder), [])
})

test('killed outright, it leaves a journal, and `tsgre cleanup` takes everything back, once', async () => {
  using rig = new Hosts()
  const { env, folder } = options(rig)
  const before = await settledSnapshot(rig, 'A')
  await killed(await rig.tsgre('A', [...ROUTE, '--mtu', '1400'], { env }))
  assert.is.not(changes(rig, 'A', before).length, 0)
  const planned = await cleanup(rig, env, ['--dry-run'])
  assert.match(planned.stdout, /would be taken back: route 10\.103\.200\.0\/24 dev docker0/)
  assert.equal(settings(rig), ['0', '0'])
  const { tunnels } = JSON.parse((await cleanup(rig, env, ['--json'])).stdout)
  assert.is(tunnels.length, 1)
  assert.is(tunnels[0].alive, false)
  assert.equal(tunnels[0].failed, [])
  assert.equal(settings(rig), ['1', '1'])
  assert.equal(await settledChanges(rig, 'A', before), [])
  assert.equal(readdirSync(folder), [])
  assert.match((await cleanup(rig, env)).stdout, /^nothing to clean up/)
})

test('killed outright, it is cleaned up after by the next start, whatever TAP that has', async () => {
  using rig = new Hosts()
  const { env } = options(rig)
  const before = await settledSnapshot(rig, 'A')
  for (const next of ['tap0', 'tap1']) {
    await killed(await rig.tsgre('A', [...ROUTE, '--mtu', '1400'], { env }))
    const daemon = await rig.tsgre('A', ['--tap', next], { env })
    assert.match(
      notes(daemon).join('\n'),
      /took back what the tsgre on tap0 left .*route 10\.103\.200\.0\/24 dev docker0/,
    )
    assert.equal(settings(rig), ['1', '1'])
    await daemon.stop()
    assert.equal(await settledChanges(rig, 'A', before), [])
  }
})

test('killed outright, a TAP it had taken over is given back as it was found', async () => {
  using rig = new Hosts()
  const { env } = options(rig)
  rig.ip('A', 'tuntap add tap0 mode tap')
  rig.ip('A', 'link set tap0 mtu 1300 address 02:00:00:00:00:77 up')
  await sleep(200)
  const before = await settledSnapshot(rig, 'A')
  await killed(await rig.tsgre('A', ['--mtu', '1400', '--mac', '02:00:00:00:00:99'], { env }))
  const tap = rig.ipJson('A', 'link show tap0')[0]
  assert.equal([tap.mtu, tap.master, tap.address], [1400, 'docker0', '02:00:00:00:00:99'])
  assert.is((await cleanup(rig, env)).code, 0)
  assert.equal(await settledChanges(rig, 'A', before), [])
})

test('a bridge without a carrier, as docker0 is before its first container, is left without the address it got', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const { env } = options(rig)
  rig.ip('A', 'link add docker0 address 02:42:00:00:00:01 type bridge')
  rig.ip('A', 'address add 10.103.100.1/24 dev docker0')
  rig.ip('A', 'link set docker0 up')
  const linkLocals = () => rig.ip('A', '-6 -o address show dev docker0 scope link')
  const gotOne = async () => {
    for (const deadline = Date.now() + 30_000; linkLocals() === ''; await sleep(50))
      assert.ok(Date.now() < deadline, 'docker0 got no link-local address')
  }
  const A = await rig.tsgre('A', [], { env })
  await gotOne()
  await A.stop()
  await sleep(300)
  assert.is(linkLocals(), '')
  const next = await rig.tsgre('A', [], { env })
  await gotOne()
  rig.ip('A', 'link add port0 type veth peer name other')
  for (const change of ['other up', 'port0 up', 'port0 master docker0']) rig.ip('A', `link set ${change}`)
  await next.stop()
  assert.match(linkLocals(), /fe80::/, 'it has a port now, and keeps its address')
})

test('what somebody changed meanwhile is left as it is', async () => {
  using rig = new Hosts()
  const { env } = options(rig)
  const A = await rig.tsgre('A', ROUTE, { env })
  await killed(A)
  rig.ip('A', 'route replace 10.103.200.0/24 via 192.168.56.9')
  rig.execSync('A', ['sysctl', '-qw', 'net.ipv4.conf.all.send_redirects=1'])
  rig.execSync('A', ['sysctl', '-qw', 'net.ipv4.conf.docker0.send_redirects=1'])
  assert.is((await cleanup(rig, env)).code, 0)
  assert.match(rig.ip('A', 'route show 10.103.200.0/24'), /via 192\.168\.56\.9/)
  assert.equal(settings(rig), ['1', '1'])
})

test('two hosts that share /run do not clean up after each other', async () => {
  using rig = new Hosts()
  const { env, folder } = options(rig)
  const A = await rig.tsgre('A', ROUTE, { env })
  const B = await rig.tsgre('B', ['--route', '10.103.100.0/24'], { env })
  assert.is(journals(folder).length, 2)
  await killed(A)
  assert.match((await cleanup(rig, env, [], 'B')).stdout, /^tap0: its tsgre runs \(process \d+\); left alone\nnothing/)
  assert.match(rig.ip('A', 'route show 10.103.200.0/24'), /docker0/)
  await B.stop()
  assert.match((await cleanup(rig, env)).stdout, /taken back/)
})

test('what could not be taken back stays written down, through the next start, until it can', async () => {
  using rig = new Hosts()
  const { env, folder } = options(rig)
  await killed(await rig.tsgre('A', ROUTE, { env }))
  const bin = rig.file('bin')
  const refusing =
    '#!/bin/sh\n[ "$1 $2" = "route del" ] && { echo "RTNETLINK answers: No" >&2; exit 2; }\nexec /usr/sbin/ip "$@"\n'
  rig.execSync('A', ['bash', '-ec', `mkdir ${bin}; cat > ${bin}/ip; chmod +x ${bin}/ip`], refusing)
  const broken = { ...env, PATH: `${bin}:${process.env.PATH}` }
  const first = await cleanup(rig, broken)
  assert.is(first.code, 1)
  assert.match(first.stdout, /^tap0: NOT taken back: route 10\.103\.200\.0\/24 dev docker0: .*RTNETLINK answers: No/m)
  assert.equal(settings(rig), ['1', '1'])

  const next = await rig.tsgre('A', [], { env: broken })
  assert.match(next.stderr, /could not take back: route 10\.103\.200\.0\/24 dev docker0/)
  assert.match((await next.stop()).stderr, /could not take back: route/)
  assert.is(journals(folder).length, 1)
  assert.match((await cleanup(rig, env)).stdout, /^tap0: taken back: route/)
  assert.equal(readdirSync(folder), [])
})

test('warns where no journal can be written, and carries frames all the same', async () => {
  using rig = new Hosts()
  const A = await rig.tsgre('A', ROUTE, { env: { ...process.env, TSGRE_RUN_DIR: '/proc/nowhere' } })
  assert.match(A.stderr, /no journal in \/proc\/nowhere .*TSGRE_RUN_DIR/)
  await rig.tsgre('B', ['--route', '10.103.100.0/24'])
  await rig.reach('cA', 'cB')
  assert.is((await A.stop()).code, 0)
  assert.equal(settings(rig), ['1', '1'])
})

test('carries frames where settings cannot be written, as in most containers, and says so', async () => {
  using rig = new Hosts()
  const args = ['--remote', '192.168.56.5', '--tap', 'tap0', ...ROUTE]
  const readOnly = 'mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec "$@"'
  const child = rig.spawn('A', ['unshare', '-m', 'sh', '-c', readOnly, 'sh', ...tsgreArgv(args)])
  await child.waitFor(/send_redirects cannot be written \(EROFS\)/)
  await rig.tsgre('B', ['--route', '10.103.100.0/24'])
  await rig.reach('cA', 'cB')
  assert.equal(settings(rig), ['1', '1'])
  const { code, stderr } = await child.stop()
  assert.is(code, 0)
  assert.is(stderr, '')
})

test('makes no rule that would open containers of one host to each other', async () => {
  using rig = new Hosts()
  const chains = ['-N DOCKER-USER', '-A FORWARD -j DOCKER-USER', '-A FORWARD -i docker0 -o docker0 -j DROP']
  for (const words of chains) rig.execSync('A', ['iptables', ...words.split(' ')])
  const before = rig.execSync('A', ['iptables', '-S'])
  const wide = await rig.tsgre('A', ['--route', '10.103.0.0/16'])
  assert.is(rig.execSync('A', ['iptables', '-S']), before)
  await wide.child.waitFor(/needs networks that do not overlap/)
  await wide.stop()
  const exact = await rig.tsgre('A', ROUTE)
  assert.match(rig.execSync('A', ['iptables', '-S', 'DOCKER-USER']), /-s 10\.103\.200\.0\/24 -d 10\.103\.100\.0\/24/)
  await exact.stop()
  assert.is(rig.execSync('A', ['iptables', '-S']), before)
})

test('--dry-run prints every change in its order and makes none', async () => {
  using rig = new Hosts()
  const { env, folder } = options(rig)
  const before = await settledSnapshot(rig, 'A')
  const argv = tsgreArgv(['--remote', '192.168.56.5', '--tap', 'tap0', ...ROUTE, '--dry-run'])
  const { stdout, stderr } = await rig.exec('A', argv, { env })
  assert.is(stderr, '')
  const lines = stdout.split('\n').map((line) => line.replace(/ +#.*/, ''))
  assert.match(lines[0]!, /^touch .*\/tap0@\d+\.journal$/)
  assert.equal(lines.slice(1), [
    'ip tuntap add dev tap0 mode tap',
    'ip link set dev tap0 address fe:…',
    'ip link set dev tap0 addrgenmode none',
    'ip link set dev tap0 master docker0',
    'ip link set dev tap0 up',
    'echo 0 > /proc/sys/net/ipv4/conf/all/send_redirects',
    'echo 0 > /proc/sys/net/ipv4/conf/docker0/send_redirects',
    'ip route add 10.103.200.0/24 dev docker0',
    'tsgre: nothing was changed (--dry-run); the tunnel MTU would be 1462',
    '',
  ])
  assert.equal(await settledChanges(rig, 'A', before), [])
  assert.not.ok(existsSync(folder))
  const json = JSON.parse((await rig.exec('A', [...argv, '--json'], { env })).stdout)
  assert.equal(
    json.steps.map(({ text }: { text: string }) => text),
    lines.slice(0, -2),
  )
})

test('the commands of a dry run, typed by hand, do what the start does', async () => {
  using rig = new Hosts()
  const argv = tsgreArgv(['--remote', '192.168.56.5', '--tap', 'tap0', '--mac', 'fe:00:00:00:00:01', ...ROUTE])
  const { stdout } = await rig.exec('A', [...argv, '--dry-run'], options(rig))
  const byHand = stdout.split('\n').filter((line) => /^(ip|echo) /.test(line))
  rig.execSync('A', ['bash', '-ec', byHand.join('\n')])
  const tap = rig.ipJson('A', 'link show tap0')[0]
  assert.equal([tap.mtu, tap.master, tap.address], [1500, 'docker0', 'fe:00:00:00:00:01'])
  assert.equal(settings(rig), ['0', '0'])
  assert.match(rig.ip('A', 'route show 10.103.200.0/24'), /docker0/)
})

test('--dry-run refuses what a start would refuse', async () => {
  using rig = new Hosts()
  rig.ip('A', 'route add 10.103.200.0/24 via 192.168.56.9')
  const argv = tsgreArgv(['--remote', '192.168.56.5', '--tap', 'tap0', ...ROUTE, '--dry-run'])
  const { code, stdout, stderr } = await rig.exec('A', argv, { anyCode: true })
  assert.is(code, 1)
  assert.is(stdout, '')
  assert.match(stderr, /via 192\.168\.56\.9/)
})

test('--dry-run says that a tunnel which runs has the packets, or the TAP', async () => {
  using rig = new Hosts()
  await rig.tsgre('A', ['--key', '7'])
  for (const [tap, key, words] of [
    ['tap0', '8', 'a tsgre runs on tap0; a start is refused'],
    ['tap1', '7', 'a start is refused: --remote 192.168.56.5: another tsgre takes the packets with key 7'],
  ]) {
    const argv = tsgreArgv(['--remote', '192.168.56.5', '--tap', tap!, '--key', key!])
    assert.is((await rig.exec('A', argv, { anyCode: true })).code, 2)
    assert.match((await rig.exec('A', [...argv, '--dry-run'])).stdout, words!)
  }
})

test('--no-host-setup carries frames and touches nothing but the TAP', async () => {
  using rig = new Hosts()
  const { env, folder } = options(rig)
  const before = await settledSnapshot(rig, 'A')
  const A = await rig.tsgre('A', ['--no-host-setup'], { env })
  assert.is(A.up.bridge, null)
  assert.equal(await settledChanges(rig, 'A', before, /"tap0"/), [])
  // Whoever wants it in a bridge does it by hand, and it stays there.
  rig.ip('A', 'link set tap0 master docker0')
  rig.ip('A', 'route add 10.103.200.0/24 dev docker0')
  await rig.tsgre('B', ['--route', '10.103.100.0/24'])
  await rig.reach('cA', 'cB')
  assert.is((await A.stop()).code, 0)
  rig.ip('A', 'route del 10.103.200.0/24')
  assert.equal(await settledChanges(rig, 'A', before), [])
  assert.equal(existsSync(folder) ? readdirSync(folder) : [], [])
})

for (const [option, value] of [
  ['bridge', 'docker0'],
  ['route', '10.103.200.0/24'],
] as const) {
  test(`refuses --no-host-setup beside --${option}`, async () => {
    using rig = new Hosts()
    const argv = tsgreArgv(['--remote', '192.168.56.5', '--tap', 'tap0', '--no-host-setup', `--${option}`, value])
    const { code, stderr } = await rig.exec('A', argv, { anyCode: true })
    assert.is(code, 2)
    assert.match(stderr, `--${option}`)
    assert.match(stderr, /leave one of the two away/)
  })
}

test('every way back is in the journal before its change is made', async () => {
  using rig = new Hosts()
  const { env, folder } = options(rig)
  // An ip that stops short of the route: killed there, the route is written down and not made.
  const bin = rig.file('bin')
  const fake = '#!/bin/sh\n[ "$1 $2" = "route add" ] && sleep 30\nexec /usr/sbin/ip "$@"\n'
  rig.execSync('A', ['bash', '-ec', `mkdir ${bin}; cat > ${bin}/ip; chmod +x ${bin}/ip`], fake)
  const argv = tsgreArgv(['--remote', '192.168.56.5', '--tap', 'tap0', ...ROUTE])
  const child = rig.spawn('A', argv, { env: { ...env, PATH: `${bin}:${process.env.PATH}` } })
  const journal = () => (existsSync(folder) ? journals(folder) : [])
  const text = () =>
    journal()
      .map((name) => readFileSync(`${folder}/${name}`, 'utf8'))
      .join()
  for (const deadline = Date.now() + 30_000; !text().includes('"route"'); await sleep(20))
    assert.ok(Date.now() < deadline, `no route in the journal: ${text()}`)
  assert.is(rig.ip('A', 'route show 10.103.200.0/24'), '')
  await child.stop('SIGKILL')
  assert.equal(settings(rig), ['0', '0'])
  assert.is((await cleanup(rig, env)).code, 0)
  assert.equal(settings(rig), ['1', '1'])
})

test.run()
