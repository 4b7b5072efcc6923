// What the unit of tsgre@NAME starts, started as it does: a user that is not root, with two capabilities and a socket to notify.

import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parsePrivileges } from '#tsgre/sys/capabilities.js'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { Notified } from '../rig/notified.js'
import { settledChanges, settledSnapshot } from '../rig/snapshot.js'

const USER = 54321
const TWO = ['cap_net_admin', 'cap_net_raw']
/** Where udev runs, everybody may open the device (50-udev-default.rules). `ip netns exec` has mounts of its own. */
const AS_WITH_UDEV = 'mknod -m 666 "$0/tun" c 10 200 && mount --bind "$0/tun" /dev/net/tun && exec "$@"'
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

test('a user that is not root carries frames, sets up the host and puts it back, and tells the service manager all of it', async () => {
  using rig = new Hosts()
  await using notified = await Notified.start()
  const before = await settledSnapshot(rig, 'A')
  const run = rig.file('run')
  mkdirSync(run, { mode: 0o750 })
  chownSync(run, USER, USER)
  const file = rig.file('yaml')
  for (const folder of [dirname(file), dirname(notified.socket)]) chmodSync(folder, 0o755)
  const config = { tap: 'tap0', remote: '192.168.56.5', route: rig.network('B') }
  writeFileSync(file, JSON.stringify(config))
  chmodSync(file, 0o644)
  const env = {
    TSGRE_RUN_DIR: run,
    XTABLES_LOCKFILE: `${run}/xtables.lock`,
    NOTIFY_SOCKET: notified.socket,
    WATCHDOG_USEC: '1000000',
    HOME: '/nonexistent',
  }
  const daemon = rig.spawn(
    'A',
    ['sh', '-c', AS_WITH_UDEV, dirname(file), ...AS_THE_UNIT, ...tsgreArgv(['--config', file])],
    { env },
  )
  await daemon.waitFor(/^tsgre: tap0 up/)
  await notified.heard('READY=1')
  await rig.tsgre('B', ['--route', rig.network('A')])
  await rig.reach('cA', 'cB')
  assert.is(rig.ipJson('A', 'link show tap0')[0].master, 'docker0')
  assert.match(rig.ip('A', `route show ${rig.network('B')}`), /docker0/)
  const { uid, effective, bounding, noNewPrivileges } = parsePrivileges(
    readFileSync(`/proc/${daemon.pid}/status`, 'utf8'),
  )
  assert.equal([uid, effective, bounding, noNewPrivileges], [USER, TWO, TWO, true])
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
  assert.is(ended.code, 0, ended.stderr)
  assert.equal(await settledChanges(rig, 'A', before), [])
})

test.run()
