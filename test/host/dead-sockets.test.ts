// What killed processes leave in the run directory, removed by root while others may write there.

import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeDeadSockets } from '#tsgre/host/dead-sockets.js'
import { withFolderLock } from '#tsgre/host/folder-lock.js'
import { Child, completion } from '../rig/child.js'

function folder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'tsgre-dead-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

function listening(path: string): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).end())
  return new Promise((resolve) => server.listen(path, () => resolve(server)))
}

/** Its server takes its own name away as it closes; the other one stays. */
async function leave(path: string): Promise<void> {
  const server = await listening(`${path}.own`)
  linkSync(`${path}.own`, path)
  await new Promise((resolve) => server.close(resolve))
}

test('dead sockets go, and the folder of one that was still being made; who listens is left alone', async () => {
  using place = folder()
  const at = (name: string) => join(place.path, name)
  for (const name of ['.new-dead', '.new-live']) mkdirSync(at(name))
  for (const name of ['dead.sock', '.new-dead/s']) await leave(at(name))
  const servers = await Promise.all(['live.sock', '.new-live/s'].map((name) => listening(at(name))))
  writeFileSync(at('file.sock'), 'mine')
  await removeDeadSockets(place.path)
  assert.equal(readdirSync(place.path).sort(), ['.new-live', 'file.sock', 'live.sock'])
  assert.equal(readdirSync(at('.new-live')), ['s'])
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
})

test('an empty folder goes too: its maker was killed before there was a socket', async () => {
  using place = folder()
  mkdirSync(join(place.path, '.new-1'))
  await removeDeadSockets(place.path)
  assert.equal(readdirSync(place.path), [])
})

test('while somebody has the directory’s lock, as who makes a socket has, nothing is removed', async () => {
  using place = folder()
  await leave(join(place.path, 'dead.sock'))
  let removed: Promise<void> | undefined
  await withFolderLock(place.path, async (locked) => {
    assert.ok(locked)
    removed = removeDeadSockets(place.path)
    await sleep(100)
    assert.equal(readdirSync(place.path), ['dead.sock'])
  })
  await removed
  assert.equal(readdirSync(place.path), [])
})

test('who keeps the directory’s lock for ever keeps nobody from going on without it', async () => {
  using place = folder()
  await withFolderLock(place.path, async () => {
    assert.not(await withFolderLock(place.path, async (locked) => locked))
  })
})

/** Starts over a socket that was left behind, again and again; tells how often, and how often its own was gone then. */
const STARTS = `
  const end = Date.now() + 2000
  let starts = 0, lost = 0
  for (; Date.now() < end; starts++) {
    const dead = createServer()
    await new Promise((resolve) => dead.listen(directory + '/.dead', resolve))
    linkSync(directory + '/.dead', directory + '/same.sock')
    await new Promise((resolve) => dead.close(resolve))
    const server = createServer()
    const file = await listenAt(server, 'same')
    await new Promise((resolve) => setTimeout(resolve, 2))
    if (existsSync(file.path)) file.remove()
    else lost++
    await new Promise((resolve) => server.close(resolve))
    rmSync(directory + '/same.sock', { force: true })
  }
  console.log(JSON.stringify({ starts, lost }))`

test('who starts over a dead socket keeps its own, though others tidy up at that moment', async () => {
  using place = folder()
  const run = (body: string) => {
    const source = `
      import { existsSync, linkSync, rmSync } from 'node:fs'
      import { createServer } from 'node:net'
      import { listenAt } from ${JSON.stringify(import.meta.resolve('#tsgre/daemon/control/socket-file.js'))}
      import { removeDeadSockets } from ${JSON.stringify(import.meta.resolve('#tsgre/host/dead-sockets.js'))}
      const directory = process.env.TSGRE_RUN_DIR
      ${body}`
    const argv = [process.execPath, '--input-type=module', '-e', source]
    return new Child(argv, { env: { TSGRE_RUN_DIR: place.path } })
  }
  const tidying = run('for (;;) await removeDeadSockets(directory).then(() => new Promise((go) => setTimeout(go, 1)))')
  try {
    const { stdout, stderr } = await completion(run(STARTS))
    assert.is(stderr + tidying.stderr, '')
    const { starts, lost } = JSON.parse(stdout)
    assert.is(lost, 0, `of ${starts}`)
  } finally {
    await tidying.stop('SIGKILL')
  }
})

test('a folder that holds anything else stays with it', async () => {
  using place = folder()
  const making = join(place.path, '.new-1')
  mkdirSync(join(making, 'deep'), { recursive: true })
  for (const name of ['s', 'other']) await leave(join(making, name))
  writeFileSync(join(making, 'deep/file'), 'mine')
  await removeDeadSockets(place.path)
  assert.equal(readdirSync(making).sort(), ['deep', 'other'])
  assert.ok(existsSync(join(making, 'deep/file')))
})

test('a symlink in the place of the folder leads nowhere, whether it was there before or comes meanwhile', async () => {
  using place = folder()
  using victim = folder()
  const making = join(place.path, '.new-1')
  await leave(join(victim.path, 's'))
  symlinkSync(victim.path, making)
  await removeDeadSockets(place.path)
  assert.equal(readdirSync(victim.path), ['s'])

  rmSync(making)
  mkdirSync(making)
  await leave(join(making, 's'))
  const removed = removeDeadSockets(place.path) // asks the socket, and goes on when it has its answer
  await new Promise((resolve) => process.nextTick(resolve))
  renameSync(making, join(place.path, 'aside'))
  symlinkSync(victim.path, making)
  await removed
  assert.equal(readdirSync(victim.path), ['s'])
  assert.equal(readdirSync(join(place.path, 'aside')), [])
})

test.run()
