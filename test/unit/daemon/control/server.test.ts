// The control socket and its client, as two sides of a real socket in a directory of the test's own.

import { existsSync, linkSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fetchCapture } from '#tsgre/cli/instances-here.js'
import { tooLongWords } from '#tsgre/daemon/capture/wanted.js'
import { ask, begin } from '#tsgre/daemon/control/client.js'
import { findInstance, findInstances, statusOf } from '#tsgre/daemon/control/instances.js'
import { type ControlServer, serveControl } from '#tsgre/daemon/control/server.js'
import { failureOf } from '../../../rig/failure-of.js'
import { StillInstance } from '../../../rig/still-instance.js'

const folder = mkdtempSync(join(tmpdir(), 'tsgre-control-'))
process.env.TSGRE_RUN_DIR = folder

async function serving(instance: StillInstance, body: (server: ControlServer) => Promise<void>): Promise<void> {
  const server = await serveControl(instance)
  try {
    await body(server)
  } finally {
    await server.close()
  }
}

test.after(() => rmSync(folder, { recursive: true, force: true }))

test('the socket is for owner and group alone, and is gone after close, and so is all else', async () => {
  const before = process.umask(0)
  try {
    await serving(new StillInstance(), async ({ path }) => {
      assert.is(path, join(folder, 'hosts.sock'))
      const { mode, uid } = statSync(path)
      assert.is(mode & 0o777, 0o660)
      assert.is(uid, process.geteuid!())
      assert.equal(readdirSync(folder), ['hosts.sock'])
    })
  } finally {
    process.umask(before)
  }
  assert.equal(readdirSync(folder), [])
})

test('where its file cannot be removed that is told in words, and it ends all the same', async () => {
  const taken = join(folder, 'taken')
  process.env.TSGRE_RUN_DIR = taken
  try {
    const server = await serveControl(new StillInstance())
    renameSync(taken, `${taken}.away`)
    writeFileSync(taken, '')
    const error = await failureOf(server.close())
    assert.is(error.code, 'ENOTDIR')
    assert.match(error.message, server.path)
    rmSync(taken)
    await serving(new StillInstance(), async () => {}) // the name is free
  } finally {
    process.env.TSGRE_RUN_DIR = folder
    for (const path of [taken, `${taken}.away`]) rmSync(path, { recursive: true, force: true })
  }
})

test('gives the status as it is: what is undefined comes back as undefined', async () => {
  const instance = new StillInstance()
  await serving(instance, async () => {
    const found = await findInstance()
    assert.is(found.name, 'hosts')
    assert.is(found.pid, process.pid)
    const { text, status } = await statusOf(found)
    assert.equal(status, JSON.parse(JSON.stringify(instance.now())))
    assert.is(status.tunnels[0]!.udpPort, null)
    assert.is(JSON.parse(text).tunnels[0].peers[0].lastReceived, null)
  })
})

test('every call of the API reaches the instance', async () => {
  const instance = new StillInstance()
  instance.entries = [{ mac: '02:00:00:00:00:01', remote: undefined, age: 1 }]
  await serving(instance, async ({ path }) => {
    await ask(path, { method: 'POST', path: '/v1/peers', body: { remote: '192.168.56.6,key=7' } })
    await ask(path, { method: 'DELETE', path: '/v1/peers', body: { tunnel: 'tap0', remote: '192.168.56.6' } })
    assert.equal(
      JSON.parse(await ask(path, { path: '/v1/fdb', query: { tunnel: undefined, remote: '2001:DB8::5' } })),
      [{ mac: '02:00:00:00:00:01', remote: null, age: 1 }],
    )
    await ask(path, { method: 'DELETE', path: '/v1/fdb', query: { tunnel: 'tap0', remote: 'fe80::1%eth1' } })
    assert.equal(JSON.parse(await ask(path, { method: 'POST', path: '/v1/reload' })), {
      changed: ['tap0: 192.168.56.6 was added'],
    })
    await ask(path, { method: 'POST', path: '/v1/stop' })
    while (instance.told.length < 5) await new Promise(setImmediate)
    assert.equal(instance.told, [
      ['addPeer', undefined, '192.168.56.6,key=7'],
      ['removePeer', 'tap0', '192.168.56.6'],
      ['fdb', undefined, '2001:DB8::5'],
      ['flushFdb', 'tap0', 'fe80::1%eth1'],
      ['stop'],
    ])
  })
})

