// Who may open the control socket, which instances a command sees, and what the commands say of them: with processes of their own
// users, groups and network namespaces.

import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Child, completion } from '../rig/child.js'
import { Instances } from '../rig/instances.js'
import { withNamespace } from './namespace.js'

const NOBODY = 65534
const GROUP = 54321
const OVERTAKEN = fileURLToPath(new URL('../rig/overtaken-server.js', import.meta.url))
const rig = new Instances()
chmodSync(rig.folder, 0o755) // as /run/tsgre is

test.after.each(() => rig.stop())
test.after(() => rig.close())

/** In a mount namespace whose /etc/group has a group tsgre of that id. */
function withGroup(gid: number): string[] {
  const file = `${rig.folder}/group`
  const script = `echo root:x:0: > ${file}; echo tsgre:x:${gid}: >> ${file}; mount --bind ${file} /etc/group; rm -f ${file}; exec "$@"`
  return ['unshare', '--mount', 'sh', '-c', script, 'sh']
}

test('another user gets nothing, and is told who would', async () => {
  const { path } = await rig.start('hosts')
  const [status, stop, reload] = await Promise.all([
    rig.as(`${NOBODY}`, 'status'),
    rig.as(`${NOBODY}`, 'stop'),
    rig.as(`${NOBODY}`, 'reload'),
  ])
  assert.equal([status.code, stop.code, reload.code], [1, 1, 1])
  assert.is(status.stdout, '')
  assert.match(status.stderr, `connect(${path}): EACCES (be root, or a member of the group tsgre)`)
  assert.is((await rig.as('0', 'status')).code, 0)
})

test('the group tsgre may, where there is one, and its socket says so', async () => {
  const { path, warning } = await rig.start('hosts', { before: withGroup(GROUP) })
  const { mode, uid, gid } = lstatSync(path)
  assert.equal([mode & 0o777, uid, gid, warning], [0o660, 0, GROUP, ''])
  const [member, other] = await Promise.all([rig.as(`${NOBODY}:${GROUP}`, 'status'), rig.as(`${NOBODY}`, 'status')])
  assert.equal([member.code, other.code], [0, 1])
})

test('a user who is in that group gives the socket to it; one who is not is warned, and serves', async () => {
  const folder = `${rig.folder}/own`
  mkdirSync(folder)
  chownSync(folder, NOBODY, NOBODY)
  const serve = (user: string) => ({ before: withGroup(GROUP), env: { TSGRE_RUN_DIR: folder, SERVE_AS: user } })
  const member = await rig.start('member', serve(`${NOBODY}:${GROUP}`))
  const other = await rig.start('other', serve(`${NOBODY}`))
  assert.equal([lstatSync(member.path).gid, member.warning], [GROUP, ''])
  assert.is(lstatSync(other.path).gid, NOBODY)
  assert.match(other.warning, 'group tsgre cannot use the control socket (chown: EPERM)')
  const env = { TSGRE_RUN_DIR: folder }
  assert.is((await rig.tsgre(['status'], { env })).stdout.match(/^tsgre \w+: up/gm)?.length, 2)
  await rig.stop()
  assert.equal(readdirSync(folder), [])
  rmdirSync(folder)
})

test('who may write to the directory cannot have root give away another file, by a link in the place of the new socket', async () => {
  const folder = `${rig.folder}/shared`
  const target = `${rig.folder}/secret`
  mkdirSync(folder)
  chownSync(folder, NOBODY, GROUP)
  chmodSync(folder, 0o770) // as the service makes it
  writeFileSync(target, '', { mode: 0o600 })
  const env = { TSGRE_RUN_DIR: folder, TARGET: target, MEMBER: `${NOBODY - 1}:${GROUP}` }
  const { path, child } = await rig.start('hosts', { before: withGroup(GROUP), env, program: OVERTAKEN })
  const owners = [target, path].map((file) => {
    const { mode, uid, gid } = lstatSync(file)
    return [mode & 0o777, uid, gid]
  })
  assert.equal(owners, [
    [0o600, 0, 0],
    [0o660, 0, GROUP],
  ])
  assert.is((await child.stop('SIGTERM')).code, 0)
  // What is theirs is left to them; of ours an empty folder under the name that they gave it.
  const left = readdirSync(folder)
  assert.equal([left.length, left[0]!.startsWith('.new-'), left[1]], [2, true, 'taken'])
  assert.equal(readdirSync(`${folder}/taken`), [])
  rmSync(folder, { recursive: true })
  rmSync(target)
})

test('a command sees the instances of its own network namespace, whatever their files are called', () =>
  withNamespace(async ({ name: namespace }) => {
    const inside = { before: ['ip', 'netns', 'exec', namespace] }
    const here = await rig.start('hosts')
    const there = await rig.start('hosts', inside)
    assert.match(there.path, /hosts\.\d+\.sock$/)
    const pids = async (options?: object) =>
      (await rig.tsgre(['status', '--json'], options)).stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).pid)
    assert.equal(await pids(), [here.child.pid])
    assert.equal(await pids(inside), [there.child.pid])
    await rig.tsgre(['stop', 'hosts'], inside)
    assert.is((await there.child.ended).code, 0)
    assert.equal(readdirSync(rig.folder), ['hosts.sock'])
    assert.is((await rig.tsgre(['status', 'hosts'], inside)).code, 1)
  }))

