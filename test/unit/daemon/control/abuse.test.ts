// What a client may send or leave unread, by hand on a raw connection: the control socket answers or hangs up, and goes on.

import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ask } from '#tsgre/daemon/control/client.js'
import { type ControlServer, serveControl } from '#tsgre/daemon/control/server.js'
import { random } from '../../../rig/random.js'
import { instanceStatus, peerStatus, tunnelStatus } from '../../../rig/statuses.js'
import { StillInstance } from '../../../rig/still-instance.js'

const folder = mkdtempSync(join(tmpdir(), 'tsgre-control-'))
process.env.TSGRE_RUN_DIR = folder
const instance = new StillInstance()
let server: ControlServer

/** Whatever gets out of the server would end the program it is part of. */
const escaped: unknown[] = []
process.on('uncaughtException', (error) => escaped.push(error))
process.on('unhandledRejection', (error) => escaped.push(error))

test.before(async () => {
  server = await serveControl(instance)
})

test.after.each(async () => {
  assert.equal(escaped, [])
  assert.is(JSON.parse(await ask(server.path, { path: '/v1/instance', patienceMs: 2000 })).name, 'hosts')
})

test.after(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Raw {
  readonly socket: Socket
  readonly text: () => string
  readonly closed: Promise<void>
}

function open(...parts: (string | Uint8Array)[]): Raw {
  const socket = connect(server.path)
  let text = ''
  socket.on('error', () => {}) // reset, where it was cut off
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  for (const part of parts) socket.write(part)
  return { socket, text: () => text, closed: new Promise((resolve) => socket.once('close', () => resolve())) }
}

/** How many connections the server holds: sockets of this process with the listener's name, without the listener. */
function accepted(): number {
  const own = new Set(readdirSync('/proc/self/fd').map(socketOf))
  const rows = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const named = rows.filter(([, , , , , , inode, path]) => own.has(inode) && path?.endsWith('/s'))
  assert.ok(named.length > 0, 'the listener has another name')
  return named.length - 1
}

/** The inode of a descriptor that is a socket. */
function socketOf(fd: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1]
  } catch {
    return undefined // that of the list itself
  }
}

/** The status of each answer, after the client has said all. */
async function statuses(...parts: (string | Uint8Array)[]): Promise<number[]> {
  const raw = open(...parts)
  raw.socket.end()
  await raw.closed
  return [...raw.text().matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status))
}

function request(line: string, body?: string, headers: readonly string[] = []): string {
  const given =
    body === undefined ? [] : ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]
  return `${[`${line} HTTP/1.1`, 'host: x', ...(headers.length > 0 ? headers : given), '', body ?? ''].join('\r\n')}`
}

test('answers what is no request with 400, or hangs up', async () => {
  for (const text of [
    '\r\n\r\n\r\nhello\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    '\x16\x03\x01\x02\x00',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ]) {
    const [status = 400] = await statuses(text)
    assert.is(status, 400, JSON.stringify(text))
  }
})

test('answers a path it has not with 404, also strange ones', async () => {
  for (const path of ['/', '/v1', '/v1/status/', '/v1/status%00', '/__proto__', '/constructor', '/v1/../etc/passwd'])
    assert.equal(await statuses(request(`GET ${path}`)), [404], path)
  assert.equal(await statuses(request('GET http://[/v1/status')), [400])
  assert.equal(await statuses(request('GET //')), [400])
})

test('answers a method it has not with 405 and those it has', async () => {
  const raw = open(request('PUT /v1/peers'))
  raw.socket.end()
  await raw.closed
  assert.match(raw.text(), /^HTTP\/1\.1 405 /)
  assert.match(raw.text(), /^allow: POST, DELETE\r$/m)
  for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'POST'])
    assert.equal(await statuses(request(`${method} /v1/status`)), [405], method)
  assert.equal(await statuses(request('CONNECT /v1/status')), [])
})

test('takes nothing but an object with the fields it knows, as JSON', async () => {
  const cases: [string, number][] = [
    ['{"remote":"192.0.2.1"}', 200],
    ['', 400],
    ['{', 400],
    ['[]', 400],
    ['null', 400],
    ['"remote"', 400],
    ['{}', 400],
    ['{"remote":1}', 400],
    ['{"remote":null}', 400],
    ['{"remote":{"toString":1}}', 400],
    ['{"remote":"192.0.2.1","key":"7"}', 400],
    ['{"remote":"192.0.2.1","__proto__":{"tunnel":"x"}}', 400],
    ['{"remote":"192.0.2.1","__proto__":"x"}', 400],
    ['{"remote":"192.0.2.1","constructor":"x"}', 400],
    [`${'['.repeat(30_000)}`, 400],
    [`${'{"a":'.repeat(10_000)}`, 400],
  ]
  for (const [body, status] of cases)
    assert.equal(await statuses(request('POST /v1/peers', body)), [status], body.slice(0, 60))
  assert.is(({} as { tunnel?: string }).tunnel, undefined)
  const latin = Buffer.concat([
    Buffer.from(request('POST /v1/peers', '{"remote":"__"}').slice(0, -4)),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('"}'),
  ])
  assert.equal(await statuses(latin), [400], 'no UTF-8')
})

test('of a field that a body has twice the last one counts, as the documentation says', async () => {
  assert.equal(await statuses(request('POST /v1/peers', '{"remote":"bad","remote":"192.0.2.5"}')), [200])
  assert.equal(await statuses(request('POST /v1/peers', '{"remote":"192.0.2.5","remote":"bad"}')), [400])
})

