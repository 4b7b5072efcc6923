// From names of options to what the daemon is asked for.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Asked, instanceOptions, tunnelWishes } from '#tsgre/daemon/options/tunnel-wishes.js'
import type { ConfigError } from '#tsgre/errors.js'

const ASKED: Asked = { tap: 'tap0', remote: ['192.168.56.5'] }

test('one remote with nothing of its own is its address, and what was not asked is not there', () =>
  assert.equal(tunnelWishes(ASKED), { name: 'tap0', remote: '192.168.56.5', routes: [], key: undefined }))

test('a remote with something of its own, and several, are a list', () => {
  const remotes = (...remote: string[]) => tunnelWishes({ ...ASKED, remote }).remote
  assert.equal(remotes('b,csum'), [{ remote: 'b', checksum: true }])
  assert.equal(remotes('b', 'c'), [{ remote: 'b' }, { remote: 'c' }])
})

test('ikey and okey are the halves of a key', () => {
  assert.equal(tunnelWishes({ ...ASKED, ikey: '0.0.0.7' }).key, { in: 7, out: undefined })
  assert.equal(tunnelWishes({ ...ASKED, ikey: 7, okey: 8 }).key, { in: 7, out: 8 })
})

test('all that is wrong is told to who takes note of it', () => {
  const told: ConfigError[] = []
  tunnelWishes({ ttl: 300, csum: true, carrier: true, key: 1, okey: 2 }, (error) => told.push(error))
  assert.equal(
    told.map(({ code, option }) => [code, option]),
    [
      ['TSGRE_REMOTE_MISSING', 'remote'],
      ['TSGRE_BAD_TAP', 'tap'],
      ['TSGRE_BAD_OPTION', 'ttl'],
      ['TSGRE_CONFLICT', 'key'],
      ['TSGRE_CONFLICT', 'carrier'],
    ],
  )
})

test('the first that is wrong is thrown where nobody does', () =>
  assert.throws(() => tunnelWishes({ ...ASKED, ttl: 300, tos: 300 }), /^--ttl 300/))

test('a TAP is not its own bridge', () => {
  assert.throws(() => tunnelWishes({ ...ASKED, bridge: 'tap0' }), /^--bridge tap0: .*cannot be its own bridge/)
  assert.is(tunnelWishes({ ...ASKED, tap: 'none', bridge: 'none' }).bridge, 'none')
})

test('no remote is a loopback address, which every host has', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '0::1'])
    assert.throws(() => tunnelWishes({ ...ASKED, remote: [address] }), /^--remote \S+: a loopback address/)
})

test('options of the process are no options of a tunnel', () => {
  const asked = { ...ASKED, metrics: 9747, 'log-level': 'warn', 'dry-run': true }
  assert.equal(instanceOptions(asked), { metrics: { address: '127.0.0.1', port: 9747 }, logLevel: 'warn' })
  assert.equal(tunnelWishes(asked), tunnelWishes(ASKED))
})

test.run()