test('after kill -9 the next one takes the file over', async () => {
  const first = await rig.start('hosts')
  await first.child.stop('SIGKILL')
  assert.ok(existsSync(first.path))
  assert.match((await rig.tsgre(['status'])).stderr, 'no tsgre runs in this network namespace')
  const second = await rig.start('hosts')
  assert.is(second.path, first.path)
  assert.is((await rig.tsgre(['status'])).code, 0)
})

test('of several, one has to be named; status and peers show all', async () => {
  await rig.start('a')
  await rig.start('b')
  const stop = await rig.tsgre(['stop'])
  assert.is(stop.code, 2)
  assert.match(stop.stderr, 'several tsgre run here; name one of a, b')
  const json = await rig.tsgre(['reload', '--json'])
  assert.equal([json.code, JSON.parse(json.stderr).code], [2, 'TSGRE_WHICH_INSTANCE'])
  const { stdout } = await rig.tsgre(['status'])
  assert.match(stdout, /^! 192\.168\.56\.6 is down\n {4}ping it\n/)
  assert.match(stdout, /^tsgre a: up /m)
  assert.match(stdout, /^tsgre b: up /m)
  const [b, peers, none] = await Promise.all(
    [
      ['status', 'b'],
      ['peers', '--json'],
      ['status', 'c'],
    ].map((words) => rig.tsgre(words)),
  )
  assert.not.match(b!.stdout, 'tsgre a')
  assert.is(peers!.stdout.trim().split('\n').length, 4)
  assert.is(none!.code, 1)
})

test('peers, fdb and reload reach it, with or without its name', async () => {
  await rig.start('hosts')
  const say = async (...words: string[]) => {
    const { code, stdout, stderr } = await rig.tsgre(words)
    return [code, (stdout + stderr).trim()]
  }
  const cases: [string[], [number, string]][] = [
    [
      ['peers', 'add', '192.168.56.7,key=7'],
      [0, 'tsgre: added 192.168.56.7,key=7 (hosts)'],
    ],
    [
      ['peers', 'remove', '192.168.56.7', 'hosts'],
      [0, 'tsgre: removed 192.168.56.7 (hosts)'],
    ],
    [
      ['peers', 'add', 'bad'],
      [2, 'tsgre: --remote bad: no address'],
    ],
    [
      ['peers', 'add', '192.0.2.5', '192.0.2.6'],
      [
        1,
        'tsgre: no tsgre named 192.0.2.6 runs here; there is hosts; the word behind 192.0.2.5 is the name of a tsgre; each remote has a command of its own',
      ],
    ],
    [['fdb'], [0, 'no addresses']],
    [
      ['fdb', 'hosts', '--tap', 'tap0', '--json'],
      [0, '[]'],
    ],
    [
      ['fdb', 'flush'],
      [0, 'tsgre: forgot all addresses (hosts)'],
    ],
    [
      ['fdb', 'flush', 'hosts', '--remote', '192.0.2.5'],
      [0, 'tsgre: forgot the addresses behind 192.0.2.5 (hosts)'],
    ],
    [
      ['peers', '--tap', 'nosuch'],
      [2, 'tsgre: no tunnel here is called nosuch: name one of tap0'],
    ],
    [['reload'], [0, 'tsgre: tap0: 192.168.56.6 was added']],
  ]
  const said = await Promise.all(cases.map(([words]) => say(...words)))
  assert.equal(
    said,
    cases.map(([, expected]) => expected),
  )
  for (const words of [['peers'], ['peers', 'list', 'hosts']]) {
    const [code, text] = await say(...words)
    assert.is(code, 0)
    assert.match(String(text), /^peer {10}state .*\n192\.168\.56\.6 {2}down .*\n192\.168\.56\.5 {2}up /)
  }
})

test('stop waits until it has ended', async () => {
  const { child } = await rig.start('hosts')
  assert.equal((await rig.tsgre(['stop'])).stdout, 'tsgre: hosts has stopped\n')
  assert.is((await child.ended).code, 0)
})

test('top refuses where there is no terminal, and names what is for programs', async () => {
  const { code, stderr } = await rig.tsgre(['top'])
  assert.is(code, 2)
  assert.match(stderr, 'tsgre status --json')
})

test('curl is client enough', async () => {
  const { path } = await rig.start('hosts')
  const curl = (...words: string[]) => completion(new Child(['curl', '-s', '--unix-socket', path, ...words]))
  assert.is(JSON.parse((await curl('http://tsgre/v1/status')).stdout).name, 'hosts')
  const json = ['-H', 'content-type: application/json']
  assert.is(
    (await curl(...json, '-d', '{"remote":"192.0.2.7"}', 'http://tsgre/v1/peers')).stdout,
    '{"address":"192.0.2.7"}\n',
  )
  assert.match((await curl('-d', '{"remote":"192.0.2.7"}', 'http://tsgre/v1/peers')).stdout, 'application/json')
})

test.run()