test('a refusal of the instance comes out as it went in', async () => {
  await serving(new StillInstance(), async ({ path }) => {
    const error = await failureOf(ask(path, { method: 'POST', path: '/v1/peers', body: { remote: 'bad' } }))
    assert.is(error.name, 'ConfigError')
    assert.is(error.code, 'TSGRE_NOT_AN_ADDRESS')
    assert.is(error.option, 'remote')
    assert.is(error.message, '--remote bad: no address')
  })
})

test('what breaks inside is told, and the next question is answered', async () => {
  const instance = new StillInstance()
  await serving(instance, async ({ path }) => {
    const { now } = instance
    instance.now = () => {
      throw new Error('no status')
    }
    const error = await failureOf(ask(path, { path: '/v1/status' }))
    assert.is(error.code, 'TSGRE_INTERNAL')
    assert.is(error.message, 'no status')
    instance.now = now
    await ask(path, { path: '/v1/status' })
  })
})

test('a second one of the name is refused while the first lives', async () => {
  await serving(new StillInstance(), async () => {
    const error = await failureOf(serveControl(new StillInstance()))
    assert.is(error.code, 'TSGRE_IN_USE')
    assert.match(error.message, 'hosts')
    await serving(new StillInstance('other'), async () => {
      assert.equal(
        (await findInstances()).map(({ name }) => name),
        ['hosts', 'other'],
      )
      const which = await failureOf(findInstance())
      assert.is(which.code, 'TSGRE_WHICH_INSTANCE')
      assert.match(which.message, 'hosts, other')
      assert.is((await findInstance('other')).name, 'other')
    })
  })
  await serving(new StillInstance(), async () => {})
})

test('a name that is no name of a file is refused', async () => {
  for (const name of ['', '../a', 'a/b', '.hidden', 'a\nb', 'a'.repeat(65)]) {
    assert.is((await failureOf(serveControl(new StillInstance(name)))).code, 'TSGRE_BAD_OPTION', name)
  }
})

test('the socket of a dead process is replaced, a file that is none is not', async () => {
  const path = join(folder, 'hosts.sock')
  const dead = createServer()
  await new Promise<void>((resolve) => dead.listen(join(folder, 'dead'), resolve))
  linkSync(join(folder, 'dead'), path)
  await new Promise((resolve) => dead.close(resolve)) // takes `dead` away, and leaves the other name
  assert.ok(existsSync(path))
  await serving(new StillInstance(), async () => {
    assert.is((await findInstance()).name, 'hosts')
  })
  assert.not.ok(existsSync(path))
  writeFileSync(path, 'mine')
  const error = await failureOf(serveControl(new StillInstance()))
  assert.is(error.code, 'TSGRE_IN_USE')
  assert.match(error.message, 'is no socket')
  assert.equal(readdirSync(folder), ['hosts.sock'])
  rmSync(path)
})

test('beside a live socket that is not ours it takes the longer name, and leaves that one alone', async () => {
  const path = join(folder, 'hosts.sock')
  const foreign = createServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .end(),
  )
  await new Promise<void>((resolve) => foreign.listen(path, resolve))
  await serving(new StillInstance(), async (server) => {
    assert.match(server.path, /hosts\.\d+\.sock$/)
    assert.is((await findInstance('hosts')).path, server.path)
  })
  assert.equal(readdirSync(folder), ['hosts.sock'])
  await new Promise((resolve) => foreign.close(resolve))
})

