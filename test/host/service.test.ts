// The service as it is installed: into a folder that stands for the file system, and judged by systemd itself.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HostError } from '#tsgre/errors.js'
import { planRemoval, planService, takeSteps } from '#tsgre/host/service.js'
import { refuseUnreachable } from '#tsgre/host/service-refusals.js'
import { serviceUnit } from '#tsgre/host/service-unit.js'
import { tsgreArgv } from '../rig/daemon.js'
import { fileOf } from '../rig/root.js'

const COMMAND = [process.execPath, fileOf('dist/cli/main.js')]
const UNIT = 'etc/systemd/system/tsgre@.service'

function folder(): { root: string } & Disposable {
  const root = mkdtempSync(join(tmpdir(), 'tsgre-root-'))
  mkdirSync(join(root, 'etc'))
  for (const name of ['passwd', 'group', 'shadow', 'gshadow', 'login.defs']) {
    const text = name === 'login.defs' ? readFileSync('/etc/login.defs', 'utf8') : ''
    writeFileSync(join(root, 'etc', name), text)
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}

test('makes user, group, directory and unit, once', async () => {
  using place = folder()
  const options = { command: COMMAND, user: 'tsgre', root: place.root }
  const told: string[] = []
  await takeSteps(planService(options), ({ text }) => told.push(text.split(' ')[0]!))
  assert.equal(told, ['groupadd', 'useradd', 'mkdir', `/${UNIT}`])
  const entry = readFileSync(join(place.root, 'etc/passwd'), 'utf8')
  assert.match(entry, /^tsgre:x:\d+:\d+:.*:\/nonexistent:\/usr\/sbin\/nologin$/m)
  assert.match(readFileSync(join(place.root, 'etc/group'), 'utf8'), /^tsgre:x:\d+:/m)
  assert.is(statSync(join(place.root, UNIT)).mode & 0o777, 0o644)
  assert.equal(planService(options), [])
  await takeSteps(planRemoval(options), () => {})
  assert.equal(planRemoval(options), [])
  assert.equal(
    planService(options).map(({ text }) => text),
    [`/${UNIT}`],
  )
})

test('leaves a unit alone that somebody else wrote, and says what to do', () => {
  using place = folder()
  mkdirSync(join(place.root, 'etc/systemd/system'), { recursive: true })
  writeFileSync(join(place.root, UNIT), '[Service]\n')
  assert.throws(
    () => planService({ command: COMMAND, user: 'tsgre', root: place.root }),
    (error: unknown) => error instanceof HostError && /drop-in/.test(error.message),
  )
  assert.is(readFileSync(join(place.root, UNIT), 'utf8'), '[Service]\n')
})

test('the unit is one that systemd takes without a word', () => {
  using place = folder()
  const path = join(place.root, 'tsgre@.service')
  writeFileSync(path, serviceUnit({ command: COMMAND, user: 'root' }))
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' })
  assert.is(`${stdout}${stderr}`, '')
  assert.is(status, 0)
})

test('is not installed for a program that its user could not run, and says why', () => {
  using place = folder()
  const program = join(place.root, 'node')
  writeFileSync(program, '')
  assert.throws(
    () => refuseUnreachable([program]),
    /node cannot be run as a service: a service has a \/tmp of its own; install /,
  )
  const at = mkdtempSync('/var/lib/tsgre-closed-')
  try {
    const closed = join(at, 'main.js')
    writeFileSync(closed, '', { mode: 0o644 })
    assert.throws(() => refuseUnreachable([closed]), new RegExp(`not everybody may enter ${at};`))
    chmodSync(at, 0o755)
    refuseUnreachable([closed])
    chmodSync(closed, 0o600)
    assert.throws(() => refuseUnreachable([closed]), /not everybody may read it/)
  } finally {
    rmSync(at, { recursive: true })
  }
})

test('is installed by root alone, and says so before anything else', () => {
  const argv = [fileOf('.build/test/rig/command-as.js'), '65534', 'install-service']
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  assert.is(stdout, '')
  assert.match(stderr, /^tsgre: this needs root: put sudo in front of it; --dry-run shows/)
  assert.is(status, 1)
})

test('stays while instances of it start at boot', async () => {
  using place = folder()
  await takeSteps(planService({ command: COMMAND, user: 'tsgre', root: place.root }), () => {})
  const link = join(place.root, 'etc/systemd/system/multi-user.target.wants/tsgre@dc1.service')
  mkdirSync(dirname(link))
  symlinkSync(`/${UNIT}`, link)
  assert.throws(() => planRemoval(place), /first: systemctl disable --now tsgre@dc1\.service$/)
  rmSync(link)
  assert.is(planRemoval(place).length, 1)
})

test('odd words of its command line are quoted as systemd reads them', () => {
  const unit = serviceUnit({ command: ['/opt/my node/bin', '/a%b/$c"d'], user: 'tsgre' })
  assert.match(unit, 'ExecStart="/opt/my node/bin" "/a%%b/$$c\\"d" --config /etc/tsgre/%i.yaml')
})

test('the command prints what it would do, and the unit, and does nothing', () => {
  const [program, ...args] = tsgreArgv(['install-service', '--dry-run'])
  const { stdout: text } = spawnSync(program!, args, { encoding: 'utf8' })
  assert.match(text, /^\/etc\/systemd\/system\/tsgre@\.service {2}# the unit/m)
  assert.match(text, /^AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW$/m)
  const bad = spawnSync(program!, [...args, '--user', 'root'], { encoding: 'utf8' })
  assert.is(bad.status, 2)
  assert.match(bad.stderr, /--user root: takes the name of a user of its own/)
})

test('a dry run ends with the refusal of what no service could run, behind all that would be done', () => {
  using place = folder()
  const inside = [
    '--mount',
    'sh',
    '-c',
    'mount --bind "$0" "$1" && exec "$2" "$1/dist/cli/main.js" install-service --dry-run',
  ]
  const argv = [...inside, fileOf('.'), place.root, process.execPath]
  const { status, stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' })
  assert.match(stdout, /^WantedBy=multi-user\.target$/m)
  assert.match(stderr, /^tsgre: \S+ cannot be run as a service: /)
  assert.is(status, 1)
})

test('run again without --user, the unit keeps the user it has', () => {
  using place = folder()
  const [program, ...args] = tsgreArgv(['install-service', '--dry-run'])
  const user = (before: string | undefined, ...more: string[]) => {
    if (before !== undefined)
      writeFileSync(join(place.root, 'tsgre@.service'), serviceUnit({ command: ['/old/node'], user: before }))
    const inside = ['--mount', 'sh', '-c', 'mount --bind "$0" /etc/systemd/system && exec "$@"', place.root]
    const { stdout } = spawnSync('unshare', [...inside, program!, ...args, ...more], { encoding: 'utf8' })
    return [...stdout.matchAll(/^(?:User|Group)=(.*)$/gm)].map(([, name]) => name)
  }
  assert.equal(user(undefined), ['tsgre', 'tsgre'])
  assert.equal(user('gre'), ['gre', 'gre'])
  assert.equal(user('gre', '--user', 'tsgre'), ['tsgre', 'tsgre'])
})

test.run()
