// Journals where somebody else is about: who cleans up after the same dead tunnel.

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import type { HostName } from '../rig/topology.js'

const CLEANER = [process.execPath, fileURLToPath(new URL('../rig/cleaner.js', import.meta.url)), 'tap0']
const wants = (rig: Hosts, remote: HostName) => ['--remote', rig.address(remote), '--tap', 'tap0']

async function cleaning(rig: Hosts) {
  const cleaner = rig.spawn('A', CLEANER)
  await cleaner.waitFor(/^cleaning/)
  return cleaner
}

test('a start waits while somebody cleans up after the dead tunnel on its TAP', async () => {
  using rig = new Hosts()
  const cleaner = await cleaning(rig)
  const start = rig.spawn('A', tsgreArgv(wants(rig, 'B')))
  await Promise.race([start.ended, sleep(900)])
  assert.ok(start.running, start.stderr)
  assert.is((await cleaner.stop()).code, 0)
  await start.waitFor(/^tsgre: tap0 up/)
  assert.is((await start.stop()).code, 0)
})

test('a dry run does not wait for who cleans up, where nothing is left to it', async () => {
  using rig = new Hosts()
  const cleaner = await cleaning(rig)
  const planned = rig.spawn('A', tsgreArgv([...wants(rig, 'B'), '--dry-run']))
  assert.is((await planned.ended).code, 0, planned.stderr)
  await cleaner.stop()
})

test.run()
