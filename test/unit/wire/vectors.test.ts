// Every packet of every capture, read by our parsers and written again by our emitters. What is expected stands in one
// table by the capture's name; a capture without a line there fails.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ipv4Number } from '#tsgre/wire/address.js'
import { sum } from '#tsgre/wire/checksum.js'
import { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, ethernetHeader, peekEthernet } from '#tsgre/wire/ethernet.js'
import {
  emitGre,
  GRE_CHECKSUM,
  GRE_KEY,
  GRE_SEQUENCE,
  greHeader,
  parseGre,
  sealGre,
  verifyGre,
} from '#tsgre/wire/gre.js'
import { emitIpv4, ipv4Header, parseIpv4 } from '#tsgre/wire/ipv4.js'
import { emitIpv6, ipv6Header, parseIpv6 } from '#tsgre/wire/ipv6.js'
import { type Octets, octets } from '#tsgre/wire/octets.js'
import { captureRows, captures, pcapPackets } from '../../rig/captures.js'

const [C, K, S] = [GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE]
const IPPROTO_GRE = 47
const IPPROTO_ICMPV6 = 58

/** A value for all packets, or one for each. */
type Each<T> = T | T[]

interface Expected {
  packets: number
  flags?: number // 0
  key?: number
  tos?: Each<number> // 0; the traffic class on IPv6
  ttl?: Each<number> // 64; the hop limit on IPv6
  flowLabel?: number // not looked at where absent
  outerHeader?: number // 40; octets in front of GRE on IPv6
  dontFragment?: Each<boolean> // true
  etherType?: Each<number> // ETH_P_IP
  vlan?: number // -1
  frame?: Each<number> // 98, the octets of the inner frame: a ping with 56 octets of data
  inner?: { tos?: Each<number>; ttl?: Each<number>; dontFragment?: Each<boolean>; fragmentOffset?: Each<number> }
}

const ARP = { etherType: ETH_P_ARP, frame: 42 }
const DF_CLEAR_THEN_SET = { dontFragment: [false, true] }

const EXPECTED: Record<string, Expected> = {
  'csum-arp': { packets: 1, flags: C, ...ARP },
  'csum-key': { packets: 2, flags: C | K, key: 42 },
  'csum-seq': { packets: 2, flags: C | S },
  csum: { packets: 4, flags: C, frame: [98, 99, 1042, 1043] },
  'df-default': { packets: 2, inner: DF_CLEAR_THEN_SET },
  'ignore-df': { packets: 2, dontFragment: false, inner: DF_CLEAR_THEN_SET },
  'ikey-okey': { packets: 2, flags: K, key: 2 },
  'inner-ipv6': {
    packets: 5,
    tos: [0, 0, 0xb8, 0, 0],
    ttl: [1, 64, 33, 255, 255],
    etherType: ETH_P_IPV6,
    frame: [110, 118, 118, 86, 86],
    inner: { tos: [0, 0, 0xb8, 0, 0], ttl: [1, 64, 33, 255, 255] },
  },
  'key-dotted': { packets: 2, flags: K, key: ipv4Number('10.20.30.40') },
  'key-max': { packets: 2, flags: K, key: 0xffffffff },
  'key-zero': { packets: 2, flags: K, key: 0 },
  key: { packets: 2, flags: K, key: 42 },
  nopmtudisc: { packets: 2, ...DF_CLEAR_THEN_SET, inner: DF_CLEAR_THEN_SET },
  // The kernel fragmented the inner packet, so each outer one is whole and carries a frame of its own.
  'oversize-pmtudisc': {
    packets: 2,
    frame: [1474, 74],
    inner: { dontFragment: false, fragmentOffset: [0, 1440] },
  },
  'ovs-key': { packets: 2, flags: K, key: 42 },
  'ovs-plain': { packets: 2 },
  'plain-arp': { packets: 2, ...ARP },
  'plain-sizes': { packets: 7, frame: [42, 43, 59, 60, 99, 1042, 1476] },
  plain: { packets: 3 },
  'seq-key': { packets: 2, flags: S | K, key: 42 },
  seq: { packets: 5, flags: S },
  'stp-bpdu': { packets: 5, etherType: 38, frame: 52 },
  'tos-0x10': { packets: 2, tos: [0x10, 0x12], inner: { tos: [0, 2] } },
  'tos-default': { packets: 3, tos: [0, 2, 2], inner: { tos: [0xb8, 2, 3] } },
  'tos-inherit': { packets: 3, tos: [0xb8, 2, 2], inner: { tos: [0xb8, 2, 3] } },
  'ttl-7': { packets: 2, ttl: 7, inner: { ttl: [64, 33] } },
  'ttl-default': { packets: 3, ttl: [64, 33, 1], inner: { ttl: [64, 33, 1] } },
  'ttl-inherit-arp': { packets: 2, ttl: 64, ...ARP },
  'v6-arp': { packets: 2, ...ARP },
  'v6-csum': { packets: 2, flags: C },
  'v6-hoplimit-tclass': { packets: 1, tos: 0x20, ttl: 9, flowLabel: 0x12345 },
  'v6-key': { packets: 2, flags: K, key: 42 },
  'v6-noencaplimit': { packets: 2 },
  'v6-plain': { packets: 2, outerHeader: 48 },
  'v6-seq': { packets: 2, flags: S },
  'v6-tclass-inherit': { packets: 1, tos: 0xb8, ttl: 33, inner: { tos: 0xb8, ttl: 33 } },
  vlan: { packets: 4, vlan: 100, etherType: [ETH_P_IP, ETH_P_IP, ETH_P_ARP, ETH_P_ARP], frame: [102, 102, 46, 46] },
}