test('close takes nothing away that is another one’s by now', async () => {
  const path = join(folder, 'hosts.sock')
  await serving(new StillInstance(), async () => {
    rmSync(path)
    writeFileSync(path, 'mine')
  })
  assert.ok(existsSync(path))
  rmSync(path)
})

test('says that none runs, and which do', async () => {
  const none = await failureOf(findInstances())
  assert.is(none.code, 'TSGRE_NO_INSTANCE')
  assert.match(none.message, 'no tsgre runs in this network namespace')
  await serving(new StillInstance(), async () => {
    assert.match((await failureOf(findInstances('other'))).message, 'no tsgre named other runs here; there is hosts')
  })
})

test('one that hangs is told from one that is not there, and hides no other', async () => {
  const silent = createServer((socket) => socket.on('error', () => {}).resume())
  await new Promise<void>((resolve) => silent.listen(join(folder, 'silent.sock'), resolve))
  const [hung] = await Promise.all([
    failureOf(findInstances()),
    serving(new StillInstance(), async () => {
      assert.is((await findInstance()).name, 'hosts')
    }),
  ])
  assert.is(hung.code, 'TSGRE_INSTANCE_GONE')
  assert.match(hung.message, 'silent.sock')
  await new Promise((resolve) => silent.close(resolve))
})

test('a socket path that is too long is refused in words', async () => {
  const deep = join(folder, 'd'.repeat(90))
  process.env.TSGRE_RUN_DIR = deep
  try {
    const error = await failureOf(serveControl(new StillInstance()))
    assert.is(error.code, 'TSGRE_BAD_OPTION')
    assert.match(error.message, 'TSGRE_RUN_DIR')
  } finally {
    process.env.TSGRE_RUN_DIR = folder
    rmSync(deep, { recursive: true, force: true })
  }
})

test('an instance that breaks off is told from one that answers nonsense', async () => {
  const answers: [string, string][] = [
    ['', 'TSGRE_INSTANCE_GONE'],
    ['HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"na', 'TSGRE_INSTANCE_GONE'],
    ['HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno', 'TSGRE_BAD_REQUEST'],
    ['\0\0\0', 'TSGRE_INSTANCE_GONE'],
  ]
  for (const [index, [answer, code]] of answers.entries()) {
    const path = join(folder, `x${index}`)
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(answer)))
    await new Promise<void>((resolve) => server.listen(path, resolve))
    assert.is((await failureOf(ask(path, { path: '/v1/status' }))).code, code, answer)
    await new Promise((resolve) => server.close(resolve))
  }
  const silent = createServer((socket) => socket.on('error', () => {}).resume())
  const path = join(folder, 'silent')
  await new Promise<void>((resolve) => silent.listen(path, resolve))
  assert.match((await failureOf(ask(path, { path: '/v1/status', patienceMs: 100 }))).message, 'no answer in 0.1 s')
  await new Promise((resolve) => silent.close(resolve))
  assert.is((await failureOf(ask(path, { path: '/v1/status' }))).code, 'TSGRE_NO_INSTANCE')
})

