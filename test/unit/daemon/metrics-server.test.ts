import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serveMetrics } from '#tsgre/daemon/metrics-server.js'
import { parseListen } from '#tsgre/daemon/options/parse-listen.js'
import { failureOf } from '../../rig/failure-of.js'
import { parsePrometheus } from '../../rig/prometheus.js'
import { instanceStatus, tunnelStatus } from '../../rig/statuses.js'
import { StillInstance } from '../../rig/still-instance.js'

const ANY_PORT = { address: '127.0.0.1', port: 0 }

test('a port alone is loopback, another address only as written', () => {
  const cases: [string, string, number][] = [
    ['9747', '127.0.0.1', 9747],
    [':9747', '127.0.0.1', 9747],
    ['localhost:9747', '127.0.0.1', 9747],
    ['0.0.0.0:1', '0.0.0.0', 1],
    ['[::1]:65535', '::1', 65535],
    ['192.0.2.1:80', '192.0.2.1', 80],
  ]
  for (const [text, address, port] of cases) assert.equal(parseListen('metrics', text), { address, port }, text)
})

test('refuses what is no address with a port, naming the option', () => {
  const bad = [
    '',
    ':',
    '0',
    '65536',
    '-1',
    '1e3',
    'host.example:80',
    '::1:80',
    '[::1]',
    '[192.0.2.1]:80',
    '192.0.2.1',
    '1.2.3:4',
    '[]:80',
    ' 80',
    '80 ',
  ]
  for (const text of bad) {
    assert.throws(
      () => parseListen('metrics', text),
      (error: { code: string; option: string; value: string }) =>
        error.code === 'TSGRE_BAD_OPTION' && error.option === 'metrics' && error.value === text,
      text,
    )
  }
})

test('serves metrics, health and readiness', async () => {
  const instance = new StillInstance()
  const server = await serveMetrics(instance, ANY_PORT)
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`)
    return [response.status, await response.text(), response.headers.get('content-type')] as const
  }
  try {
    const [status, text, type] = await get('/metrics')
    assert.is(status, 200)
    assert.match(type!, 'text/plain; version=0.0.4')
    assert.ok(parsePrometheus(text).has('tsgre_tunnel_up'))
    assert.equal((await get('/healthz')).slice(0, 2), [200, 'ok\n'])
    assert.equal((await get('/readyz')).slice(0, 2), [200, 'ok\n'])
    instance.illness = 'the pump of tap0 has not turned for 5 s'
    instance.now = () => instanceStatus([tunnelStatus([]), tunnelStatus([], { name: 'tap1', state: 'starting' })])
    assert.equal((await get('/healthz')).slice(0, 2), [503, 'the pump of tap0 has not turned for 5 s\n'])
    assert.equal((await get('/readyz')).slice(0, 2), [503, 'tap1: starting\n'])
    assert.is((await get('/v1/status'))[0], 404)
    for (const [path, code] of [
      ['/metrics', 200],
      ['/readyz', 503],
    ] as const) {
      const head = await fetch(`http://127.0.0.1:${server.port}${path}`, { method: 'HEAD' })
      assert.equal([head.status, await head.text()], [code, ''])
    }
    instance.now = () => {
      throw new Error('no status')
    }
    assert.is((await get('/metrics'))[0], 500)
  } finally {
    await server.close()
  }
})

test('a port somebody has is refused by name, an address of another host too', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const refusal = (address: string) => failureOf(serveMetrics(new StillInstance(), { address, port }))
  const taken = await refusal('127.0.0.1')
  assert.is(taken.code, 'TSGRE_IN_USE')
  assert.match(taken.message, `--metrics 127.0.0.1:${port}`)
  const foreign = await refusal('192.0.2.1')
  assert.is(foreign.code, 'TSGRE_BAD_OPTION')
  other.close()
})

test.run()
