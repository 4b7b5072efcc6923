// What a reload would change of a tunnel, and whether it can go on meanwhile.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { remotesOf, tunnelChange, waitingKeys } from '#tsgre/daemon/config/tunnel-change.js'
import type { TunnelWishes } from '#tsgre/daemon/options/wanted.js'

const BASE: TunnelWishes = { name: 'tap0', remote: ['192.168.56.5', { remote: '192.168.56.6', key: 7 }], routes: [] }
const change = (given: Partial<TunnelWishes>) => tunnelChange(BASE, { ...BASE, ...given }, remotesOf(BASE))

test('nothing has changed where nothing is said otherwise, nor where a default is said', () => {
  assert.is(change({}), undefined)
  assert.is(change({ ttl: 64, probe: false, loopGuard: true }), undefined)
})

test('a default that is written down, or away again, is no change, also one that is an object, and of each remote', () => {
  for (const said of [
    { reorder: { packets: 64, ms: 10 } },
    { checksum: false },
    { receiveChecksum: 'accept', sequence: false },
    { remote: [{ remote: '192.168.56.5', checksum: false }, ...[BASE.remote].flat().slice(1)] },
  ] as const) {
    assert.is(change(said), undefined, JSON.stringify(said))
    const written = { ...BASE, ...said }
    assert.is(tunnelChange(written, BASE, remotesOf(written)), undefined, JSON.stringify(said))
  }
  assert.equal(change({ reorder: { packets: 64, ms: 11 } }), { keys: ['reorder'], live: false })
})

test('remotes and what they have are changed live', () => {
  assert.equal(change({ remote: '192.168.56.5' }), { keys: ['remote'], live: true })
  assert.equal(change({ remote: ['192.168.56.5', { remote: '192.168.56.6', key: 8 }] }), {
    keys: ['remote'],
    live: true,
  })
  assert.equal(change({ key: 9 }), { keys: ['remote', 'key'], live: true })
  assert.equal(change({ checksum: true }), { keys: ['remote', 'csum'], live: true })
})

test('what the sockets or the TAP were made with is not', () => {
  for (const given of [
    { ttl: 9 },
    { mtu: 1400 },
    { encap: 'udp' },
    { bridge: 'br0' },
    { local: '192.168.56.4' },
  ] as const)
    assert.is(change(given)!.live, false, JSON.stringify(given))
  assert.is(change({ ttl: 9, remote: '192.168.56.5' })!.live, false)
})

test('a remote has of the tunnel what it does not say for itself', () => {
  assert.equal(remotesOf({ ...BASE, key: 3, sequence: true }), [
    { remote: '192.168.56.5', key: 3, checksum: false, receiveChecksum: 'accept', sequence: true },
    { remote: '192.168.56.6', key: 7, checksum: false, receiveChecksum: 'accept', sequence: true },
  ])
})

test('which remote comes first says nothing', () =>
  assert.is(change({ remote: [{ remote: '192.168.56.6', key: 7 }, '192.168.56.5'] }), undefined))

test('what the process takes at its start alone is named as in a file', () => {
  assert.equal(waitingKeys({}, { logLevel: 'info', logFormat: 'auto', json: false }), [])
  const metrics = { address: '127.0.0.1', port: 9747 }
  assert.equal(waitingKeys({ metrics }, { logFormat: 'json', logLevel: 'warn', json: true }), [
    'json',
    'metrics',
    'log-format',
    'log-level',
  ])
})

test.run()