function of<T>(value: Each<T> | undefined, index: number, otherwise: T): T {
  if (value === undefined) return otherwise
  return Array.isArray(value) ? value[index] : value
}

/** The packet in memory that starts with `pad` octets of something else. */
function load(packet: Uint8Array, pad: number): Octets {
  const memory = octets(new Uint8Array(pad + packet.length).fill(0xee))
  memory.bytes.set(packet, pad)
  return memory
}

/** Compares the outer header with what is expected, and with our own. Returns where GRE starts. */
function checkOuter(memory: Octets, start: number, expected: Expected, index: number): number {
  return memory.bytes[start] >>> 4 === 4
    ? checkOuterIpv4(memory, start, expected, index)
    : checkOuterIpv6(memory, start, expected, index)
}

function checkOuterIpv4(memory: Octets, start: number, expected: Expected, index: number): number {
  const { bytes } = memory
  const ip = ipv4Header()
  assert.is(parseIpv4(bytes, start, bytes.length, ip), 20)
  assert.is(ip.totalLength, bytes.length - start)
  assert.equal([ip.tos, ip.ttl], [of(expected.tos, index, 0), of(expected.ttl, index, 64)])
  assert.is(ip.dontFragment, of(expected.dontFragment, index, true))
  assert.equal([ip.moreFragments, ip.fragmentOffset, ip.protocol], [false, 0, IPPROTO_GRE])
  assert.is(ip.source, ipv4Number('192.168.56.5'))
  assert.is(ip.destination, ipv4Number('192.168.56.4'))
  assert.is(sum(memory, start, start + 20), 0xffff)

  const copy = octets(bytes.slice())
  copy.bytes.fill(0xdd, start, start + 20)
  emitIpv4(copy, start + 20, ip, bytes.length - start - 20)
  assert.equal(copy.bytes, bytes)
  return start + 20
}

function checkOuterIpv6(memory: Octets, start: number, expected: Expected, index: number): number {
  const { bytes } = memory
  const ip = ipv6Header()
  const length = parseIpv6(bytes, start, bytes.length, ip)
  assert.is(length, expected.outerHeader ?? 40)
  assert.is(ip.payloadLength, bytes.length - start - 40)
  assert.equal([ip.trafficClass, ip.hopLimit], [of(expected.tos, index, 0), of(expected.ttl, index, 64)])
  assert.is(ip.flowLabel, expected.flowLabel ?? ip.flowLabel)
  assert.is(ip.nextHeader, IPPROTO_GRE)
  const source = bytes.slice(ip.sourceOffset, ip.sourceOffset + 16)
  const destination = bytes.slice(ip.destinationOffset, ip.destinationOffset + 16)
  assert.is(Buffer.from(source).toString('hex'), 'fd560000000000000000000000000005')
  assert.is(Buffer.from(destination).toString('hex'), 'fd560000000000000000000000000004')

  const copy = octets(bytes.slice())
  copy.bytes.fill(0xdd, start, start + 40)
  const header = { ...ip, nextHeader: bytes[start + 6] } // of an extension header, where there is one
  emitIpv6(copy, start + 40, header, source, destination, ip.payloadLength)
  assert.equal(copy.bytes, bytes)
  return start + length
}