test('takes no field twice, and none it does not know, behind the question mark', async () => {
  for (const query of ['tunnel=a&tunnel=b', 'tunnels=a', '__proto__=a'])
    assert.equal(await statuses(request(`GET /v1/fdb?${query}`)), [400], query)
  assert.equal(await statuses(request('GET /v1/status?x=1')), [400])
})

test('asks for JSON where it gets another type', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', '']) {
    const headers = [`content-type: ${type}`, 'content-length: 22']
    assert.equal(await statuses(request('POST /v1/peers', '{"remote":"192.0.2.1"}', headers)), [415], type)
  }
  const headers = ['content-type: Application/JSON; charset=utf-8', 'content-length: 22']
  assert.equal(await statuses(request('POST /v1/peers', '{"remote":"192.0.2.1"}', headers)), [200])
})

test('keeps no more than 64 KiB of a body, told of or not', async () => {
  const body = (length: number) => `{"remote":"${'a'.repeat(length - 13)}"}`
  assert.equal(await statuses(request('POST /v1/peers', body(65_536))), [200])
  assert.equal(await statuses(request('POST /v1/peers', body(65_537))), [413])
  const chunk = `1000\r\n${'a'.repeat(0x1000)}\r\n`
  const chunked = request('POST /v1/peers', '', ['content-type: application/json', 'transfer-encoding: chunked'])
  assert.equal(await statuses(chunked, ...Array.from({ length: 17 }, () => chunk), '0\r\n\r\n'), [413])
  const [endless] = await statuses(
    request('POST /v1/peers', '', ['content-type: application/json', 'content-length: 99999999999']),
  )
  assert.is(endless, 413)
})

test('answers headers beyond 8 KiB with 431, and two lengths with 400', async () => {
  assert.equal(await statuses(request('GET /v1/status', undefined, [`x: ${'a'.repeat(9000)}`])), [431])
  assert.equal(
    await statuses(
      request(
        'GET /v1/status',
        undefined,
        Array.from({ length: 2000 }, (_, i) => `x${i}: y`),
      ),
    ),
    [431],
  )
  const smuggled = ['content-length: 5', 'transfer-encoding: chunked', 'content-type: application/json']
  assert.equal(await statuses(request('POST /v1/peers', '0\r\n\r\n', smuggled)), [400])
})

test('answers requests one behind the other in their order', async () => {
  const three = [request('GET /v1/fdb'), request('GET /nothing'), request('PUT /v1/stop'), request('GET /v1/instance')]
  assert.equal(await statuses(three.join('')), [200, 404, 405, 200])
})

test('of a thousand requests in one packet, few answers wait in memory', async () => {
  let asked = 0
  const now = instance.now
  const many = instanceStatus([tunnelStatus(Array.from({ length: 128 }, (_, i) => peerStatus(`192.0.2.${i}`)))])
  instance.now = () => {
    asked++
    return many
  }
  const raw = open()
  raw.socket.pause()
  raw.socket.write(request('GET /v1/status').repeat(1000))
  for (let before = -1; before !== asked || asked === 0; await sleep(200)) before = asked
  assert.ok(asked > 0 && asked < 50, `${asked} answers wait`)
  raw.socket.destroy()
  instance.now = now
})

test('more clients than it takes are turned away, and soon there is room again', async () => {
  const crowd = Array.from({ length: 100 }, () => open())
  const stay = () => crowd.filter(({ socket }) => !socket.destroyed)
  while (stay().length > 64) await sleep(20)
  await sleep(100)
  const left = stay()
  assert.ok(left.length > 0)
  for (const { socket } of left) socket.destroy()
  await Promise.all(crowd.map(({ closed }) => closed))
})

test('sixty clients at once are all answered', async () => {
  const answers = await Promise.all(Array.from({ length: 60 }, () => statuses(request('GET /v1/status'))))
  assert.ok(answers.every(([status]) => status === 200))
})

test('random bytes do it no harm', async () => {
  const { below } = random(5)
  for (let round = 0; round < 100; round++) {
    const text = request('POST /v1/peers', '{"remote":"192.0.2.1"}')
    const bytes = Buffer.from(text)
    for (let i = 0; i < 1 + (round % 8); i++) bytes[below(bytes.length)] = below(256)
    const raw = open(bytes)
    raw.socket.end()
    await raw.closed
  }
})

test('clients that are slow, silent or never read are cut off, all at the same time', async () => {
  const silent = open()
  const slowHeaders = open('GET /v1/status HTTP/1.1\r\n')
  const slowBody = open(request('POST /v1/peers', '', ['content-type: application/json', 'content-length: 100']))
  const done = open(request('GET /v1/instance')) // and says no more
  const deaf = open()
  deaf.socket.pause()
  deaf.socket.write(request('GET /v1/status').repeat(900))
  // One answer, beyond what the kernel keeps for who does not read.
  const { now } = instance
  instance.now = () => instanceStatus([tunnelStatus(Array.from({ length: 3000 }, () => peerStatus('192.0.2.1')))])
  const deafToOne = open()
  deafToOne.socket.pause()
  deafToOne.socket.write(request('GET /v1/status'))
  const drip = setInterval(() => {
    slowHeaders.socket.write('x: y\r\n')
    slowBody.socket.write(' ')
  }, 300)
  await Promise.all([silent, slowHeaders, slowBody, done].map(({ closed }) => closed))
  // Who does not read is not told: the kernel is asked.
  while (accepted() > 0) await sleep(100)
  clearInterval(drip)
  for (const { socket } of [deaf, deafToOne]) socket.destroy()
  instance.now = now
  assert.match(slowHeaders.text(), /^(HTTP\/1\.1 408 |$)/)
  assert.match(done.text(), /^HTTP\/1\.1 200 /)
})

test.run()
