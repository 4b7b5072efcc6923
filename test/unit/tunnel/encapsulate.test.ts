// The rules of sending, T1 to T8, and the packets of real kernels: the same frames must leave us as the same packets.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type DropReason, dropCounters, dropsByReason } from '#tsgre/drops.js'
import { BATCH_ENTRIES, Batch } from '#tsgre/io/batch.js'
import type { Encapsulator } from '#tsgre/tunnel/encapsulate.js'
import type { PumpSettings } from '#tsgre/tunnel/settings.js'
import { contents, fill } from '../../rig/batches.js'
import { countingFrom } from '../../rig/counting-from.js'
import {
  DOT1Q,
  ETH_P_ARP,
  ETH_P_IP,
  ETH_P_IPV6,
  ethernet,
  ipv4,
  ipv6,
  plainFrame,
  QINQ,
  type Tag,
} from '../../rig/frames.js'
import { naiveEmitGre } from '../../rig/naive/naive-gre.js'
import { fixture } from '../../rig/root.js'
import { LOCAL, REMOTE, settings } from '../../rig/settings.js'
import { sendingSide } from '../../rig/sides.js'

const frames = new Batch()
const batch = Batch.over(frames, BATCH_ENTRIES, true)

interface Sent {
  packets: Uint8Array[]
  tos: number[]
  ttl: number[]
  fragment: number[]
  drops: Float64Array
}

function encapsulate(encapsulator: Encapsulator, given: readonly Uint8Array[]): Sent {
  const drops = dropCounters()
  encapsulator.begin(fill(frames, given))
  encapsulator.fill(batch, drops)
  const { count } = batch
  const column = (values: Uint8Array) => [...values.subarray(0, count)]
  return {
    packets: contents(batch),
    tos: column(batch.tos),
    ttl: column(batch.ttl),
    fragment: column(batch.fragment),
    drops,
  }
}

function sent(given: Partial<PumpSettings>, ...frames: Uint8Array[]): Sent {
  return encapsulate(sendingSide(settings(given)).encapsulator, frames)
}

const dropped = ({ drops }: Sent, reason: DropReason) => dropsByReason(drops)[reason]

test('T1–T4: writes the header of every combination of checksum, key and sequence as the naive emitter does', () => {
  const frame = plainFrame(61)
  for (let bits = 0; bits < 8; bits++) {
    const checksum = (bits & 1) !== 0
    const sequence = (bits & 4) !== 0
    for (const key of bits & 2 ? [0, 42, 0x8000_0000, 0xffff_ffff] : [undefined]) {
      const { packets } = sent({ checksum, sequence, keyOut: key }, frame)
      const fields = {
        ...(checksum && { checksum: 0 }),
        ...(key !== undefined && { key }),
        ...(sequence && { sequence: 0 }),
      }
      assert.equal(packets, [naiveEmitGre({ ...fields, payload: frame })], `${JSON.stringify(fields)}`)
    }
  }
})

test('T4: sends key.out, whatever key.in is', () => {
  const { packets } = sent({ keyIn: 1, keyOut: 2 }, plainFrame(14))
  assert.equal([...packets[0].subarray(0, 8)], [0x20, 0, 0x65, 0x58, 0, 0, 0, 2])
})

test('T5: counts from 0, one number a packet, none for a dropped frame', () => {
  const encapsulator = sendingSide(settings({ sequence: true })).encapsulator
  const numbers = (frames: Uint8Array[]) =>
    encapsulate(encapsulator, frames).packets.map((it) => new DataView(it.buffer).getUint32(4))
  assert.equal(numbers([plainFrame(60), plainFrame(14).subarray(0, 13), plainFrame(60)]), [0, 1])
  assert.equal(numbers([plainFrame(60)]), [2])
})

test('T5: wraps from 2^32 - 1 to 0', () => {
  const encapsulator = countingFrom(0xffff_fffe, () => sendingSide(settings({ sequence: true })).encapsulator)
  const { packets } = encapsulate(
    encapsulator,
    [1, 2, 3, 4].map(() => plainFrame(60)),
  )
  const numbers = packets.map((it) => new DataView(it.buffer).getUint32(4))
  assert.equal(numbers, [0xffff_fffe, 0xffff_ffff, 0, 1])
})

// Each inner packet in each wrapping that a frame may come in.
const WRAPPINGS: readonly (readonly [name: string, tags: readonly Tag[]])[] = [
  ['untagged', []],
  ['behind 802.1Q', [DOT1Q]],
  ['behind QinQ', QINQ],
]

