import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type HealthHints, healthOf } from '#tsgre/daemon/health.js'
import { RecentPast } from '#tsgre/daemon/recent-past.js'
import type { PeerStatus, TunnelStatus } from '#tsgre/daemon/status.js'
import { drops, peerStatus, tunnelStatus } from '../../rig/statuses.js'

const NOW = 1_000_000
const REMOTE = '192.168.56.6'

function peer(some: Partial<PeerStatus> = {}): PeerStatus {
  return peerStatus(REMOTE, some)
}

function texts(tunnel: TunnelStatus, hints?: HealthHints): string[] {
  return healthOf(tunnel, NOW, hints).map(({ text }) => text)
}

function ofPeer(some: Partial<PeerStatus>, hints?: HealthHints): string[] {
  return texts(tunnelStatus([peer(some)]), hints)
}

test('has nothing to say of a tunnel that is well', () => {
  const fine = tunnelStatus([peer({ txFrames: 9, rxFrames: 9, lastReceived: NOW - 1 })])
  assert.equal(healthOf(fine, NOW), [])
  assert.equal(healthOf(fine, NOW, { earlier: fine }), [])
})

test('tells who has no GRE from who has no tunnel for us', () => {
  assert.equal(ofPeer({ lastError: 'ENOPROTOOPT', lastErrorAt: NOW - 1 }), [
    "host 192.168.56.6 answers 'protocol unreachable': no GRE there",
  ])
  assert.equal(ofPeer({ lastError: 'ECONNREFUSED', lastErrorAt: NOW - 1 }), [
    "host 192.168.56.6 answers 'port unreachable': GRE is there, but no tunnel to us",
  ])
})

test('takes port unreachable for a missing listener where GRE goes in UDP', () => {
  const tunnel = tunnelStatus([peer({ lastError: 'ECONNREFUSED', lastErrorAt: NOW })], { udpPort: 4754 })
  assert.equal(texts(tunnel), ["host 192.168.56.6 answers 'port unreachable': nobody takes UDP port 4754 there"])
})

test('says nothing of an ICMP error that is a minute old, or that was followed by a packet', () => {
  assert.is(ofPeer({ lastError: 'ENOPROTOOPT', lastErrorAt: NOW - 60_000 }).length, 1)
  assert.equal(ofPeer({ lastError: 'ENOPROTOOPT', lastErrorAt: NOW - 60_001 }), [])
  assert.equal(ofPeer({ lastError: 'ENOPROTOOPT', lastErrorAt: NOW - 9, lastReceived: NOW - 8 }), [])
  assert.is(ofPeer({ lastError: 'ENOPROTOOPT', lastErrorAt: NOW - 9, lastReceived: NOW - 10 }).length, 1)
})

test('a packet too big is no problem, and an errno without words is told as it is', () => {
  assert.equal(ofPeer({ lastError: 'EMSGSIZE', lastErrorAt: NOW }), [])
  assert.equal(ofPeer({ lastError: 'EPIPE', lastErrorAt: NOW }), [
    'host 192.168.56.6: packets to it come back with EPIPE',
  ])
})

test('names the key that comes and the one that is wanted', () => {
  const wrong = { lastWrongKey: 7, lastWrongKeyAt: NOW - 1, keyIn: 42, keyOut: 42 }
  assert.equal(ofPeer(wrong), ['packets from 192.168.56.6 arrive with key 7, this tunnel wants 42'])
  assert.equal(ofPeer({ ...wrong, lastWrongKey: 'none' }), [
    'packets from 192.168.56.6 arrive without a key, this tunnel wants 42',
  ])
  assert.equal(ofPeer({ ...wrong, keyIn: undefined }), [
    'packets from 192.168.56.6 arrive with key 7, this tunnel wants none',
  ])
})

