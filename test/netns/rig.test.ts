// The rig itself: what the other tests stand on.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Child } from '../rig/child.js'
import { Hosts } from '../rig/hosts.js'
import { findOrphans, removeLeftovers } from '../rig/leftovers.js'
import { Ovs, type OvsOptions } from '../rig/ovs.js'
import { settledSnapshot } from '../rig/snapshot.js'

const HOSTS_MODULE = new URL('../rig/hosts.js', import.meta.url).href
const MB = 1_000_000

function namespaceExists(name: string): boolean {
  return existsSync(`/run/netns/${name}`)
}

async function rejection(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => assert.unreachable('it resolved'),
    (error: Error) => error.message,
  ) as Promise<string>
}

test('the two hosts reach each other over IPv4, IPv6 and link-local addresses', async () => {
  using rig = new Hosts({ overlay: 'none' })
  assert.is((await rig.ping('A', 'B')).loss, 0)
  assert.is((await rig.ping('B', 'A', { family: 6 })).loss, 0)
  assert.is((await rig.ping('A', `${rig.linkLocal('B')}%eth1`)).loss, 0)
})

test('without a tunnel a container reaches its gateway and not the other container', async () => {
  using rig = new Hosts()
  assert.is((await rig.ping('cA', '10.103.100.1')).ttl, 64)
  assert.is((await rig.ping('cB', '10.103.200.1')).loss, 0)
  assert.is((await rig.ping('cA', 'cB', { wait: 0.2 })).received, 0)
})

test('a container sends nothing by itself, so that frames can be counted', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const capture = await rig.capture('A', 'docker0')
  await rig.ping('cA', '10.103.0.99', { count: 1, wait: 0.2 })
  await capture.waitFor(/who-has 10\.103\.0\.99/)
  const others = (await capture.stop()).filter((line) => !line.includes('who-has 10.103.0.99'))
  assert.equal(others, [])
})

test('a transfer compares what was sent with what came, on both families', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const four = await rig.transfer('A', 'B', 5 * MB, { seed: 4 })
  const six = await rig.transfer('B', 'A', 5 * MB, { seed: 6, family: 6 })
  assert.is(four.bytes, 5 * MB)
  assert.is(six.bytes, 5 * MB)
  assert.is.not(four.sha256, six.sha256)
})

test('a capture holds what crossed the cable', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const capture = await rig.capture('B', 'eth1', 'icmp')
  await rig.ping('A', 'B', { count: 2, size: 100 })
  await capture.waitFor(/echo reply.*seq 2/)
  const lines = await capture.stop()
  assert.is(lines.length, 4)
  assert.match(lines[0]!, '192.168.56.4 > 192.168.56.5: ICMP echo request')
})

test('a middle with a smaller MTU says so to both hosts, in both families', async () => {
  using rig = new Hosts({ overlay: 'none', middle: { mtu: 1400 } })
  for (const [from, to] of [
    ['A', 'B'],
    ['B', 'A'],
  ] as const) {
    const four = await rig.ping(from, to, { size: 1400, dontFragment: true, wait: 0.2 })
    assert.match(four.output, 'mtu = 1400')
    const six = await rig.ping(from, to, { size: 1400, dontFragment: true, wait: 0.2, family: 6 })
    assert.match(six.output, 'mtu=1400')
    assert.is((await rig.ping(from, to, { size: 1372, dontFragment: true })).loss, 0)
  }
})

test('the rules of the middle hold until they are replaced', async () => {
  using rig = new Hosts({ overlay: 'none', middle: true })
  rig.middleRules(['ip protocol icmp drop'])
  assert.is((await rig.ping('A', 'B', { wait: 0.2 })).loss, 1)
  rig.middleRules([])
  assert.is((await rig.ping('A', 'B')).loss, 0)
})

