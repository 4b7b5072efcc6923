// Completing a checksum: what stands for 0.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { completeChecksum, TCP_CHECKSUM, UDP_CHECKSUM } from '#tsgre/offload/transport-checksum.js'
import { read16, write16 } from '#tsgre/wire/network-order.js'
import { octets } from '#tsgre/wire/octets.js'

/** The checksum of 20 octets, of which the one word that is not the field brings the sum to `total`. */
function completed(place: number, total: number): number {
  const memory = octets(new Uint8Array(64))
  const from = 14
  write16(memory.bytes, from + place, 0x1234)
  write16(memory.bytes, from, total - 0x1234)
  completeChecksum(memory, from, from + 20, from + place)
  return read16(memory.bytes, from + place)
}

test('a checksum is the complement of the sum', () => {
  for (const place of [TCP_CHECKSUM, UDP_CHECKSUM]) assert.is(completed(place, 0x5678), 0xa987)
})

test('a checksum of 0 is written as it is in TCP, and as 0xffff in UDP, where 0 says that there is none', () => {
  assert.is(completed(TCP_CHECKSUM, 0xffff), 0)
  assert.is(completed(UDP_CHECKSUM, 0xffff), 0xffff)
})

test.run()