/** Compares the GRE header with what is expected, and with our own. Returns where the frame starts. */
function checkGre(memory: Octets, start: number, expected: Expected, index: number): number {
  const { bytes } = memory
  const flags = expected.flags ?? 0
  const gre = greHeader()
  const length = parseGre(bytes, start, bytes.length, gre)
  assert.ok(length > 0, `refused: ${length}`)
  assert.is(gre.flags, flags)
  assert.is(gre.key, expected.key ?? 0)
  assert.is(gre.sequence, flags & S ? index : 0)
  if (flags & C) assert.ok(verifyGre(memory, start, bytes.length))

  const copy = octets(bytes.slice())
  copy.bytes.fill(0xdd, start, start + length)
  assert.is(emitGre(copy.bytes, start + length, gre), start)
  if (flags & C) sealGre(copy, start, bytes.length)
  assert.equal(copy.bytes, bytes)
  return start + length
}

function checkFrame(memory: Octets, start: number, expected: Expected, index: number): void {
  const { bytes } = memory
  const ethernet = ethernetHeader()
  const length = peekEthernet(bytes, start, bytes.length, ethernet)
  assert.is(bytes.length - start, of(expected.frame, index, 98))
  assert.is(ethernet.etherType, of(expected.etherType, index, ETH_P_IP))
  assert.is(ethernet.vlan, expected.vlan ?? -1)
  assert.is(ethernet.tags, expected.vlan === undefined ? 0 : 1)
  assert.is(length, 14 + 4 * ethernet.tags)
  if (ethernet.etherType === ETH_P_IP) checkInnerIpv4(memory, start + length, expected, index)
  if (ethernet.etherType === ETH_P_IPV6) checkInnerIpv6(memory, start + length, expected, index)
}

function checkInnerIpv4(memory: Octets, start: number, expected: Expected, index: number): void {
  const { bytes } = memory
  const ip = ipv4Header()
  assert.is(parseIpv4(bytes, start, bytes.length, ip), 20)
  assert.is(ip.totalLength, bytes.length - start)
  assert.is(ip.source, ipv4Number(expected.vlan === undefined ? '10.103.0.2' : '10.104.0.2'))
  assert.equal([ip.tos, ip.ttl], [of(expected.inner?.tos, index, 0), of(expected.inner?.ttl, index, 64)])
  assert.is(ip.dontFragment, of(expected.inner?.dontFragment, index, true))
  const fragmentOffset = of(expected.inner?.fragmentOffset, index, 0)
  assert.is(ip.fragmentOffset, fragmentOffset)
  assert.is(ip.moreFragments, Array.isArray(expected.inner?.fragmentOffset) && fragmentOffset === 0)
  assert.is(sum(memory, start, start + 20), 0xffff)
}

function checkInnerIpv6(memory: Octets, start: number, expected: Expected, index: number): void {
  const ip = ipv6Header()
  assert.ok(parseIpv6(memory.bytes, start, memory.bytes.length, ip) >= 40)
  assert.is(ip.nextHeader, IPPROTO_ICMPV6)
  assert.is(ip.trafficClass, of(expected.inner?.tos, index, 0))
  assert.is(ip.hopLimit, of(expected.inner?.ttl, index, 64))
}

const all = captures()

for (const [name, packets] of all) {
  test(`reads and writes again what ${name} holds, at every alignment`, () => {
    const expected = EXPECTED[name]
    assert.ok(expected, `nothing is expected of ${name}: add a line to EXPECTED`)
    assert.is(packets.length, expected.packets)
    packets.forEach((packet, index) => {
      assert.is(packet[0] >>> 4, name.startsWith('v6-') ? 6 : 4)
      for (let pad = 0; pad < 4; pad++) {
        const memory = load(packet, pad)
        const gre = checkOuter(memory, pad, expected, index)
        checkFrame(memory, checkGre(memory, gre, expected, index), expected, index)
      }
    })
  })

  test(`has in vectors.json the packets of ${name}.pcap`, () => {
    assert.equal(
      packets.map((packet) => Buffer.from(packet).toString('hex')),
      pcapPackets(name).map((packet) => Buffer.from(packet).toString('hex')),
    )
  })
}

test('knows every capture that README.md describes, and no other', () => {
  const rows = captureRows()
  assert.equal(
    rows.map((row) => [row.name, row.packets]),
    [...all].map(([name, packets]) => [name, packets.length]),
  )
  assert.equal(Object.keys(EXPECTED).sort(), [...all.keys()].sort())
})

test.run()
