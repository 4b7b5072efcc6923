// Tunnels that would take each other's packets, found before any of them starts.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { refuseShared, type Taker } from '#tsgre/daemon/refuse-shared.js'
import { claim } from '#tsgre/io/claim.js'

const LOCAL = `192.0.2.${1 + (process.pid % 250)}`
const taker = (tap: string, keyIn: number | undefined, dev?: string): Taker => ({
  tap,
  dev,
  local: LOCAL,
  remotes: [{ remote: '198.51.100.5', keyIn }],
})

test('refuses a remote and key that two have, and says which two', () =>
  assert.throws(
    () => refuseShared([taker('tap0', 7), taker('tap1', 7)], []),
    /198\.51\.100\.5: tap0 takes the packets with key 7 .*, and tap1 would get them too; give one of them its own --key/,
  ))

test('takes the same remote with another key, and without one', () =>
  refuseShared([taker('tap0', 7), taker('tap1', 8), taker('tap2', undefined)], []))

test('refuses what another process has claimed, and takes what the tunnels before have', () => {
  const { local, remotes, dev } = taker('tap0', 7)
  const release = claim({ local, ...remotes[0]!, dev })
  try {
    assert.throws(() => refuseShared([taker('tap1', 7)], []), /: another tsgre takes the packets with key 7/)
    refuseShared([taker('tap1', 7)], [taker('tap0', 7)])
  } finally {
    release()
  }
  refuseShared([taker('tap1', 7)], [])
})

test('leaves tunnels of one device each to their start', () =>
  refuseShared([taker('tap0', 7, 'eth1'), taker('tap1', 7, 'eth2')], []))

test.run()