const peers: [string, OvsOptions][] = [
  ['plain', {}],
  ['with key and checksum', { key: 7, csum: true }],
  ['over IPv6', { family: 6 }],
]
for (const [how, options] of peers) {
  test(`Open vSwitch joins the containers, ${how}`, async () => {
    using rig = new Hosts({ overlay: 'flat', containerMtu: 1400 })
    await Promise.all([Ovs.start(rig, 'A', options), Ovs.start(rig, 'B', options)])
    await rig.reach('cA', 'cB')
    assert.is((await rig.ping('cB', 'cA')).loss, 0)
    assert.is((await rig.transfer('cA', 'cB', MB)).bytes, MB)
  })
}

test('a stopped Open vSwitch leaves the host as it was', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await settledSnapshot(rig, 'B')
  const links = () => rig.ip('B', '-brief address')
  const before = links()
  const ovs = await Ovs.start(rig, 'B')
  await ovs.stop()
  for (const deadline = Date.now() + 10_000; links() !== before && Date.now() < deadline; await sleep(100));
  assert.is(links(), before)
  assert.is((await rig.ping('A', 'B')).loss, 0)
})

test('a program that fails, or is late, rejects with what it printed', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const shell = (script: string) => ['sh', '-c', script]
  assert.match(await rejection(rig.exec('A', shell('echo sorry >&2; exit 3'))), /ended with 3\nsorry/)
  assert.match(
    await rejection(rig.exec('A', shell('echo begun; exec sleep 60'), { timeoutMs: 3000 })),
    /3000 ms\nbegun/,
  )
  assert.match(await rejection(rig.spawn('A', shell('echo no')).waitFor(/yes/)), /ended without.*\nno/)
  assert.is((await rig.exec('A', ['cat'], { input: 'fed' })).stdout, 'fed')
})

test('closing twice removes the namespaces, the folder and every program once', async () => {
  const rig = new Hosts()
  const pid = rig.spawn('cA', ['sleep', '60']).pid
  const folder = dirname(rig.file('x'))
  rig.close()
  rig.close()
  assert.not(rig.nodes.some((node) => namespaceExists(rig.namespace(node))))
  assert.not(existsSync(folder))
  assert.not(spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }).stdout.startsWith('S'))
})

const endings: [string, string, NodeJS.Signals | undefined][] = [
  ['an uncaught error', 'throw new Error("on purpose")', undefined],
  ['SIGINT', 'setInterval(() => {}, 1000)', 'SIGINT'],
  ['SIGTERM', 'setInterval(() => {}, 1000)', 'SIGTERM'],
]
for (const [how, script, signal] of endings) {
  test(`${how} removes everything too`, async () => {
    const program = `
      const { Hosts } = await import(${JSON.stringify(HOSTS_MODULE)})
      const rig = new Hosts()
      rig.spawn('A', ['sleep', '60'])
      console.log(rig.namespace('A'))
      ${script}`
    const child = new Child([process.execPath, '--input-type=module', '-e', program])
    const namespace = await child.waitFor(/^tsgre-/)
    if (signal) child.kill(signal)
    await child.ended
    assert.not(namespaceExists(namespace))
  })
}

test('what a killed program leaves is found by its dead owner and removed', async () => {
  const program = `
    const { Hosts } = await import(${JSON.stringify(HOSTS_MODULE)})
    const rig = new Hosts({ overlay: 'none' })
    console.log(rig.namespace('A'))
    setInterval(() => {}, 1000)`
  const child = new Child([process.execPath, '--input-type=module', '-e', program])
  const namespace = await child.waitFor(/^tsgre-/)
  assert.not(findOrphans().namespaces.includes(namespace))
  await child.stop('SIGKILL')
  const orphans = findOrphans().namespaces.filter((name) => name.startsWith(`tsgre-${child.pid}-`))
  assert.is(orphans.length, 2)
  removeLeftovers({ namespaces: orphans, processes: [] })
  assert.not(namespaceExists(namespace))
})

test.run()