test('a capture streams, ends with its client, and a refusal comes before it', async () => {
  const instance = new StillInstance()
  await serving(instance, async ({ path }) => {
    const query = { side: 'outer', drops: '1', snaplen: '96', filter: '[[6,0,0,65535]]', remote: '192.168.56.5' }
    const stream = await begin(path, { path: '/v1/capture', query })
    let bytes = 0
    for await (const chunk of stream) {
      bytes += chunk.length
      if (bytes > 1_000_000) break
    }
    while (instance.captures > 0) await new Promise(setImmediate)
    assert.equal(instance.told[0], [
      'capture',
      undefined,
      { side: 'outer', remote: '192.168.56.5', dropsOnly: true, snaplen: 96, filter: [[6, 0, 0, 65535]] },
    ])
    const refused = await failureOf(begin(path, { path: '/v1/capture', query: { tunnel: 'none' } }))
    assert.is(refused.code, 'TSGRE_BAD_TAP')
    const bad: Record<string, string>[] = [
      { side: 'left' },
      { drops: 'yes' },
      { snaplen: '1e3' },
      { filter: '{}' },
      { filter: '[]' },
      { filter: '[[1,2,3]]' },
      { filter: '[[1,2,256,3]]' },
      { filter: '[' },
      { sides: 'inner' },
    ]
    for (const query of bad) {
      const error = await failureOf(begin(path, { path: '/v1/capture', query }))
      const code = query.filter ? 'TSGRE_BAD_FILTER' : query.sides ? 'TSGRE_BAD_REQUEST' : 'TSGRE_BAD_OPTION'
      assert.is(error.code, code, JSON.stringify(query))
    }
  })
})

test('the longest filter that the command lets through arrives whole, and a longer one is refused by it in words', async () => {
  const instance = new StillInstance()
  instance.pieces = async function* () {
    yield Buffer.from('abc')
  }
  // The instructions of one that many hosts make, with room for none more.
  const most = Array.from({ length: 3172 }, () => [0x15, 0, 0, 0xc0a8_3805])
  most.push([6, 0, 0, 0])
  assert.is(tooLongWords(most), undefined)
  assert.match(
    tooLongWords([...most, ...most.slice(0, 2)])!,
    /^3175 instructions, \d+ bytes long; a capture takes 4096/,
  )
  assert.match(tooLongWords(Array.from({ length: 4097 }, () => [6, 0, 0, 0]))!, /^4097 instructions/)
  const remote = 'fe80:1111:2222:3333:4444:5555:6666:7777%eth01234567890'
  const wanted = { side: 'outer', remote, dropsOnly: true, snaplen: 262144, filter: most } as const
  await serving(instance, async () => {
    const came: unknown[] = []
    const { signal } = new AbortController()
    for await (const piece of fetchCapture('hosts', { ...wanted, tunnel: 'tap0123456789ab' }, signal)) came.push(piece)
    assert.equal([came.length, instance.told], [1, [['capture', 'tap0123456789ab', wanted]]])
  })
})

test('a capture that ends by itself ends the answer, one that breaks breaks it', async () => {
  const instance = new StillInstance()
  await serving(instance, async ({ path }) => {
    instance.pieces = async function* () {
      yield Buffer.from('abc')
    }
    assert.is(await ask(path, { path: '/v1/capture' }), 'abc')
    instance.pieces = async function* () {
      yield Buffer.from('abc')
      throw new Error('the ring is gone')
    }
    assert.is((await failureOf(ask(path, { path: '/v1/capture' }))).code, 'TSGRE_INSTANCE_GONE')
  })
})

test('who does not read a capture holds it up and nobody else', async () => {
  const instance = new StillInstance()
  let pieces = 0
  instance.pieces = async function* (signal) {
    for (; !signal.aborted; pieces++) yield new Uint8Array(65536)
  }
  await serving(instance, async ({ path }) => {
    const stream = await begin(path, { path: '/v1/capture' })
    let before = -1
    while (before !== pieces) {
      before = pieces
      await new Promise((resolve) => setTimeout(resolve, 50))
      await ask(path, { path: '/v1/status' })
    }
    assert.ok(pieces < 200, `${pieces} pieces lie somewhere`)
    stream.destroy()
    while (instance.captures > 0) await new Promise(setImmediate)
  })
})

test('close ends a capture that runs', async () => {
  const instance = new StillInstance()
  const server = await serveControl(instance)
  const stream = await begin(server.path, { path: '/v1/capture' })
  stream.on('error', () => {})
  stream.resume()
  await server.close()
  await server.close()
  while (instance.captures > 0) await new Promise(setImmediate)
})

test.run()
