// A process that is asked to end, and what keeps it from that: it ends all the same.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'

const TEXT = 'tap: tap0\nbridge: none\nremote: 192.168.56.5\n'

test('a configuration that has become a FIFO is refused at a reload, by command and by signal, and the end comes', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const file = rig.file('yaml')
  writeFileSync(file, TEXT)
  const child = rig.spawn('A', tsgreArgv(['--config', file]))
  await child.waitFor(/^tsgre: tap0 up/)
  rmSync(file)
  execFileSync('mkfifo', [file])
  child.kill('SIGHUP')
  await child.waitFor(/nothing was reloaded: .*that is a FIFO/)
  const { code, stderr } = await rig.exec('A', tsgreArgv(['reload']), { anyCode: true })
  assert.is(code, 2)
  assert.match(stderr, `${file}: that is a FIFO`)
  assert.is((await child.stop('SIGTERM')).code, 0)
})

test('a second start of the same file says that it runs, and what to ask it', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const file = rig.file('yaml')
  writeFileSync(file, TEXT)
  const child = rig.spawn('A', tsgreArgv(['--config', file]))
  await child.waitFor(/^tsgre: tap0 up/)
  const { code, stderr } = await rig.exec('A', tsgreArgv(['--config', file]), { anyCode: true })
  assert.is(code, 2)
  assert.match(stderr, `--config ${file}: a tsgre named 0 runs here already: \`tsgre status 0\` shows it`)
  assert.match((await rig.exec('A', tsgreArgv(['status', '0']))).stdout, 'tap0')
  assert.is((await child.stop('SIGTERM')).code, 0)
})

/** A folder whose `ip` does not come back from that command, and says in the file `begun` that it is there. */
function slowFolder(folder: string, command: string): string {
  mkdirSync(folder)
  const real = execFileSync('sh', ['-c', 'command -v ip'], { encoding: 'utf8' }).trim()
  const script = `#!/bin/sh\ncase "$*" in *'${command}'*) touch ${folder}/begun; exec sleep 60;; esac\nexec ${real} "$@"\n`
  writeFileSync(join(folder, 'ip'), script, { mode: 0o755 })
  return `${folder}:${process.env.PATH}`
}

for (const [first, second] of [
  ['SIGTERM', 'SIGTERM'],
  ['SIGINT', 'SIGTERM'],
] as const) {
  test(`a ${second} after a ${first} ends what hangs while it is put back, and the next start puts back the rest`, async () => {
    using rig = new Hosts()
    const folder = rig.file('folder')
    const PATH = slowFolder(folder, 'route del 10.103.200.0/24')
    const argv = tsgreArgv(['--remote', '192.168.56.5', '--tap', 'tap0', '--route', '10.103.200.0/24'])
    const child = rig.spawn('A', argv, { env: { PATH } })
    await child.waitFor(/^tsgre: tap0 up/)
    child.kill(first)
    child.kill(first) // one wish, as of sudo
    while (child.running && !existsSync(join(folder, 'begun'))) await sleep(20)
    await sleep(1500)
    assert.ok(child.running)
    const since = Date.now()
    const { code, signal, stderr } = await child.stop(second, 20_000)
    assert.equal([code, signal], [null, second])
    // Behind the first one it waits ten seconds.
    assert.ok(Date.now() - since < 8000, `${Date.now() - since} ms`)
    assert.match(stderr, `ended by a second ${second}`)
    assert.match(rig.ip('A', 'route show'), '10.103.200.0/24')
    assert.match((await rig.exec('A', tsgreArgv(['cleanup']))).stdout, /tap0/)
    assert.not.match(rig.ip('A', 'route show'), '10.103.200.0/24')
  })
}

test.run()
