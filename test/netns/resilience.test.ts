// What the command does when the host changes under it: it goes on, or ends with one sentence, and never spins.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Daemon } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { settledChanges, settledSnapshot } from '../rig/snapshot.js'

const IO = ['mmsg', 'raw-socket'] as const
/** Of one core, while nothing happens. A spinning thread takes all of it. */
const IDLE_CPU = 0.08
const IDLE_MS = 1200
const TICKS_PER_SECOND = 100 // USER_HZ, the same on every architecture node runs on

/** CPU seconds a process has used, all its threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** The share of a core that it takes for a while. */
async function cpuShare(daemon: Daemon): Promise<number> {
  await sleep(300) // whatever the last change set off
  const before = cpuSeconds(daemon.pid)
  const started = performance.now()
  await sleep(IDLE_MS)
  return (cpuSeconds(daemon.pid) - before) / ((performance.now() - started) / 1000)
}

/** Where several looks at the host fell into the first time, it idles the next two. */
async function idles(daemon: Daemon): Promise<void> {
  if ((await cpuShare(daemon)) < IDLE_CPU) return
  const share = Math.max(await cpuShare(daemon), await cpuShare(daemon))
  assert.ok(share < IDLE_CPU, `an idle daemon takes ${(share * 100).toFixed(1)} % of a core`)
}

/** Every line of stderr, as objects. */
function warnings(daemon: Daemon): string[] {
  return daemon.stderr
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).message)
}

for (const [how, args] of [
  ['plain', []],
  ['with --seq', ['--seq']],
  ['with every GRE option', ['--seq', '--csum', '--key', '7']],
  ['with --io raw-socket', ['--seq', '--io', 'raw-socket']],
] as const) {
  test(`traffic resumes after either end was killed and started again, ${how}`, async () => {
    using rig = new Hosts({ overlay: 'flat', containerMtu: 1400 })
    const daemons = await rig.tunnel(args)
    await rig.reach('cA', 'cB')
    await rig.ping('cA', 'cB', { count: 50, interval: 0.002 }) // sequence numbers well ahead of a fresh start
    for (const host of ['B', 'A'] as const) {
      await daemons[host].stop('SIGKILL')
      daemons[host] = await rig.tsgre(host, args)
      await rig.reach('cA', 'cB')
      await rig.reach('cB', 'cA')
    }
    assert.is((await rig.transfer('cA', 'cB', 1_000_000)).bytes, 1_000_000)
  })
}

