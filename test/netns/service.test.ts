// What the unit of tsgre@NAME starts, started as it does: a user that is not root, with two capabilities and a socket to notify.

import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serviceUnit } from '#tsgre/host/service-unit.js'
import { parsePrivileges } from '#tsgre/sys/capabilities.js'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { Notified } from '../rig/notified.js'
import { settledChanges, settledSnapshot } from '../rig/snapshot.js'
import { underFilterOf } from '../rig/system-calls.js'

const USER = 54321
const UNIT = serviceUnit({ command: tsgreArgv([]), user: 'tsgre' })
const TWO = ['cap_net_admin', 'cap_net_raw']
/**
 * The device as udev has it, open to everybody (50-udev-default.rules), and the group as install-service makes it.
 * `ip netns exec` has mounts of its own.
 */
const INSTALLED =
  'mknod -m 666 "$0/tun" c 10 200 && mount --bind "$0/tun" /dev/net/tun && mount --bind "$0/group" /etc/group && exec "$@"'
const AS_THE_UNIT = [
  'setpriv',
  `--reuid=${USER}`,
  `--regid=${USER}`,
  '--clear-groups',
  '--inh-caps=-all,+net_admin,+net_raw',
  '--ambient-caps=-all,+net_admin,+net_raw',
  '--bounding-set=-all,+net_admin,+net_raw',
  '--no-new-privs',
  '--',
]

/** As RuntimeDirectory= makes it. */
function runDirectory(rig: Hosts): string {
  const run = rig.file('run')
  mkdirSync(run)
  chmodSync(run, Number.parseInt(/^RuntimeDirectoryMode=(.*)$/m.exec(UNIT)![1]!, 8)) // past the umask
  chownSync(run, USER, USER)
  chmodSync(dirname(run), 0o755) // the rig's, and root's
  return run
}

/** On a host where the service is installed. */
function installed(rig: Hosts, argv: readonly string[], group = 'tsgre'): string[] {
  const folder = rig.file('installed')
  mkdirSync(folder)
  writeFileSync(join(folder, 'group'), `${readFileSync('/etc/group', 'utf8')}${group}:x:${USER}:\n`)
  return ['sh', '-c', INSTALLED, folder, ...argv]
}

function asTheUnit(rig: Hosts, argv: readonly string[], group?: string): string[] {
  return installed(rig, underFilterOf(UNIT, [...AS_THE_UNIT, ...argv]), group)
}

function configured(rig: Hosts): string {
  const file = rig.file('yaml')
  writeFileSync(file, JSON.stringify({ tap: 'tap0', remote: rig.address('B'), route: rig.network('B') }))
  chmodSync(file, 0o644)
  return file
}

test('a user that is not root, with the system calls of the unit, carries frames, sets up the host and puts it back, and tells the service manager all of it', async () => {
  using rig = new Hosts()
  // What `--icc=false` makes of Docker's rules drops what the tunnel needs: so that rules are made, by iptables.
  for (const rule of ['-N DOCKER-USER', '-I FORWARD -j DOCKER-USER', '-A FORWARD -i docker0 -o docker0 -j DROP'])
    rig.execSync('A', ['iptables', ...rule.split(' ')])
  await using notified = await Notified.start()
  chmodSync(dirname(notified.socket), 0o755)
  const before = await settledSnapshot(rig, 'A')
  const run = runDirectory(rig)
  const env = {
    TSGRE_RUN_DIR: run,
    XTABLES_LOCKFILE: `${run}/xtables.lock`,
    NOTIFY_SOCKET: notified.socket,
    WATCHDOG_USEC: '1000000',
    HOME: '/nonexistent',
  }
  const daemon = rig.spawn('A', asTheUnit(rig, tsgreArgv(['--config', configured(rig)])), { env })
  await daemon.waitFor(/^tsgre: tap0 up/)
  await notified.heard('READY=1')
  await rig.tsgre('B', ['--route', rig.network('A')])
  await rig.reach('cA', 'cB')
  assert.is(rig.ipJson('A', 'link show tap0')[0].master, 'docker0')
  assert.match(rig.ip('A', `route show ${rig.network('B')}`), /docker0/)
  assert.match(rig.execSync('A', ['iptables', '-S', 'DOCKER-USER']), /10\.103\.200\.0\/24.* ACCEPT/)
  for (const tid of readdirSync(`/proc/${daemon.pid}/task`)) {
    const text = readFileSync(`/proc/${daemon.pid}/task/${tid}/status`, 'utf8')
    const { uid, effective, bounding, noNewPrivileges } = parsePrivileges(text)
    assert.equal([uid, effective, bounding, noNewPrivileges], [USER, TWO, TWO, true])
  }
  const socket = statSync(`${run}/${readdirSync(run).find((name) => name.endsWith('.sock'))}`)
  assert.equal([socket.mode & 0o777, socket.uid, socket.gid], [0o660, USER, USER])
  const { stdout } = await rig.exec('A', tsgreArgv(['status', '--json']), { env })
  assert.equal([JSON.parse(stdout).user, JSON.parse(stdout).capabilities.effective], [`${USER}`, TWO])
  await notified.heard('WATCHDOG=1')
  daemon.kill('SIGHUP')
  await notified.heard('RELOADING=1')
  await daemon.waitFor(/reloaded: nothing has changed/)
  const ended = await daemon.stop('SIGTERM')
  await notified.heard('STOPPING=1')
  const told = notified.messages.flatMap(({ lines }) => lines).filter((line) => /^(READY|RELOADING)=/.test(line))
  assert.equal(told, ['READY=1', 'RELOADING=1', 'READY=1'])
  assert.equal([ended.code, ended.stderr], [0, ''])
  assert.equal(await settledChanges(rig, 'A', before), [])
})

