// Edges of a TAP that follows the other ports of its bridge: no IPv6 below 1280, tunnels without a journal, a TAP that is a
// port of the bridge before and after.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Hosts } from '../rig/hosts.js'

function mtu(rig: Hosts, name: string): number {
  return rig.ipJson('A', `link show ${name}`)[0].mtu
}

async function until(what: string, happened: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; !happened(); await sleep(20))
    assert.ok(Date.now() < deadline, `this did not happen: ${what}`)
}

function addPort(rig: Hosts, size: number): void {
  rig.ip('A', `link add port7 mtu ${size} type veth peer name port8`)
  rig.ip('A', 'link set port7 addrgenmode none master docker0 up')
}

test('joins a bridge whose ports are too small for IPv6', async () => {
  using rig = new Hosts()
  rig.ip('A', 'link set veth0 mtu 1200')
  const A = await rig.tsgre('A')
  assert.equal([mtu(rig, 'tap0'), mtu(rig, 'docker0')], [1200, 1200])
  rig.ip('A', 'link set veth0 mtu 1500')
  await until('the TAP follows', () => mtu(rig, 'tap0') === 1500)
  await until('without an address of its own', () => rig.ip('A', '-6 address show dev tap0') === '')
  assert.is((await A.stop()).code, 0)
})

for (const [what, env] of [
  ['that cannot write a journal', { ...process.env, TSGRE_RUN_DIR: '/proc/nowhere' }],
  ['that keep one', undefined],
] as const) {
  test(`two tunnels ${what} do not follow each other`, async () => {
    using rig = new Hosts()
    const options = env ? { env } : {}
    await rig.tsgre('A', ['--tap', 'tap1', '--key', '1'], options)
    await rig.tsgre('A', ['--tap', 'tap2', '--key', '2'], options)
    addPort(rig, 1400)
    await until('both sink', () => mtu(rig, 'tap1') === 1400 && mtu(rig, 'tap2') === 1400)
    rig.ip('A', 'link del port7')
    await until('both rise', () => mtu(rig, 'tap1') === 1500 && mtu(rig, 'tap2') === 1500)
    assert.is(mtu(rig, 'docker0'), 1500)
  })
}

test('a tunnel that leaves its bridge to others is not followed either', async () => {
  using rig = new Hosts()
  await rig.tsgre('A', ['--tap', 'tap1', '--key', '1', '--no-host-setup', '--mtu', '1300'])
  rig.ip('A', 'link set tap1 master docker0')
  await rig.tsgre('A', ['--tap', 'tap2', '--key', '2'])
  assert.is(mtu(rig, 'tap2'), 1500)
})

test('a TAP that was a port already never makes the bridge smaller, not at the end either', async () => {
  using rig = new Hosts()
  rig.ip('A', 'link set veth0 mtu 9000')
  rig.ip('A', 'tuntap add tap0 mode tap')
  rig.ip('A', 'link set tap0 mtu 9000 master docker0 up')
  assert.is(mtu(rig, 'docker0'), 9000)
  const watch = rig.spawn('A', ['ip', '-o', 'monitor', 'link'])
  await sleep(500)
  const A = await rig.tsgre('A')
  await sleep(500)
  assert.is((await A.stop()).code, 0)
  await sleep(300)
  await watch.stop()
  const sizes = watch.stdout.match(/(docker0|tap0).* mtu \d+/g) ?? []
  assert.ok(sizes.length > 0, watch.stdout)
  assert.equal(
    sizes.filter((line) => !line.endsWith(' mtu 9000')),
    [],
  )
})

test.run()