for (const io of IO) {
  test(`survives the underlay going down and up, with --io ${io}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const { A } = await rig.tunnel(['--io', io])
    await rig.reach('cA', 'cB')
    rig.ip('A', 'link set eth1 down')
    assert.is((await rig.ping('cA', 'cB', { count: 3, wait: 0.2 })).received, 0)
    await idles(A)
    rig.ip('A', 'link set eth1 up')
    await rig.reach('cA', 'cB')
    const { code, summary } = await A.stop()
    assert.is(code, 0)
    assert.ok(summary.drops['no-route'] > 0, JSON.stringify(summary.drops))
  })

  test(`survives the underlay going down and up on IPv6, with --io ${io}`, async () => {
    using rig = new Hosts({ overlay: 'flat', containerMtu: 1442 })
    const { A } = await rig.tunnel(['--io', io], { family: 6 })
    await rig.reach('cA', 'cB')
    rig.ip('A', 'link set eth1 down') // takes the IPv6 addresses too
    assert.is((await rig.ping('cA', 'cB', { count: 3, wait: 0.2 })).received, 0)
    await idles(A)
    rig.ip('A', 'link set eth1 up')
    rig.ip('A', `address add ${rig.address('A', 6)}/64 dev eth1 nodad`)
    await rig.reach('cA', 'cB')
    assert.is((await A.stop()).code, 0)
  })

  test(`survives its address being taken away and given back, with --io ${io}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const { A } = await rig.tunnel(['--io', io])
    await rig.reach('cA', 'cB')
    rig.ip('A', 'address del 192.168.56.4/24 dev eth1')
    assert.is((await rig.ping('cA', 'cB', { count: 3, wait: 0.2 })).received, 0)
    await idles(A)
    rig.ip('A', 'address add 192.168.56.4/24 dev eth1')
    await rig.reach('cA', 'cB')
    const { code, summary } = await A.stop()
    assert.is(code, 0)
    assert.ok(summary.drops['no-route'] > 0, JSON.stringify(summary.drops))
  })

  test(`survives the other end being absent at the start, and says who refused, with --io ${io}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const A = await rig.tsgre('A', ['--io', io])
    // Nobody takes protocol 47 at B yet: its kernel answers by ICMP.
    assert.is((await rig.ping('cA', 'cB', { count: 5, wait: 0.2 })).received, 0)
    await idles(A)
    await rig.tsgre('B', ['--io', io])
    await rig.reach('cA', 'cB')
    const { code, summary } = await A.stop()
    assert.is(code, 0)
    // An unconnected socket, as the package's is, is never told.
    if (io === 'mmsg') assert.ok(summary.drops['peer-refused'] > 0, JSON.stringify(summary.drops))
  })

  test(`says so when its bridge is deleted, and goes on, with --io ${io}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const A = await rig.tsgre('A', ['--io', io, '--route', '10.103.200.0/24'])
    rig.ip('A', 'link del docker0')
    await A.child.waitFor(/bridge docker0 is gone/)
    assert.is(warnings(A).length, 1, A.stderr)
    assert.match(warnings(A)[0]!, /bridge docker0 .*tap0/)
    await idles(A)
    const { code, stderr } = await A.stop()
    assert.is(code, 0)
    assert.is(stderr.trim().split('\n').length, 1, stderr)
    assert.not(rig.ipJson('A', 'link show').some(({ ifname }) => ifname === 'tap0'))
  })

  test(`ends with one sentence when its TAP is deleted, with --io ${io}`, async () => {
    using rig = new Hosts()
    const before = await settledSnapshot(rig, 'A')
    const A = await rig.tsgre('A', ['--io', io, '--route', '10.103.200.0/24'])
    rig.ip('A', 'link del tap0')
    const { code, stderr } = await A.child.ended
    assert.is(code, 1)
    const { event, message, ...rest } = JSON.parse(stderr)
    assert.equal(
      { event, message, rest },
      { event: 'error', message: 'tap0 was deleted while the tunnel ran', rest: { code: 'EBADFD' } },
    )
    assert.is(JSON.parse(A.lines.at(-1)!).event, 'down')
    assert.equal(await settledChanges(rig, 'A', before), [])
  })

  test(`ends with one sentence when the TAP it took over is deleted, with --io ${io}`, async () => {
    using rig = new Hosts()
    const before = await settledSnapshot(rig, 'A')
    rig.ip('A', 'tuntap add tap0 mode tap')
    rig.ip('A', 'link set tap0 mtu 1300')
    const A = await rig.tsgre('A', ['--io', io, '--mac', '02:00:00:00:00:01', '--route', '10.103.200.0/24'])
    rig.ip('A', 'link del tap0')
    const { code, stderr } = await A.child.ended
    assert.is(code, 1)
    assert.is(JSON.parse(stderr).message, 'tap0 was deleted while the tunnel ran')
    assert.equal(await settledChanges(rig, 'A', before), [])
  })

  test(`waits while its TAP is down, with --io ${io}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const { A } = await rig.tunnel(['--io', io])
    await rig.reach('cA', 'cB')
    rig.ip('A', 'link set tap0 down')
    assert.is((await rig.ping('cB', 'cA', { count: 3, wait: 0.2 })).received, 0)
    await idles(A)
    rig.ip('A', 'link set tap0 up')
    await rig.reach('cA', 'cB')
    const { summary } = await A.stop()
    assert.ok(summary.drops['tap-down'] > 0, JSON.stringify(summary.drops))
  })

  test(`pauses while the route to the remote leads into its bridge, with --io ${io}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const { A } = await rig.tunnel(['--io', io])
    await rig.reach('cA', 'cB')
    rig.ip('A', 'address add 10.103.0.9/16 dev docker0')
    rig.ip('A', 'route add 192.168.56.5/32 dev docker0')
    await A.child.waitFor(/leads into docker0/)
    assert.is((await rig.ping('cA', 'cB', { count: 3, wait: 0.2 })).received, 0)
    await idles(A)
    rig.ip('A', 'route del 192.168.56.5/32 dev docker0')
    await A.child.waitFor(/leads outside again/)
    await rig.reach('cA', 'cB')
    const { code, summary, stderr } = await A.stop()
    assert.is(code, 0)
    assert.ok(summary.drops.loop > 0, JSON.stringify(summary.drops))
    assert.is(stderr.trim().split('\n').length, 1, stderr)
    assert.equal(
      A.lines.map((line) => JSON.parse(line).event),
      ['up', 'note', 'down'],
    )
  })

  test(`idles when there is nothing to do, with --io ${io}`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const { A, B } = await rig.tunnel(['--io', io])
    await rig.reach('cA', 'cB')
    await idles(A)
    await B.stop('SIGKILL')
    await rig.ping('cA', 'cB', { count: 5, wait: 0.2 })
    await idles(A)
  })
}

test('idles after its underlay device is gone for good', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const { A } = await rig.tunnel(['--dev', 'eth1'])
  await rig.reach('cA', 'cB')
  rig.ip('A', 'link del eth1')
  assert.is((await rig.ping('cA', 'cB', { count: 3, wait: 0.2 })).received, 0)
  await idles(A)
  const { code, summary } = await A.stop()
  assert.is(code, 0)
  assert.ok(summary.drops['no-route'] > 0, JSON.stringify(summary.drops))
})

test('pauses while the route to the remote leads into its TAP', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const { A } = await rig.tunnel()
  rig.ip('A', 'route add 192.168.56.5/32 dev tap0')
  await A.child.waitFor(/leads into tap0/)
  await idles(A)
  rig.ip('A', 'route del 192.168.56.5/32 dev tap0')
  await A.child.waitFor(/leads outside again/)
  assert.is((await A.stop()).code, 0)
})

test.run()