for (const [name, tags] of WRAPPINGS) {
  const four = (inner: Parameters<typeof ipv4>[0]) => ethernet(ETH_P_IP, ipv4(inner), tags)
  const six = (inner: Parameters<typeof ipv6>[0]) => ethernet(ETH_P_IPV6, ipv6(inner), tags)
  const arp = ethernet(ETH_P_ARP, Array(28).fill(0xff), tags)

  test(`T6: a fixed TTL is left to the socket, an inherited one is the inner packet's or 64 (${name})`, () => {
    const frames = [four({ ttl: 33 }), six({ ttl: 9 }), four({ ttl: 1 }), six({ ttl: 255 }), arp]
    assert.equal(sent({ ttl: 7 }, ...frames).ttl, [0, 0, 0, 0, 0])
    assert.equal(sent({ ttl: 'inherit' }, ...frames).ttl, [33, 9, 1, 255, 64])
  })

  test(`T7: a fixed TOS takes the inner ECN, an inherited one is the inner packet's or 0 (${name})`, () => {
    const inner = [0xb8, 0xb9, 0x02, 0x03]
    const frames = [...inner.map((tos) => four({ tos })), ...inner.map((tos) => six({ tos })), arp]
    assert.equal(sent({ tos: 0 }, ...frames).tos, [0, 1, 2, 3, 0, 1, 2, 3, 0])
    assert.equal(sent({ tos: 0x13 }, ...frames).tos, [0x10, 0x11, 0x12, 0x13, 0x10, 0x11, 0x12, 0x13, 0x10])
    assert.equal(sent({ tos: 'inherit' }, ...frames).tos, [...inner, ...inner, 0])
  })

  test(`T8: DF is set always, as inside, or never (${name})`, () => {
    const frames = [four({ df: true }), four({ df: false }), six({}), arp]
    assert.equal(sent({ fragment: 'never' }, ...frames).fragment, [0, 0, 0, 0])
    assert.equal(sent({ fragment: 'as-inner' }, ...frames).fragment, [0, 1, 1, 1])
    assert.equal(sent({ fragment: 'always' }, ...frames).fragment, [1, 1, 1, 1])
  })

  test(`drops our own packet that came back as a frame as loop (${name})`, () => {
    const own = { protocol: 47, source: [...LOCAL], destination: [...REMOTE] }
    const result = sent({}, four(own), arp)
    assert.is(dropped(result, 'loop'), 1)
    assert.is(result.packets.length, 1)
    const others = [
      { ...own, protocol: 17 },
      { ...own, source: [192, 0, 2, 3] },
      { ...own, destination: [192, 0, 2, 3] },
    ]
    assert.is(sent({}, ...others.map(four)).packets.length, 3, 'other protocols and other addresses pass')
    const back = { ...own, source: [...REMOTE], destination: [...LOCAL] }
    assert.is(sent({}, four(back)).packets.length, 1, "the other end's packets are not ours")
  })

  test(`drops our own IPv6 packet that came back as a frame as loop (${name})`, () => {
    const local = Uint8Array.from([0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0), 1])
    const remote = Uint8Array.from([0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0), 2])
    const own = { protocol: 47, source: [...local], destination: [...remote] }
    assert.is(dropped(sent({ local, remote }, six(own)), 'loop'), 1)
    assert.is(sent({ local, remote }, six({ ...own, protocol: 6 })).packets.length, 1)
    assert.is(sent({}, six(own)).packets.length, 1, 'an IPv4 tunnel has no IPv6 packets')
  })
}

test('looks into no IP header that is not all there', () => {
  const cut = ethernet(ETH_P_IP, ipv4({ tos: 0xff, ttl: 1 })).subarray(0, 14 + 19)
  const cut6 = ethernet(ETH_P_IPV6, ipv6({ tos: 0xff, ttl: 1 })).subarray(0, 14 + 39)
  const { tos, ttl, packets } = sent({ tos: 'inherit', ttl: 'inherit' }, cut, cut6)
  assert.is(packets.length, 2)
  assert.equal(
    [tos, ttl],
    [
      [0, 0],
      [64, 64],
    ],
  )
})

test('drops a frame that ends inside its Ethernet header as truncated', () => {
  const result = sent(
    {},
    plainFrame(14).subarray(0, 13),
    new Uint8Array(),
    ethernet(ETH_P_ARP, [], [DOT1Q]).subarray(0, 17),
    plainFrame(14),
  )
  assert.is(dropped(result, 'truncated'), 3)
  assert.equal(
    result.packets.map((it) => it.length),
    [18],
  )
})

