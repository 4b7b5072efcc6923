// The TAP has the MTU of its bridge's smallest other port, so that the bridge, and with it every container, keeps its own.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'

function mtu(rig: Hosts, device: string): number {
  return rig.ipJson('A', `link show ${device}`)[0].mtu
}

/** A port of docker0. */
function addPort(rig: Hosts, name: string, bytes: number): void {
  rig.ip('A', `link add ${name} type veth peer name far-${name}`)
  for (const device of [name, `far-${name}`]) rig.ip('A', `link set ${device} mtu ${bytes} up`)
  rig.ip('A', `link set ${name} master docker0`)
}

/** Waits until TAP and bridge have an MTU. */
async function becomes(rig: Hosts, bytes: number, tap = 'tap0'): Promise<void> {
  for (
    const deadline = Date.now() + 15_000;
    [tap, 'docker0'].some((device) => mtu(rig, device) !== bytes);
    await sleep(50)
  ) {
    if (Date.now() > deadline) throw new Error(`${tap} has ${mtu(rig, tap)}, docker0 ${mtu(rig, 'docker0')}`)
  }
}

test('the bridge keeps the MTU of its ports when the TAP joins, all the time', async () => {
  using rig = new Hosts({ overlay: 'flat', mtu: 9000, containerMtu: 9000 })
  rig.ip('A', 'link set veth0 mtu 9000')
  assert.is(mtu(rig, 'docker0'), 9000)
  const monitor = rig.spawn('A', ['ip', '-o', 'monitor', 'link'])
  await sleep(300)
  const A = await rig.tsgre('A')
  assert.equal([A.up.mtu, mtu(rig, 'tap0'), mtu(rig, 'docker0')], [9000, 9000, 9000])
  await A.stop()
  await sleep(300)
  assert.is(mtu(rig, 'docker0'), 9000)
  const mtuIn = (device: string) =>
    monitor.lines.filter((line) => line.includes(`: ${device}: `)).map((line) => /mtu (\d+)/.exec(line)?.[1])
  assert.ok(mtuIn('tap0').includes('9000'), 'the monitor sees what happens')
  assert.is(mtuIn('docker0').filter((bytes) => bytes !== '9000').length, 0)
})

test('--dry-run and the start give it the smallest of the other ports; without one it has 1500', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  addPort(rig, 'small', 1400)
  const argv = tsgreArgv(['--remote', rig.address('B'), '--tap', 'tap0', '--dry-run'])
  const lines = (await rig.exec('A', argv)).stdout.split('\n')
  const [first, second] = ['mtu 1400', 'master docker0'].map((words) => lines.findIndex((line) => line.includes(words)))
  assert.ok(first! > 0 && first! < second!, lines.join('\n'))
  const A = await rig.tsgre('A')
  assert.equal([A.up.mtu, mtu(rig, 'tap0')], [1400, 1400])
  for (const port of ['small', 'veth0']) rig.ip('A', `link set ${port} nomaster`)
  await becomes(rig, 1500)
  await A.stop()
})

test('follows ports that come, go and change, and says so', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const A = await rig.tsgre('A', [], { json: false })
  addPort(rig, 'small', 1400)
  await becomes(rig, 1400)
  rig.ip('A', 'link set small mtu 1450')
  await becomes(rig, 1450)
  rig.ip('A', 'link del small')
  await becomes(rig, 1500)
  const { stdout } = await A.stop()
  const told = [...stdout.matchAll(/tap0 has an MTU of (\d+) now/g)].map(([, bytes]) => bytes)
  assert.equal(told, ['1400', '1450', '1500'])
  assert.not.match(stdout, /put back/)
})

test('says what it did when it is stopped in the middle', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  // The real one, which takes its time to end.
  const ip = '#!/bin/sh\ncase "$*" in *"mtu 1400") "$IP" "$@" && sleep 1 ;; *) exec "$IP" "$@" ;; esac\n'
  const bin = rig.file('bin')
  mkdirSync(bin)
  writeFileSync(`${bin}/ip`, ip, { mode: 0o755 })
  const real = execFileSync('sh', ['-c', 'command -v ip'], { encoding: 'utf8' }).trim()
  const env = { IP: real, PATH: `${bin}:${process.env.PATH}` }
  const A = await rig.tsgre('A', [], { json: false, env })
  addPort(rig, 'small', 1400)
  await becomes(rig, 1400)
  assert.match((await A.stop()).stdout, /tap0 has an MTU of 1400 now/)
})

test('two tunnels in one bridge do not hold each other down', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  addPort(rig, 'small', 1400)
  const A = await rig.tsgre('A')
  const other = await rig.tsgre('A', ['--tap', 'tap1', '--key', '7'])
  assert.equal([mtu(rig, 'tap0'), mtu(rig, 'tap1')], [1400, 1400])
  rig.ip('A', 'link del small')
  await becomes(rig, 1500)
  await becomes(rig, 1500, 'tap1')
  await Promise.all([A.stop(), other.stop()])
})

test('one that is set by hand stays until the ports change; --mtu stays whatever they do', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const A = await rig.tsgre('A')
  rig.ip('A', 'link set tap0 mtu 1300')
  await sleep(3000)
  assert.is(mtu(rig, 'tap0'), 1300)
  addPort(rig, 'small', 1400)
  await becomes(rig, 1400)
  await A.stop()
  const fixed = await rig.tsgre('A', ['--mtu', '1350'])
  assert.match(fixed.stderr, /--mtu 1350: the other ports of docker0 have 1400/)
  rig.ip('A', 'link del small')
  await sleep(1500)
  assert.equal([fixed.up.mtu, mtu(rig, 'tap0')], [1350, 1350])
  await fixed.stop()
})

test('a TAP that was there gets its own MTU back, killed or not', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const env = { TSGRE_RUN_DIR: rig.file('run') }
  rig.ip('A', 'tuntap add dev tap0 mode tap')
  rig.ip('A', 'link set tap0 mtu 1234')
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const A = await rig.tsgre('A', [], { env })
    assert.equal([A.up.mtu, mtu(rig, 'tap0')], [1500, 1500])
    await A.stop(signal)
    if (signal === 'SIGKILL') await rig.exec('A', tsgreArgv(['cleanup']), { env })
    assert.is(mtu(rig, 'tap0'), 1234, signal)
  }
})

test.run()
