// No garbage collection in a million frames through the forwarding database: known addresses, moving ones, and a flood.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Fdb } from '#tsgre/tunnel/fdb.js'
import { write32 } from '#tsgre/wire/network-order.js'
import { steadyCollections } from '../rig/collections.js'
import { withFlags } from '../rig/reexec.js'

withFlags(import.meta.url, '--max-semi-space-size=1')

const FRAMES = 1_000_000
const mac = Uint8Array.of(2, 0, 0, 0, 0, 0)
const BATCH = 64

class Traffic {
  readonly fdb = new Fdb()
  #now = 0.25

  /** Learns and looks up `FRAMES` times; `pick` says the address of frame i, `port` where it comes from. */
  collections(pick: (i: number) => number, port: (i: number) => number): Promise<number> {
    return steadyCollections(FRAMES, (times) => {
      for (let i = 0; i < times; i += BATCH) this.#batch(i, pick, port)
    })
  }

  #batch(first: number, pick: (i: number) => number, port: (i: number) => number): void {
    const now = this.#now
    for (let i = first; i < first + BATCH; i++) {
      write32(mac, 2, pick(i) | 0)
      this.fdb.learn(mac, 0, port(i), now)
      this.fdb.lookup(mac, 0, now)
    }
    this.fdb.age(now)
    this.#now = now + 16
  }
}

test('learns and finds known addresses without a collection', async () => {
  const pick = (i: number) => (0xf0000000 + (i % 5000)) | 0
  const port = (i: number) => (i % 5000) % 64
  assert.is(await new Traffic().collections(pick, port), 0)
})

test('sees addresses move without a collection', async () => {
  const pick = (i: number) => (0xf0000000 + (i % 3)) | 0
  const port = (i: number) => (i % 65) - 1
  assert.is(await new Traffic().collections(pick, port), 0)
})

test('bears a flood of addresses without a collection', async () => {
  const traffic = new Traffic()
  const pick = (i: number) => Math.imul(i, 0x9e3779b1)
  const port = (i: number) => i & 63
  assert.is(await traffic.collections(pick, port), 0)
  assert.is(traffic.fdb.size, 16384)
})

test('would see one number boxed for every frame', async () => {
  const kept: unknown[] = ['']
  const traffic = new Traffic()
  const pick = (i: number) => {
    kept[0] = 0x80000000 + i
    return i % 1000
  }
  assert.ok((await traffic.collections(pick, () => 0)) > 0)
})

test.run()
