// What is known of the way to each peer outlives a change of this host's address.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Batch } from '#tsgre/io/batch.js'
import { PeerWays } from '#tsgre/io/peer-ways.js'
import { parseAddress } from '#tsgre/sys/address.js'

test('the size at which outer packets are cut is kept when packets leave from another address', () => {
  const [local, other, address] = ['127.0.0.1', '127.0.0.3', '127.0.0.2'].map((text) => parseAddress(text)!)
  const ways = new PeerWays({ fd: -1, local: local!, dev: undefined }, [{ peer: 0, address: address!, mtu: 1500 }])
  const batch = new Batch(1, 1)
  batch.peer[0] = 0
  batch.length[0] = 1200
  assert.not(ways.isToCut(batch, 0))
  ways.fragmentAt(0, 1000)
  assert.ok(ways.isToCut(batch, 0))
  ways.setLocal(other!)
  assert.ok(ways.isToCut(batch, 0))
})

test.run()
