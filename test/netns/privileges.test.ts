// What a daemon started as root gives away before it begins, read of every thread; and that it then does all it did before.

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parsePrivileges, readPrivileges } from '#tsgre/sys/capabilities.js'
import { completion } from '../rig/child.js'
import { type Daemon, tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { fileOf } from '../rig/root.js'
import { changes, settledChanges, settledSnapshot } from '../rig/snapshot.js'

const TWO = ['cap_net_admin', 'cap_net_raw']
const ARGS = ['--remote', '192.168.56.5', '--tap', 'tap0']

function threads(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) => readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8'))
}

function parent(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
}

function assertLimited(daemon: Daemon): void {
  const of = threads(daemon.pid)
  assert.ok(of.length > 3, `${of.length} threads`)
  for (const text of of) {
    const { uid, effective, bounding, ambient, noNewPrivileges } = parsePrivileges(text)
    assert.equal([uid, effective, bounding, ambient, noNewPrivileges], [0, TWO, TWO, TWO, true], text)
  }
}

/** Node listens to it from its first child on, whenever that is. */
const SIGCHLD = 1n << 16n

/** How signals are set, of the main thread and over all of them: blocked, ignored, caught. */
function signals(pid: number): bigint[] {
  const main = readFileSync(`/proc/${pid}/status`, 'utf8')
  return [...main.matchAll(/^Sig(?:Blk|Ign|Cgt):\s*(.*)$/gm)].map(([, mask]) => BigInt(`0x${mask}`) & ~SIGCHLD)
}

for (const io of ['mmsg', 'raw-socket']) {
  test(`every thread has two capabilities and no way to more; bridge, routes and settings are made and put back, with --io ${io}`, async () => {
    using rig = new Hosts()
    const before = await settledSnapshot(rig, 'A')
    const routes = (network: string) => ['--io', io, '--route', network]
    const [A, B] = await Promise.all([
      rig.tsgre('A', routes(rig.network('B'))),
      rig.tsgre('B', routes(rig.network('A'))),
    ])
    assertLimited(A)
    await rig.reach('cA', 'cB')
    assert.is(rig.ipJson('A', 'link show tap0')[0].master, 'docker0')
    assert.match(rig.ip('A', 'route show 10.103.200.0/24'), 'docker0')
    assert.ok(changes(rig, 'A', before).length > 0)
    for (const daemon of [A, B]) {
      const { code, stderr } = await daemon.stop()
      assert.equal([code, stderr], [0, ''])
    }
    assert.equal(await settledChanges(rig, 'A', before), [])
  })
}

test('the process that was started is the one that runs, with its streams and signals as without a second start', async () => {
  using rig = new Hosts()
  const limited = await rig.tsgre('A')
  const kept = await rig.tsgre('B', [], { env: { TSGRE_NO_REEXEC: '1' } })
  assert.is(parent(limited.pid), process.pid)
  // All signals are blocked for a moment in a process that starts another, as both do whenever they look around.
  const both = () => [limited, kept].map(({ pid }) => signals(pid))
  let [ours, theirs] = both()
  for (let tries = 0; tries < 300 && String(ours) !== String(theirs); tries++) {
    await sleep(100)
    ;[ours, theirs] = both()
  }
  assert.equal(ours, theirs)
  assert.equal(readFileSync(`/proc/${limited.pid}/cmdline`, 'utf8').split('\0').slice(0, 2), tsgreArgv([]))
  for (const text of threads(kept.pid)) assert.is.not(parsePrivileges(text).effective.length, 2)
})

test('pipes are blocking again for who shares them, once it has ended', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const run = tsgreArgv([...ARGS, '--bridge', 'none']).join(' ')
  const script = `(${run} & p=$!; echo "pid $p" >&2; wait $p; grep flags /proc/self/fdinfo/1 >&2) | cat`
  const child = rig.spawn('A', ['sh', '-c', script])
  await child.waitFor(/tap0 up/)
  process.kill(Number((await child.waitFor(/^pid /)).slice(4)))
  const { stdout, stderr } = await completion(child)
  assert.match(stdout, /tap0 up[\s\S]*tap0 down/)
  const flags = Number.parseInt(/flags:\s*(\d+)/.exec(stderr)![1]!, 8)
  assert.is(flags & 0x800, 0, stderr)
})

test('runs as it was started where setpriv is missing, or cap_setpcap, or where it was told to', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const own = readPrivileges().effective.length
  const alone = async (argv: readonly string[], env: NodeJS.ProcessEnv, effective: number) => {
    const child = rig.spawn('A', [...argv, ...tsgreArgv([...ARGS, '--bridge', 'none'])], { env })
    await child.waitFor(/tap0 up/)
    for (const text of threads(child.pid)) assert.is(parsePrivileges(text).effective.length, effective)
    const { code, stderr } = await child.stop()
    assert.equal([code, stderr], [0, ''])
  }
  const folder = mkdtempSync(join(tmpdir(), `tsgre-${process.pid}-path-`))
  try {
    for (const command of ['ip', 'node']) execFileSync('ln', ['-s', which(command), join(folder, command)])
    await alone([], { PATH: folder, XTABLES_LOCKFILE: '/dev/null' }, own)
  } finally {
    rmSync(folder, { recursive: true })
  }
  await alone(['setpriv', '--bounding-set', '-setpcap'], {}, own - 1)
  await alone([], { TSGRE_NO_REEXEC: '1' }, own)
})

function which(command: string): string {
  return execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim()
}

const FIND = `const { findEngine } = await import(${JSON.stringify(fileOf('dist/host/docker-engine.js'))})
console.log((await findEngine())?.pid ?? 'none')`

test("root with few capabilities, and who is not root, find this network namespace's dockerd and no other", async () => {
  using rig = new Hosts({ overlay: 'none' })
  const folder = mkdtempSync(join(tmpdir(), `tsgre-${process.pid}-dockerd-`))
  try {
    const dockerd = join(folder, 'dockerd')
    copyFileSync(which('sleep'), dockerd)
    const engine = rig.spawn('B', [dockerd, '60'])
    const as = ['setpriv', '--bounding-set=-all,+net_admin,+net_raw', '--inh-caps=-all', '--']
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--']
    for (const who of [as, nobody, []]) {
      const find = [...who, process.execPath, '--input-type=module', '-e', FIND]
      assert.is((await rig.exec('B', find)).stdout.trim(), String(engine.pid), who.join(' '))
      assert.is((await rig.exec('A', find)).stdout.trim(), 'none', who.join(' '))
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
