// Two real Docker engines: a newcomer's way as the README has it, and what Docker does besides still works.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Daemon, tsgreArgv } from '../rig/daemon.js'
import { DockerHosts } from '../rig/docker-hosts.js'
import { differences, dockerChanges, dockerSnapshot, settledDockerSnapshot } from '../rig/docker-snapshot.js'
import { type HostName, type NodeName, otherHost } from '../rig/topology.js'

const LONG = process.env.TSGRE_LONG === '1'
const BYTES = LONG ? 100_000_000 : 16_000_000
/** A look at the host that failed while dockerd was at work is repeated after 20 s, if nothing else happens. */
const HEALED_MS = 30_000
const HOSTS = ['A', 'B'] as const
const BIP = { A: '10.103.100.1/24', B: '10.103.200.1/24' }

const rig = await DockerHosts.start()
process.on('exit', () => rig.close())
const found = { A: await settledDockerSnapshot(rig.A), B: await settledDockerSnapshot(rig.B) }

/** `tsgre docker WORDS` on a host, which must succeed. */
async function tsgreDocker(host: HostName, words: string): Promise<string> {
  const { code, stdout, stderr } = await rig[host].tsgre(words)
  assert.is(code, 0, stderr)
  return stdout
}

/** A tunnel on each host while `body` runs; a test that fails leaves none to the next. */
async function tunnelled(body: (tunnels: { A: Daemon; B: Daemon }) => Promise<unknown>): Promise<void> {
  const [A, B] = await Promise.all(HOSTS.map(async (host) => rig.tsgre(host, await rig.route(host))))
  try {
    await rig.reach('cA', 'cB')
    await body({ A: A!, B: B! })
  } finally {
    await Promise.all([A!.stop(), B!.stop()])
  }
}

/** The address of who connects, as the program sees it that is connected to. */
async function sourceSeen(from: NodeName, to: NodeName, address = rig.address(to), port = 7777): Promise<string> {
  const listen = `require('net').createServer(c=>{console.log('from '+c.remoteAddress);c.end()}).listen(7777,'0.0.0.0',()=>console.log('listening'))`
  const server = rig.spawn(to, [process.execPath, '-e', listen])
  await server.waitFor(/^listening/)
  const connect = `require('net').connect(${port},'${address}').on('close',failed=>process.exit(failed?1:0)).resume()`
  await rig.exec(from, [process.execPath, '-e', connect], { timeoutMs: 60_000 })
  const line = await server.waitFor(/^from /)
  await server.stop()
  return line.slice('from '.length)
}

async function containers(options: { A?: string; B?: string } = {}): Promise<void> {
  await Promise.all(HOSTS.map((host) => rig.container(host, options[host])))
}

