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
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { listenAt } from '#tsgre/daemon/control/socket-file.js'
import { removeDeadSockets } from '#tsgre/host/dead-sockets.js'
import { HeldFolder } from '#tsgre/host/held-folder.js'

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

test('a socket that is still being made stays: until it listens, it answers like a dead one', async () => {
  using place = folder()
  const making = join(place.path, '.new-1')
  mkdirSync(making)
  await leave(join(making, 's'))
  const maker = new HeldFolder(making)
  maker.lock()
  await removeDeadSockets(place.path)
  assert.equal(readdirSync(making), ['s'])
  maker.close() // as the kernel does for who was killed
  await removeDeadSockets(place.path)
  assert.equal(readdirSync(place.path), [])
})

test('who makes a control socket has its folder’s lock before it listens', async () => {
  using place = folder()
  const before = process.env.TSGRE_RUN_DIR
  process.env.TSGRE_RUN_DIR = place.path
  try {
    const server = createServer()
    const locks: boolean[] = []
    server.prependListener('listening', () => {
      const made = new HeldFolder(join(place.path, readdirSync(place.path).find((name) => name.startsWith('.new-'))!))
      locks.push(made.tryLock())
      made.close()
    })
    const file = await listenAt(server, 'locked')
    file.remove()
    await new Promise((resolve) => server.close(resolve))
    assert.equal(locks, [false])
  } finally {
    if (before === undefined) delete process.env.TSGRE_RUN_DIR
    else process.env.TSGRE_RUN_DIR = before
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
  renameSync(making, join(place.path, 'aside'))
  symlinkSync(victim.path, making)
  await removed
  assert.equal(readdirSync(victim.path), ['s'])
  assert.equal(readdirSync(join(place.path, 'aside')), [])
})

test.run()
