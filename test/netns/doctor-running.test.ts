// The doctor beside tunnels that run: what it takes from them, what it asks for itself, and what it says where the two differ.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { codes, doctorOn, told } from '../rig/doctor.js'
import { Hosts } from '../rig/hosts.js'

test('a wrong key that was mended is told no more, by the doctor and by the status, once right packets came for some seconds', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('A', ['--key', '7', '--keepalive', '1'])
  const B = await rig.tsgre('B', ['--key', '8', '--keepalive', '1'])
  await rig.ping('cB', 'cA', { count: 2, wait: 0.3 })
  assert.is(told((await doctorOn(rig, 'A', [])).findings, 'wrong-key').level, 'problem')
  await B.stop()
  await rig.tsgre('B', ['--key', '7', '--keepalive', '1'])
  await rig.reach('cA', 'cB')
  await sleep(4000)
  const { code, findings } = await doctorOn(rig, 'A', [])
  assert.equal(codes(findings), [])
  assert.is(code, 0)
  assert.not.match(await rig.exec('A', tsgreArgv(['status'])).then(({ stdout }) => stdout), /arrive with key/)
})

for (const encap of [[], ['--encap', 'udp']]) {
  test(`a remote that has stopped is told before the tunnel has noticed (${encap[1] ?? 'gre'}); what the tunnel last knew is not repeated`, async () => {
    using rig = new Hosts({ overlay: 'flat' })
    await rig.tsgre('A', [...encap, '--keepalive', '60'])
    const B = await rig.tsgre('B', [...encap, '--keepalive', '60'])
    await rig.reach('cA', 'cB')
    const isUp = async () => (await rig.exec('A', tsgreArgv(['status', '--json']))).stdout.includes('"liveness":"up"')
    for (const deadline = Date.now() + 20_000; !(await isUp()); await sleep(100)) assert.ok(Date.now() < deadline)
    const well = await doctorOn(rig, 'A', [])
    assert.equal(codes(well.findings), [])
    await B.stop()
    // No ICMP: as a host that is switched off.
    rig.execSync('B', ['nft', 'table inet t { chain c { type filter hook output priority 0; policy drop; }; }'])
    assert.ok(await isUp())
    const { code, findings } = await doctorOn(rig, 'A', [])
    assert.is(told(findings, 'peer-down').level, 'problem')
    assert.is(code, 1)
  })
}

test.run()