test('both engines begin with the same network, and a tunnel between them is refused for it', async () => {
  assert.is(await rig.network('A'), await rig.network('B'))
  const args = ['--remote', rig.address('B'), '--tap', 'tap0', '--route', await rig.network('B')]
  const { code, stderr } = await rig.exec('A', tsgreArgv(args), { anyCode: true })
  assert.is(code, 2)
  assert.match(stderr, /that is this host's own network, on docker0/)
})

test('`tsgre docker apply --restart` gives each its own', async () => {
  for (const host of HOSTS) {
    assert.match(await tsgreDocker(host, `apply --bip ${BIP[host]} --restart`), 'dockerd was restarted')
    assert.match(await rig[host].address(), BIP[host])
    await tsgreDocker(host, 'status')
  }
})

test('then a tunnel on each, and containers reach each other, in both directions, with their own addresses', async () => {
  await containers()
  const before = { A: await settledDockerSnapshot(rig.A), B: await settledDockerSnapshot(rig.B) }
  await tunnelled(async ({ A, B }) => {
    for (const [from, to, ttl] of [
      ['cA', 'cB', 63], // one router on the way back: the other host
      ['cB', 'cA', 63],
      ['A', 'cB', 63],
      ['B', 'cA', 63],
      ['cA', '10.103.200.1', 64],
      ['cB', '10.103.100.1', 64],
    ] as const) {
      const ping = await rig.ping(from, to, { count: 3 })
      assert.ok(ping.received > 0, `${from} ${to}\n${ping.output}`)
      assert.is(ping.ttl, ttl, `${from} ${to}`)
      assert.not.match(ping.output, /[Rr]edirect/)
    }
    assert.is(await sourceSeen('cA', 'cB'), rig.address('cA'))
    for (const [from, to] of [
      ['cA', 'cB'],
      ['cB', 'cA'],
    ] as const)
      assert.is((await rig.transfer(from, to, BYTES, { timeoutMs: 120_000 })).bytes, BYTES)
    for (const daemon of [A, B]) {
      const { code, summary, stderr } = await daemon.stop()
      assert.is(code, 0)
      assert.is(stderr, '')
      assert.ok(summary.txFrames > 1000)
    }
  })
  for (const host of HOSTS) assert.equal(await dockerChanges(rig[host], before[host]), [], host)
})

test('ports are published and outbound packets masqueraded as before', async () => {
  await containers({ A: '-p 8080:7777', B: '-p 8080:7777' })
  await tunnelled(async () => {
    assert.is(await sourceSeen('cA', 'B'), rig.address('A'))
    assert.is(await sourceSeen('cB', 'A'), rig.address('B'))
    assert.is(await sourceSeen('B', 'cA', rig.address('A'), 8080), rig.address('B'))
    assert.is(await sourceSeen('A', 'cB', rig.address('B'), 8080), rig.address('A'))
    assert.is(await sourceSeen('cB', 'cA'), rig.address('cB'))
  })
})

test('containers keep the usual MTU of 1500: TCP flows, and who may not be cut is told what fits', async () => {
  await containers()
  await tunnelled(async () => {
    for (let round = 0; round < 3; round++) {
      // Between rounds the redirects would have come that lead around the host.
      await rig.ping('cA', 'cB', { count: 20, interval: 0.02 })
      assert.is((await rig.transfer('cA', 'cB', 2_000_000)).bytes, 2_000_000)
      assert.is((await rig.transfer('cB', 'cA', 2_000_000)).bytes, 2_000_000)
    }
    const ping = await rig.ping('cA', 'cB', { count: 2, size: 1472, dontFragment: true, wait: 1 })
    assert.match(ping.output, /mtu ?= ?1462/)
    const cached = await rig.exec('cA', ['ip', 'route', 'get', rig.address('cB')])
    assert.not.match(cached.stdout, /redirected|via 10\.103\.200/)
  })
})

test('the classic route, via the other host, goes around the tunnel and ends in its firewall', async () => {
  await containers()
  const [A, B] = await Promise.all(HOSTS.map((host) => rig.tsgre(host)))
  const routes = HOSTS.map(async (host) => {
    const classic = ['route', 'add', await rig.network(otherHost(host)), 'via', rig.address(otherHost(host))]
    await rig[host].run('ip', ...classic)
    return ['route', 'del', ...classic.slice(2)]
  })
  const away = await Promise.all(routes)
  const seen = rig.spawn('A', ['tcpdump', '-lni', 'tap0', 'icmp'])
  try {
    await seen.waitFor(/listening on/)
    assert.is((await rig.ping('cA', 'cB', { count: 3, wait: 1 })).received, 0)
    const policy = await rig.B.run('iptables', '-vnL', 'FORWARD')
    const [, dropped] = /policy DROP (\d+) packets/.exec(policy.stdout) ?? []
    assert.ok(Number(dropped) >= 3, policy.stdout)
  } finally {
    await Promise.all(HOSTS.map((host, index) => rig[host].run('ip', ...away[index]!)))
    const { stdout, stderr } = await seen.stop('SIGINT')
    await Promise.all([A!.stop(), B!.stop()])
    assert.match(stderr, /listening on tap0/)
    assert.is(stdout.trim(), '', 'no ping came by the tunnel')
  }
})

test('killed outright on both hosts, everything is as before after `tsgre cleanup`, also daemon.json', async () => {
  await containers()
  const before = { A: await settledDockerSnapshot(rig.A), B: await settledDockerSnapshot(rig.B) }
  await tunnelled(({ A, B }) => Promise.all([A.stop('SIGKILL'), B.stop('SIGKILL')]))
  await sleep(300)
  for (const host of HOSTS) {
    assert.is.not(differences(before[host], await dockerSnapshot(rig[host])).length, 0)
    const { code, stdout } = await rig.exec(host, tsgreArgv(['cleanup']))
    assert.is(code, 0)
    assert.match(stdout, /taken back: route 10\.103\.[12]00\.0\/24 dev docker0/)
    assert.equal(await dockerChanges(rig[host], before[host]), [], host)
  }
})

test('a dockerd that restarts finds the tunnel in its docker0, and containers reach each other again', async () => {
  await containers()
  await tunnelled(async () => {
    await rig.A.systemctl('restart')
    await containers()
    await rig.reach('cA', 'cB')
    assert.is((await rig.transfer('cA', 'cB', 1_000_000)).bytes, 1_000_000)
  })
})

test('a docker0 that was deleted and made again by dockerd has its tunnel back', async () => {
  const redirects = async () => (await rig.A.run('cat', '/proc/sys/net/ipv4/conf/docker0/send_redirects')).stdout.trim()
  await containers()
  await tunnelled(async ({ A }) => {
    await rig.A.systemctl('stop')
    await rig.A.run('ip', 'link', 'del', 'docker0')
    await A.child.waitFor(/bridge docker0 is gone/, HEALED_MS)
    await rig.A.systemctl('start')
    await A.child.waitFor(/put back: .*tap0 in docker0/, HEALED_MS)
    await containers()
    await rig.reach('cA', 'cB')
    assert.is((await rig.transfer('cB', 'cA', 1_000_000)).bytes, 1_000_000)
    assert.is(await redirects(), '0')
  })
  assert.is(await redirects(), '1')
})

test('`tsgre docker undo --restart` gives each engine back what it had', async () => {
  for (const host of HOSTS) {
    await rig[host].docker('rm -f cA cB').catch(() => {})
    await tsgreDocker(host, 'undo --restart')
    // The first container, not tsgre, gave docker0 its link-local address; A's docker0 is another device by now.
    const others = /docker0|fe80|02:42|link\/ether|bridge |^[+-] {4}/
    assert.equal(await dockerChanges(rig[host], found[host], others), [], host)
    assert.is(rig[host].file, undefined)
  }
})

test.after(() => rig.close())
test.run()
