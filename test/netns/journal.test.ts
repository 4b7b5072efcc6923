// Journals where somebody else is about: who cleans up after the same dead tunnel, who shares the run directory, who keeps the
// file from being removed.

import { existsSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { settledChanges, settledSnapshot } from '../rig/snapshot.js'
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

/** In a namespace of processes of its own, where it finds itself to be the first: as in a container. */
function inContainer(args: readonly string[]): string[] {
  return ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', ...tsgreArgv(args)]
}

test('containers that share a run directory keep a journal each, and clean up each after itself', async () => {
  using rig = new Hosts()
  const hosts = [
    ['A', 'B', '10.103.200.0/24'],
    ['B', 'A', '10.103.100.0/24'],
  ] as const
  const before = await Promise.all(hosts.map(([host]) => settledSnapshot(rig, host)))
  const daemons = hosts.map(([host, other, network]) =>
    rig.spawn(host, inContainer([...wants(rig, other), '--route', network])),
  )
  for (const daemon of daemons) await daemon.waitFor(/^tsgre: tap0 up/)
  const journals = readdirSync(rig.runFolder('A')).filter((name) => name.endsWith('.journal'))
  assert.is(journals.length, 2, journals.join(' '))
  assert.ok(journals.includes('tap0.journal'), journals.join(' '))
  for (const daemon of daemons) await daemon.stop('SIGKILL')
  for (const [host] of hosts) while (rig.ip(host, 'link show').includes('tap0')) await sleep(20)
  for (const [index, [host, , network]] of hosts.entries()) {
    const { stdout } = await rig.exec(host, inContainer(['cleanup']))
    assert.match(stdout, `tap0: taken back: route ${network}`)
    assert.equal(await settledChanges(rig, host, before[index]!), [])
  }
  assert.equal(readdirSync(rig.runFolder('A')), [])
})

test('where only the journal cannot be removed at the end, that alone is said, with the way to remove it', async () => {
  using rig = new Hosts()
  const run = rig.runFolder('A')
  const before = await settledSnapshot(rig, 'A')
  const daemon = rig.spawn('A', tsgreArgv([...wants(rig, 'B'), '--route', '10.103.200.0/24']))
  await daemon.waitFor(/^tsgre: tap0 up/)
  const path = `${run}/${readdirSync(run).find((name) => name.endsWith('.journal'))}`
  // In its own view of the files, which `ip netns exec` gives it: what is mounted there cannot be removed.
  rig.execSync('A', ['nsenter', '-t', `${daemon.pid}`, '-m', 'mount', '--bind', path, path])
  const { code, stderr } = await daemon.stop()
  assert.is(code, 0)
  assert.match(stderr, `this host was put back, and only the journal ${path} is left: `)
  assert.match(stderr, `remove it with \`tsgre cleanup\` or \`rm ${path}\``)
  assert.not.match(stderr, 'could not put this host back')
  assert.equal(await settledChanges(rig, 'A', before), [])
  assert.is((await rig.exec('A', tsgreArgv(['cleanup']))).code, 0)
  assert.not.ok(existsSync(path))
})

test.run()
