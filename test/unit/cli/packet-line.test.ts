// A captured frame as a line for a person.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { packetLine, timeOfDay } from '#tsgre/cli/packet-line.js'
import { emitLoopProbe, loopProbe } from '#tsgre/wire/loop-probe.js'
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from '#tsgre/wire/pcapng.js'
import { ASK, emitProbe, probeFrame } from '#tsgre/wire/probe-frame.js'
import { innerFrame, UDP } from '../../rig/flows.js'
import { DOT1Q, ETH_P_ARP, ethernet, ipv4, ipv6, plainFrame } from '../../rig/frames.js'

const MACS = '02:00:00:00:00:b2 > 02:00:00:00:00:a1'
const arp = (operation: number) => [
  0,
  1,
  8,
  0,
  6,
  4,
  0,
  operation,
  2,
  0,
  0,
  0,
  0,
  0xb2,
  10,
  103,
  0,
  1,
  2,
  0,
  0,
  0,
  0,
  0xa1,
  10,
  103,
  0,
  2,
]

function line(
  octets: Uint8Array,
  comment = 'tx to 192.168.56.6',
  linkType = LINKTYPE_ETHERNET,
  original = octets.length,
): string {
  const packet = {
    time: 0,
    captured: octets.length,
    original,
    direction: 0,
    comment: new TextEncoder().encode(comment),
  }
  return packetLine(linkType, packet, octets).slice('00:00:00.000000 '.length)
}

test('says who talks to whom in what', () => {
  const icmp = ipv4({ protocol: 1, payload: Array(8).fill(0) })
  assert.is(line(ethernet(0x0800, icmp)), `tx 192.168.56.6 42 B ${MACS} IPv4 10.103.0.1 > 10.103.0.2 ICMP`)
  assert.is(
    line(ethernet(0x0800, icmp, [DOT1Q])),
    `tx 192.168.56.6 46 B ${MACS} VLAN 100 IPv4 10.103.0.1 > 10.103.0.2 ICMP`,
  )
  assert.is(
    line(ethernet(0x86dd, ipv6({ protocol: 58 }))),
    `tx 192.168.56.6 54 B ${MACS} IPv6 fd10::1 > fd10::2 ICMPv6`,
  )
  assert.is(line(ethernet(ETH_P_ARP, arp(1))), `tx 192.168.56.6 42 B ${MACS} ARP who has 10.103.0.2, asks 10.103.0.1`)
  assert.is(line(ethernet(ETH_P_ARP, arp(2))), `tx 192.168.56.6 42 B ${MACS} ARP 10.103.0.1 is at 02:00:00:00:00:b2`)
  assert.is(line(plainFrame(60)), `tx 192.168.56.6 60 B ${MACS} EtherType 0x88b5`)
  assert.is(line(ethernet(38, [0x42, 0x42, 3])), `tx 192.168.56.6 17 B ${MACS} IEEE 802.3`)
  assert.is(
    line(ethernet(0x0800, ipv4({ protocol: 200 }))),
    `tx 192.168.56.6 34 B ${MACS} IPv4 10.103.0.1 > 10.103.0.2 protocol 200`,
  )
})

test('calls frames between two tsgre what they are', () => {
  const bytes = new Uint8Array(60)
  emitProbe(bytes, 0, { ...probeFrame(), kind: ASK, size: 60 })
  assert.match(line(bytes, 'rx from 192.168.56.5'), /^rx 192\.168\.56\.5 60 B .* tsgre asks or answers$/)
  emitLoopProbe(bytes, 0, loopProbe())
  assert.match(line(bytes, 'tx to all'), /^tx all 60 B .* tsgre looks for a loop$/)
})

test('says the same of packets on the underlay', () => {
  const gre = Uint8Array.from(ipv4({ protocol: 47 }))
  assert.is(line(gre, 'rx from 192.168.56.5', LINKTYPE_RAW), 'rx 192.168.56.5 20 B IPv4 10.103.0.1 > 10.103.0.2 GRE')
  const udp = Uint8Array.from(ipv6({ protocol: 17 }))
  assert.is(line(udp, 'rx', LINKTYPE_RAW), 'rx - 40 B IPv6 fd10::1 > fd10::2 UDP')
})

test('says what became of it, last', () => {
  assert.match(line(plainFrame(60), 'tx to all'), /^tx all 60 B /)
  assert.match(line(plainFrame(60), 'rx; dropped: key-mismatch'), /^rx - 60 B .*0x88b5, dropped: key-mismatch$/)
  const both = 'tx to fe80::1%eth1; dropped: no-route; superframe, segments of 1448 octets'
  assert.match(
    line(innerFrame(), both),
    /^tx fe80::1%eth1 .* TCP, dropped: no-route; superframe, segments of 1448 octets$/,
  )
})

test('goes as far as what was kept, and never throws', () => {
  for (const whole of [
    innerFrame({ tags: [DOT1Q] }),
    innerFrame({ version: 6, protocol: UDP }),
    ethernet(ETH_P_ARP, arp(1)),
  ]) {
    for (let kept = 0; kept < whole.length; kept++) {
      const cut = whole.subarray(0, kept)
      assert.match(line(cut, 'tx', LINKTYPE_ETHERNET, whole.length), new RegExp(`^tx - ${whole.length} B `))
      line(cut, '', LINKTYPE_RAW)
    }
  }
  assert.is(line(innerFrame().subarray(0, 20)), `tx 192.168.56.6 20 B ${MACS} IPv4`)
})

test('has the time of day with microseconds', () => {
  const time = new Date(2026, 10, 25, 9, 8, 7, 65).getTime()
  assert.is(timeOfDay(time + 0.5), '09:08:07.065500')
  assert.is(timeOfDay(time), '09:08:07.065000')
})

test.run()
