import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type HealthHints, healthOf } from '#tsgre/daemon/health.js'
import { isForOther } from '#tsgre/daemon/other-keys.js'
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
  const wanted = (...keys: unknown[]) => ({ isForOther: (_: unknown, key: unknown) => keys.includes(key) })
  assert.equal(ofPeer(wrong, wanted(7)), [])
  assert.is(ofPeer(wrong, wanted(8, 'none')).length, 1)
  assert.equal(ofPeer({ ...wrong, lastWrongKey: 'none' }, wanted('none')), [])
  const several = { ...wrong, wrongKeys: [7, 8].map((key) => ({ key, at: NOW - 1 })) }
  assert.equal(ofPeer(several, wanted(7)), ['packets from 192.168.56.6 arrive with key 8, this tunnel wants 42'])
  assert.equal(ofPeer({ ...wrong, lastWrongKeyAt: NOW - 60_001 }), [])
})

test('a wrong key is told while packets with it come and no right ones, and no more once there were right ones', () => {
  const wrong = (at: number, lastReceived?: number, liveness: PeerStatus['liveness'] = 'unknown') =>
    ofPeer({
      lastWrongKey: 7,
      lastWrongKeyAt: NOW - at,
      keyIn: 42,
      liveness,
      lastReceived: lastReceived && NOW - lastReceived,
    })
  assert.equal(wrong(4000, 1000), [])
  assert.equal(wrong(50_000, 40_000), [])
  assert.equal(wrong(0, 30_000), [], 'they come beside right ones: another tunnel of that host')
  assert.equal(wrong(0, 40_000, 'up'), [], 'it answers')
  assert.is(wrong(0, 40_000).length, 1, 'nothing right comes any more')
  assert.is(wrong(4000).length, 1, 'nothing good ever came')
})

test('where one of two tunnels to a remote hears nothing right, the wrong key is told of that one, even after silence', () => {
  const to = (name: string, some: Partial<PeerStatus>) =>
    tunnelStatus([peer({ lastWrongKey: 78, lastWrongKeyAt: NOW, liveness: 'unknown', ...some })], { name })
  const well = to('tap0', { keyIn: 12, lastReceived: NOW - 50_000 })
  const ill = to('tap1', { keyIn: 77 })
  const told = (tunnel: TunnelStatus) => texts(tunnel, { isForOther: isForOther(tunnel, [well, ill]) })
  assert.equal(told(well), [])
  assert.equal(told(ill), ['packets from 192.168.56.6 arrive with key 78, this tunnel wants 77'])
})

test('a peer without the checksum that is required, or with the one that is forbidden, is told at once and in its own words', () => {
  const unruled = (receiveChecksum: PeerStatus['receiveChecksum'], at: number, lastReceived?: number) => {
    const earlier = tunnelStatus([peer()])
    return ofPeer(
      { receiveChecksum, lastUnruledAt: NOW - at, lastReceived, txFrames: 9, drops: drops({ checksum: 90 }) },
      { earlier: { ...earlier, peers: [peer({ txFrames: 1 })] } },
    )
  }
  const missing = 'packets from 192.168.56.6 have no GRE checksum, and --checksum require drops them'
  assert.equal(unruled('require', 1), [missing], 'neither damage nor silence')
  assert.equal(unruled('forbid', 1), [
    'packets from 192.168.56.6 have a GRE checksum, and --checksum forbid drops them',
  ])
  assert.equal(unruled('require', 2000, NOW), [missing])
  assert.is(ofPeer({ receiveChecksum: 'require', lastUnruledAt: NOW - 4000, lastReceived: NOW }).length, 0, 'over')
})

test("an ICMP error of this host's own is its firewall, until frames leave again, whatever comes", () => {
  const refused = { lastError: 'ECONNREFUSED', lastErrorAt: NOW - 20_000, lastErrorHere: true, lastReceived: NOW }
  const told = ["this host's own firewall refuses packets to 192.168.56.6"]
  assert.equal(ofPeer(refused), told)
  const lately = tunnelStatus([peer({ txFrames: 5 })])
  assert.equal(ofPeer({ ...refused, txFrames: 5, liveness: 'unknown' }, { lately }), told)
  assert.equal(ofPeer({ ...refused, txFrames: 6, drops: drops({ firewall: 1 }) }, { lately }), told)
  assert.equal(ofPeer({ ...refused, txFrames: 6 }, { lately }), [])
  assert.equal(ofPeer({ ...refused, txFrames: 5, liveness: 'up' }, { lately }), [], 'it answers')
  assert.equal(ofPeer({ ...refused, liveness: 'down' }), told, 'no other reason is looked for')
  assert.equal(ofPeer({ lastError: 'EHOSTUNREACH', lastErrorAt: NOW, lastErrorHere: true }), [
    "host 192.168.56.6 cannot be reached: 'host unreachable'",
  ])
})

test('a peer that is down, but whose packets come, does not hear this host', () => {
  const unheard = 'packets come from 192.168.56.6, but it does not answer ours: they do not arrive there'
  const down = (at: number): Partial<PeerStatus> => ({ liveness: 'down', lastReceived: NOW - at })
  assert.equal(ofPeer(down(1000)), [unheard])
  assert.equal(ofPeer(down(5000), { lately: tunnelStatus([peer(down(15_000))]) }), [unheard])
  const gone = ['192.168.56.6 is down: it answers no more; the last packet came 5 s ago']
  assert.equal(ofPeer(down(5000)), gone)
  assert.equal(ofPeer(down(5000), { lately: tunnelStatus([peer({ ...down(15_000), liveness: 'up' })]) }), gone)
})

test('where a wrong key is told, it is not said that nothing came', () => {
  const earlier = tunnelStatus([peer({ txFrames: 3 })])
  assert.equal(ofPeer({ txFrames: 9, lastWrongKey: 7, lastWrongKeyAt: NOW, keyIn: 42 }, { earlier }), [
    'packets from 192.168.56.6 arrive with key 7, this tunnel wants 42',
  ])
})

test('a remote that was taken away and added again is not compared with what it was', () => {
  const before = (some: Partial<PeerStatus>) => ({ earlier: tunnelStatus([peer({ since: 1, ...some })]) })
  assert.equal(ofPeer({ since: 2, rxFrames: 9, lastReceived: NOW }, before({ rxFrames: 1, txFrames: 1 })), [])
  assert.equal(ofPeer({ since: 2, txFrames: 9 }, before({ rxFrames: 1, txFrames: 1 })), [])
})

test('of ways that a loop may share each says so', () => {
  const shut = (remote: string) => peerStatus(remote, { blocked: true })
  assert.match(texts(tunnelStatus([shut('192.0.2.1')]))[0]!, /^a loop runs through 192\.0\.2\.1: a second path/)
  assert.match(
    texts(tunnelStatus([shut('192.0.2.1'), shut('192.0.2.2')]))[1]!,
    /^a loop runs through 192\.0\.2\.2 \(it may be the same one as through 192\.0\.2\.1\): a second path/,
  )
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