for (const group of ['tsgre', 'another'])
  test(`root by hand and the service, of the group ${group}, keep journals and sockets in one directory, and take back what the other one left`, async () => {
    using rig = new Hosts()
    const run = runDirectory(rig)
    const env = { TSGRE_RUN_DIR: run }
    const before = await settledSnapshot(rig, 'A')
    const argv = tsgreArgv(['--config', configured(rig)])
    for (const [one, other] of [
      [installed, asTheUnit],
      [asTheUnit, installed],
    ] as const) {
      const first = rig.spawn('A', one(rig, argv, group), { env })
      await first.waitFor(/^tsgre: tap0 up/)
      first.kill('SIGKILL')
      assert.is((await first.ended).stderr, '')
      const second = rig.spawn('A', other(rig, argv, group), { env })
      await second.waitFor(/took back what the tsgre on tap0 left/)
      await second.waitFor(/^tsgre: tap0 up/)
      const { code, stderr } = await second.stop()
      assert.equal([code, stderr], [0, ''])
      assert.equal(readdirSync(run), [])
      assert.equal(await settledChanges(rig, 'A', before), [])
    }
  })

test('a journal that it may not remove is warned of: what that says is taken back, and the tunnel runs', async () => {
  using rig = new Hosts()
  const run = runDirectory(rig)
  chownSync(run, 0, 0)
  chmodSync(run, 0o755)
  const env = { TSGRE_RUN_DIR: run }
  const before = await settledSnapshot(rig, 'A')
  const start = async (tap: string, key: string) => {
    const child = rig.spawn('A', tsgreArgv(['--remote', '192.168.56.77', '--tap', tap, '--key', key]), { env })
    await child.waitFor(new RegExp(`^tsgre: ${tap} up`))
    return child
  }
  for (const killed of [await start('tap8', '8'), await start('tap9', '9')]) await killed.stop('SIGKILL')
  const daemon = rig.spawn('A', asTheUnit(rig, tsgreArgv(['--config', configured(rig)])), { env })
  await daemon.waitFor(/^tsgre: tap0 up/)
  const { code, stderr } = await daemon.stop()
  assert.is(code, 0)
  for (const tap of ['tap8', 'tap9'])
    assert.match(stderr, new RegExp(`could not take back: the journal ${run}/${tap}@.*: unlink.*EACCES`))
  assert.match(stderr, `no journal in ${run}`)
  assert.equal(await settledChanges(rig, 'A', before), [])

  const cleanup = (argv: string[]) => rig.exec('A', argv, { env, anyCode: true })
  const partly = await cleanup(asTheUnit(rig, tsgreArgv(['cleanup'])))
  assert.is(partly.code, 1)
  for (const tap of ['tap8', 'tap9']) {
    assert.match(partly.stdout, new RegExp(`^${tap}: taken back: `, 'm'))
    assert.match(partly.stdout, new RegExp(`^${tap}: NOT taken back: the journal .*EACCES`, 'm'))
  }
  assert.is((await cleanup(tsgreArgv(['cleanup']))).code, 0)
  assert.equal(readdirSync(run), [])
})

test.run()
