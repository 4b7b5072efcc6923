// No garbage collection in three million packets. Keys and sequence numbers are above 2^31, where V8 may keep a number
// in memory of its own: a record must hold it in place and no call may hand it on, or every packet would allocate.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { sum } from '#tsgre/wire/checksum.js'
import { ethernetHeader, peekEthernet } from '#tsgre/wire/ethernet.js'
import { ETH_P_TEB, emitGre, greHeader, parseGre, sealGre, verifyGre } from '#tsgre/wire/gre.js'
import { emitIpv4, ipv4Header, parseIpv4 } from '#tsgre/wire/ipv4.js'
import { emitIpv6, ipv6Header, parseIpv6 } from '#tsgre/wire/ipv6.js'
import { octets } from '#tsgre/wire/octets.js'
import { steadyCollections } from '../rig/collections.js'

const PACKETS = 3_000_000
const memory = octets(new Uint8Array(256).fill(0xff))

test('emits, seals, parses and verifies GRE with keys and sequence numbers above 2^31', async () => {
  const sent = { ...greHeader(), flags: 0xb000, protocol: ETH_P_TEB, key: 0xfffffffe }
  const received = greHeader()
  const sequence = Uint32Array.of(0xf0000000)
  const wrong = new Float64Array(1)
  const found = await steadyCollections(PACKETS, (times) => {
    for (let i = 0; i < times; i++) {
      sent.flags = ((i & 4) << 13) | ((i & 3) << 12) // all combinations, as several tunnels would have them
      sent.sequence = sequence[0]++
      const packet = emitGre(memory.bytes, 64, sent)
      if (sent.flags & 0x8000) sealGre(memory, packet, 128)
      if (parseGre(memory.bytes, packet, 128, received) !== 64 - packet) wrong[0]++
      if (received.flags & 0x2000 && received.key !== sent.key) wrong[0]++
      if (received.flags & 0x1000 && received.sequence !== sent.sequence) wrong[0]++
      if (received.flags & 0x8000 && !verifyGre(memory, packet, 128)) wrong[0]++
    }
  })
  assert.is(found, 0)
  assert.is(wrong[0], 0)
})

test('emits and parses sequence numbers that count across 2^31 and 2^32', async () => {
  const header = { ...greHeader(), flags: 0x3000, protocol: ETH_P_TEB, key: 0x80000000 }
  const received = greHeader()
  const sequence = new Uint32Array(1)
  const wrong = new Float64Array(1)
  const found = await steadyCollections(PACKETS, (times) => {
    for (let i = 0; i < times; i++) {
      sequence[0] += 0x01000001 // around in 256 steps
      header.sequence = sequence[0]
      parseGre(memory.bytes, emitGre(memory.bytes, 64, header), 128, received)
      if (received.sequence !== header.sequence) wrong[0]++
    }
  })
  assert.is(found, 0)
  assert.is(wrong[0], 0)
  assert.is(received.key, 0x80000000)
})

test('emits and parses IPv4 with addresses above 2^31', async () => {
  const header = { ...ipv4Header(), source: 0xc0000201, destination: 0xfffffffe }
  const received = ipv4Header()
  const found = await steadyCollections(PACKETS, (times) => {
    for (let i = 0; i < times; i++) {
      header.id = i & 0xffff
      header.dontFragment = (i & 1) === 0
      parseIpv4(memory.bytes, emitIpv4(memory, 64, header, 100), 256, received)
    }
  })
  assert.is(found, 0)
  assert.is(received.destination, 0xfffffffe)
})

test('emits and parses IPv6', async () => {
  const header = { ...ipv6Header(), nextHeader: 47 }
  const received = ipv6Header()
  const source = new Uint8Array(16)
  const found = await steadyCollections(PACKETS, (times) => {
    for (let i = 0; i < times; i++) {
      header.flowLabel = i & 0xfffff
      parseIpv6(memory.bytes, emitIpv6(memory, 64, header, source, source, 100), 256, received)
    }
  })
  assert.is(found, 0)
})

test('looks at Ethernet and sums from every alignment', async () => {
  const received = ethernetHeader()
  const total = new Float64Array(1)
  const found = await steadyCollections(PACKETS, (times) => {
    for (let i = 0; i < times; i++) {
      total[0] += peekEthernet(memory.bytes, i & 15, 64, received)
      total[0] += sum(memory, i & 7, 64 + ((i >>> 3) & 7))
    }
  })
  assert.is(found, 0)
})

test('would see a record made for every packet', async () => {
  const kept: object[] = [{}]
  const found = await steadyCollections(PACKETS, (times) => {
    for (let i = 0; i < times; i++) kept[0] = greHeader()
  })
  assert.ok(found > 0)
})

test.run()
