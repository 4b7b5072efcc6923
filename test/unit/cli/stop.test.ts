// When `tsgre stop` takes an instance for ended: with control sockets in a directory of the test's own.

import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { untilEnded } from '#tsgre/cli/stop.js'
import { findInstance } from '#tsgre/daemon/control/instances.js'
import { serveControl } from '#tsgre/daemon/control/server.js'
import { failureOf } from '../../rig/failure-of.js'
import { StillInstance } from '../../rig/still-instance.js'

const folder = mkdtempSync(join(tmpdir(), 'tsgre-stop-'))
process.env.TSGRE_RUN_DIR = folder
test.after(() => rmSync(folder, { recursive: true, force: true }))

/** Long enough for several questions. */
const SHORT_MS = 300

function listening(path: string, server: Server): Promise<Server> {
  return new Promise((resolve) => server.listen(path, () => resolve(server)))
}

test('one that answers still, runs; it has ended when it is gone, or when another has its place', async () => {
  const server = await serveControl(new StillInstance())
  const found = await findInstance()
  assert.is((await failureOf(untilEnded(found, SHORT_MS))).code, 'TSGRE_STILL_RUNS')
  await untilEnded({ ...found, pid: found.pid + 1 })
  const ended = untilEnded(found)
  await server.close()
  await ended
})

test('it has ended when its name is free for the next one, not when its socket is gone', async () => {
  const server = await serveControl(new StillInstance())
  const found = await findInstance()
  const half = connect(found.path)
  await new Promise((resolve) => half.write('GET /v1/status HTTP/1.1\r\n', resolve))
  half.on('error', () => {})
  const closing = server.close() // waits for the rest of the question
  await untilEnded(found)
  const next = await serveControl(new StillInstance())
  await next.close()
  await closing
})

test('one that hangs, or has no room for the question, runs', async () => {
  const instance = { name: 'hosts', pid: 1, namespace: '', path: join(folder, 'hosts.sock') }
  const servers = [
    createServer((socket) => socket.on('error', () => {}).resume()),
    createServer((socket) => socket.on('error', () => {}).destroy()),
  ]
  for (const server of servers) {
    await listening(instance.path, server)
    const error = await failureOf(untilEnded(instance, SHORT_MS))
    assert.is(error.code, 'TSGRE_STILL_RUNS')
    assert.match(error.message, 'hosts was asked to stop and still runs (process 1)')
    server.close()
    await untilEnded(instance)
  }
})

test.run()