test("keys of this host's other tunnels are no mismatch, nor is one of a minute ago", () => {
  const wrong = { lastWrongKey: 7, lastWrongKeyAt: NOW - 1, keyIn: 42 }
  assert.equal(ofPeer(wrong, { otherKeys: new Set([7]) }), [])
  assert.is(ofPeer(wrong, { otherKeys: new Set([8, 'none']) }).length, 1)
  assert.equal(ofPeer({ ...wrong, lastWrongKey: 'none' }, { otherKeys: new Set(['none']) }), [])
  assert.equal(ofPeer({ ...wrong, lastWrongKeyAt: NOW - 60_001 }), [])
})

test('a wrong key is told while packets with it come, and no more once there were only good ones for some seconds', () => {
  const wrong = (at: number, lastReceived?: number) =>
    ofPeer({ lastWrongKey: 7, lastWrongKeyAt: NOW - at, keyIn: 42, lastReceived: lastReceived && NOW - lastReceived })
  assert.equal(wrong(4000, 1000), [])
  assert.is(wrong(2000, 1000).length, 1, 'they come among good ones')
  assert.is(wrong(4000, 5000).length, 1, 'nothing came since')
  assert.is(wrong(4000).length, 1, 'nothing good ever came')
})

test('tells a narrow path in sizes of packets, with everything around the payload', () => {
  const narrow = { tunnelMtu: 1362, pathTunnelMtu: 1462 }
  assert.equal(ofPeer(narrow), ['packets of 1500 to 192.168.56.6 do not pass, 1400 do'])
  const inUdp = tunnelStatus([peerStatus('2001:db8::6', { tunnelMtu: 1330, pathTunnelMtu: 1430, keyOut: 1 })], {
    udpPort: 4754,
  })
  assert.equal(texts(inUdp), ['packets of 1500 to 2001:db8::6 do not pass, 1400 do'])
  assert.equal(ofPeer(narrow, { overhead: () => 46 }), ['packets of 1508 to 192.168.56.6 do not pass, 1408 do'])
})

test('a path is not narrow because --tunnel-mtu says so', () => {
  assert.equal(ofPeer({ tunnelMtu: 1400, pathTunnelMtu: 1462 }, { tunnelMtuCap: 1400 }), [])
})

test('checksums that go wrong now are told, those of long ago are not', () => {
  const before = tunnelStatus([peer({ drops: drops({ checksum: 100 }) })])
  const now = (checksum: number) => tunnelStatus([peer({ drops: drops({ checksum }) })])
  assert.equal(texts(now(100), { earlier: before }), [])
  assert.equal(texts(now(105), { earlier: before }), ['5 packets from 192.168.56.6 had a wrong GRE checksum of late'])
  assert.equal(texts(now(105)), [])
})

test('checksums that went wrong of late are told no more once only right ones come', () => {
  const then = (checksum: number, seconds: number) =>
    tunnelStatus([peer({ drops: drops({ checksum }), lastReceived: NOW - 1000 * seconds })])
  const hints = { earlier: then(100, 60) }
  const now = then(105, 0)
  assert.equal(texts(now, { ...hints, lately: then(105, 10) }), [])
  assert.is(texts(now, { ...hints, lately: then(104, 10) }).length, 1, 'they come among right ones')
  assert.is(texts(now, { ...hints, lately: then(105, 0) }).length, 1, 'nothing came since')
})

test('names a peer by name and address', () => {
  assert.equal(ofPeer({ asked: 'b.example', liveness: 'down', lastReceived: NOW - 30_000 }), [
    'b.example (192.168.56.6) is down: it answers no more; the last packet came 30 s ago',
  ])
})

test('a name without an address is told, and nothing else of that peer', () => {
  const nameless = peer({ asked: 'b.example', remote: '', resolved: false, liveness: 'down', tunnelMtu: 1 })
  assert.equal(
    healthOf(tunnelStatus([nameless]), NOW).map(({ code, remote }) => [code, remote]),
    [['name-not-resolved', 'b.example']],
  )
})