test('closes the gaps that drops leave, with the columns of what stays', () => {
  const own = ethernet(ETH_P_IP, ipv4({ protocol: 47, source: [...LOCAL], destination: [...REMOTE] }))
  const marked = [0x20, 0x40, 0x60].map((tos) => ethernet(ETH_P_IP, ipv4({ tos, ttl: tos, df: tos === 0x40 })))
  const result = sent(
    { tos: 'inherit', ttl: 'inherit', fragment: 'as-inner' },
    own,
    marked[0],
    own,
    marked[1],
    marked[2],
  )
  assert.equal(
    result.packets.map((it) => it.slice(4)),
    marked,
  )
  assert.equal(result.tos, [0x20, 0x40, 0x60])
  assert.equal(result.ttl, [0x20, 0x40, 0x60])
  assert.equal(result.fragment, [1, 0, 1])
  assert.is(dropped(result, 'loop'), 2)
})

test('forgets what one frame asked for before the next', () => {
  const marked = ethernet(ETH_P_IP, ipv4({ tos: 0xff, ttl: 3, df: true }))
  const result = sent({ tos: 'inherit', ttl: 'inherit', fragment: 'as-inner' }, marked, plainFrame(60))
  assert.equal(
    [result.tos, result.ttl, result.fragment],
    [
      [0xff, 0],
      [3, 64],
      [0, 1],
    ],
  )
})

// What the kernel sends, from captures of a real gretap: the same frames must leave us as the same packets.
const CAPTURES: Readonly<Record<string, Partial<PumpSettings>>> = {
  plain: {},
  'plain-arp': {},
  'plain-sizes': {},
  vlan: {},
  'stp-bpdu': {},
  key: { keyOut: 42 },
  'key-zero': { keyOut: 0 },
  'key-max': { keyOut: 4294967295 },
  'key-dotted': { keyOut: 0x0a141e28 },
  'ikey-okey': { keyIn: 1, keyOut: 2 },
  csum: { checksum: true },
  'csum-arp': { checksum: true },
  'csum-key': { checksum: true, keyOut: 42 },
  'csum-seq': { checksum: true, sequence: true },
  seq: { sequence: true },
  'seq-key': { sequence: true, keyOut: 42 },
  'tos-default': { tos: 0 },
  'tos-0x10': { tos: 0x10 },
  'tos-inherit': { tos: 'inherit' },
  'ttl-7': { ttl: 7 },
  'ttl-default': {},
  'ttl-inherit-arp': {},
  'df-default': {},
  nopmtudisc: { fragment: 'as-inner' },
  'ignore-df': { fragment: 'always' },
  'inner-ipv6': { tos: 'inherit' },
  'ovs-plain': {},
  'ovs-key': { keyOut: 42 },
  'v6-arp': {},
  'v6-csum': { checksum: true },
  'v6-key': { keyOut: 42 },
  'v6-seq': { sequence: true },
  'v6-noencaplimit': {},
  'v6-tclass-inherit': { tos: 'inherit' },
}

interface Captured {
  gre: Uint8Array
  frame: Uint8Array
  tos: number
  ttl: number
  /** Undefined on IPv6, which has no such bit. */
  df: boolean | undefined
}

function dissect(hex: string): Captured {
  const packet = Uint8Array.from(Buffer.from(hex, 'hex'))
  const six = packet[0] >> 4 === 6
  const gre = packet.slice(six ? 40 : (packet[0] & 15) * 4)
  const header = 4 + (gre[0] & 0x80 ? 4 : 0) + (gre[0] & 0x20 ? 4 : 0) + (gre[0] & 0x10 ? 4 : 0)
  return {
    gre,
    frame: gre.slice(header),
    tos: six ? ((packet[0] & 15) << 4) | (packet[1] >> 4) : packet[1],
    ttl: six ? packet[7] : packet[8],
    df: six ? undefined : (packet[6] & 0x40) !== 0,
  }
}

const vectors = JSON.parse(fixture('vectors/vectors.json').toString()) as Record<string, { ip_packets: string[] }>

for (const [name, given] of Object.entries(CAPTURES)) {
  test(`sends the frames of ${name}.pcap as the captured packets`, () => {
    const captured = vectors[name].ip_packets.map(dissect)
    const result = sent({ ttl: 'inherit', ...given }, ...captured.map(({ frame }) => frame))
    assert.equal(
      result.packets,
      captured.map(({ gre }) => gre),
    )
    captured.forEach(({ tos, ttl, df }, i) => {
      const ecn = result.tos[i] & 3
      // Linux sends ECT(0) for an inner CE, RFC 6040 §4.1 copies it
      assert.is(ecn === 3 ? (result.tos[i] & ~3) | 2 : result.tos[i], tos, `TOS of packet ${i}`)
      if (!name.startsWith('ovs')) assert.is(result.ttl[i] || (given.ttl as number), ttl, `TTL of packet ${i}`)
      if (df !== undefined) assert.is(result.fragment[i] === 0, df, `DF of packet ${i}`)
    })
  })
}

test.run()
