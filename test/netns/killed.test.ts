// Tunnels killed at any moment, several at a time, and their cleanup too: in the end the host is as it was.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { random } from '../rig/random.js'
import { settledChanges, settledSnapshot } from '../rig/snapshot.js'

const ROUNDS = process.env.TSGRE_LONG === '1' ? 60 : 6
const TAPS = [0, 1, 2] as const

const wants = (index: number) => ['--tap', `tap${index}`, '--key', `${index}`, '--route', `10.103.20${index}.0/24`]

/** What a snapshot does not show: firewall and settings. */
function rest(rig: Hosts): string {
  const settings = ['all', 'docker0'].map((name) => `/proc/sys/net/ipv4/conf/${name}/send_redirects`)
  return rig.execSync('A', ['sh', '-c', `iptables -S; cat ${settings.join(' ')}`])
}

/** A host whose firewall asks for rules, with one TAP that was there before. */
async function prepared(rig: Hosts): Promise<{ links: readonly string[]; rest: string }> {
  for (const words of ['-N DOCKER-USER', '-A FORWARD -j DOCKER-USER', '-A FORWARD -i docker0 -o docker0 -j DROP'])
    rig.execSync('A', ['iptables', ...words.split(' ')])
  rig.ip('A', 'tuntap add tap1 mode tap')
  rig.ip('A', 'link set tap1 up')
  await sleep(300)
  return { links: await settledSnapshot(rig, 'A'), rest: rest(rig) }
}

test('killed at any moment, with the cleanup killed too, the next cleanup leaves the host as it was', async () => {
  using rig = new Hosts()
  const before = await prepared(rig)
  const dice = random(7)
  for (let round = 0; round < ROUNDS; round++) {
    const daemons = TAPS.map((index) => rig.spawn('A', tsgreArgv(['--remote', rig.address('B'), ...wants(index)])))
    await sleep(150 + dice.below(900))
    for (const daemon of daemons) daemon.kill('SIGKILL')
    await Promise.all(daemons.map(({ ended }) => ended))
    const interrupted = rig.spawn('A', tsgreArgv(['cleanup']))
    await sleep(150 + dice.below(300))
    await interrupted.stop('SIGKILL')
    const { stdout } = await rig.exec('A', tsgreArgv(['cleanup']))
    assert.equal(await settledChanges(rig, 'A', before.links), [], stdout)
    assert.is(rest(rig), before.rest, stdout)
  }
})

test('started and stopped at the same time, none of them undoes what another needs', async () => {
  using rig = new Hosts()
  const before = await prepared(rig)
  const dice = random(8)
  for (let round = 0; round < ROUNDS / 2; round++) {
    const daemons = await Promise.all(TAPS.map((index) => rig.tsgre('A', wants(index))))
    const stays = daemons[round % TAPS.length]!
    const others = daemons.filter((daemon) => daemon !== stays)
    const ends = await Promise.all(
      others.map(async (daemon) => {
        await sleep(dice.below(300))
        return await daemon.stop()
      }),
    )
    for (const { code, stderr } of ends) assert.equal([code, stderr], [0, ''])
    assert.match(rest(rig), /-A DOCKER-USER .*tsgre tap/)
    assert.match(rest(rig), /\n0\n0\n$/)
    await stays.stop()
    assert.equal(await settledChanges(rig, 'A', before.links), [])
    assert.is(rest(rig), before.rest)
  }
})

test.run()
