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

test.run()