test('frames that go one way only are told after a while', () => {
  const before = tunnelStatus([peer({ txFrames: 3 })])
  assert.equal(ofPeer({ txFrames: 9 }), [], 'it has only begun')
  assert.equal(ofPeer({ txFrames: 9 }, { earlier: before }), [
    'nothing was ever received from 192.168.56.6, though frames are sent to it',
  ])
  assert.equal(ofPeer({ rxFrames: 9, lastReceived: NOW }, { earlier: tunnelStatus([peer({ rxFrames: 1 })]) }), [
    'frames come from 192.168.56.6, but none was ever sent to it',
  ])
  assert.equal(ofPeer({ txFrames: 9, lastReceived: NOW }, { earlier: before }), [], 'answers to probes came')
})

test('drops that go on have a remedy and the peer that has most of them', () => {
  const other = peerStatus('192.168.56.5')
  const before = tunnelStatus([other, peer()], { drops: drops({ 'no-route': 5, answered: 1 }) })
  const now = (count: number) =>
    tunnelStatus([other, peer({ drops: drops({ 'no-route': count - 5 }) })], {
      drops: drops({ 'no-route': count, answered: 5000 }),
    })
  assert.equal(texts(now(14), { earlier: before }), [])
  const [problem, ...rest] = healthOf(now(25), NOW, { earlier: before })
  assert.equal(rest, [], 'what was answered is no fault')
  assert.is(problem?.code, 'drops-no-route')
  assert.is(problem?.text, '20 dropped of late as no-route, most with 192.168.56.6')
  assert.match(
    problem!.remedy,
    /no way to the remote, or the remote \(or its gateway\) does not answer ARP: .*`ip neigh`/,
  )
  assert.match(problem?.remedy ?? '', 'ip route get')
  assert.is(problem?.remote, REMOTE)
})

test('puts the most serious first, whatever peer has it', () => {
  const all = tunnelStatus(
    [
      peerStatus('192.168.56.5', { blocked: true, loss: 0.2 }),
      peer({ liveness: 'down', lastWrongKey: 7, lastWrongKeyAt: NOW, lastError: 'ENOPROTOOPT', lastErrorAt: NOW }),
      peerStatus('192.168.56.7', { tunnelMtu: 1362 }),
      peerStatus('', { asked: 'c.example', resolved: false }),
    ],
    { state: 'up' },
  )
  assert.equal(
    healthOf(all, NOW, { tapUp: false }).map(({ code }) => code),
    ['tap-down', 'no-gre-there', 'key-mismatch', 'narrow-path', 'peer-down', 'name-not-resolved', 'loop', 'loss'],
  )
  const [first] = healthOf({ ...all, state: 'failed' }, NOW, { tapUp: false, failure: 'tap0 was deleted' })
  assert.is(first?.text, 'the tunnel on tap0 has failed: tap0 was deleted')
})

test('without a look at the TAP, drops there tell that it is down', () => {
  const now = tunnelStatus([peer()], { drops: drops({ 'tap-down': 2 }) })
  assert.equal(texts(now, { earlier: tunnelStatus([peer()]) }), ['tap0 is down: no frame gets in or out'])
  assert.equal(texts(now, { earlier: now }), [])
})

test('the recent past is between 10 and 60 seconds ago', () => {
  const past = new RecentPast()
  const at = (mtu: number) => [tunnelStatus([], { mtu })]
  assert.is(past.earlier(0, 'tap0'), undefined)
  for (let second = 0; second <= 300; second++) past.remember(second * 1000, at(second))
  assert.is(past.earlier(300_000, 'tap0')?.mtu, 240)
  assert.is(past.earlier(349_999, 'tap0')?.mtu, 290)
  assert.is(past.earlier(361_000, 'tap0'), undefined)
  assert.is(past.earlier(300_000, 'tap1'), undefined)
  assert.is(past.lately(300_000, 'tap0')?.mtu, 290)
  assert.is(past.lately(309_999, 'tap0')?.mtu, 290)
  assert.is(past.lately(361_000, 'tap0'), undefined)
})

test.run()
