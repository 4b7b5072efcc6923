// What the doctor makes of facts that no namespace of this machine can have, and its codes held against their page.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answerKnown, checkAnswer } from '#tsgre/daemon/doctor/answer-checks.js'
import { type AskedRemote, readAsked } from '#tsgre/daemon/doctor/asked.js'
import { checkTap } from '#tsgre/daemon/doctor/device-checks.js'
import type { Exchange } from '#tsgre/daemon/doctor/exchange.js'
import { CHECKS, FINDINGS, type Finding, found } from '#tsgre/daemon/doctor/finding.js'
import { checkSystem } from '#tsgre/daemon/doctor/machine-checks.js'
import { checkMatch, matchKnown } from '#tsgre/daemon/doctor/match-checks.js'
import { checkKeptNames, checkNames } from '#tsgre/daemon/doctor/name-check.js'
import { fittingTunnelMtu, judgePathMtu } from '#tsgre/daemon/doctor/path-mtu-check.js'
import { exitCodeFor } from '#tsgre/daemon/doctor/run-doctor.js'
import type { Subject, Target } from '#tsgre/daemon/doctor/subject.js'
import { subjectsOf } from '#tsgre/daemon/doctor/subjects.js'
import { checkKernelGre } from '#tsgre/daemon/doctor/way-checks.js'
import type { InstanceStatus, PeerStatus, TunnelStatus } from '#tsgre/daemon/status.js'
import { ConfigError } from '#tsgre/errors.js'
import type { Device } from '#tsgre/host/devices.js'
import { parseAddress } from '#tsgre/sys/address.js'
import type { PeerOptions } from '#tsgre/tunnel/peer-options.js'
import { QUIET, REMOTE, subject, target } from '../../rig/doctor-subjects.js'
import { sources, textOf } from '../../rig/notes.js'

function device(given: Partial<Device>): Device {
  const plain = { kind: '', up: true, carrier: true, loopback: false, mtu: 1500, stp: false }
  return { name: 'eth1', ...plain, master: undefined, portState: undefined, gre: undefined, addresses: [], ...given }
}

function codes(findings: readonly Finding[]): string[] {
  return findings.map(({ code }) => code)
}

test('docs/doctor.md has a row for every code, with its check and level, in the order of FINDINGS, and no other', () => {
  const rows = [...textOf('docs/doctor.md').matchAll(/^\| `([\w-]+)` \| ([\w-]+) \| (\w+) \| (.+) \| (.+) \|$/gm)]
  const listed = rows.map(([, code, check, level]) => [code, check, level])
  assert.equal(
    listed,
    Object.entries(FINDINGS).map(([code, [check, level]]) => [code, check ?? 'any', level]),
  )
})

test('every code is found somewhere in src, and every check has a code', () => {
  const texts = [...sources()].filter(([path]) => !path.endsWith('doctor/finding.ts')).map(([, text]) => text)
  const dead = Object.keys(FINDINGS).filter((code) => !texts.some((text) => text.includes(`'${code}'`)))
  assert.equal(dead, [])
  const checks: string[] = Object.values(FINDINGS).map(([check]) => check ?? '')
  assert.equal(
    CHECKS.filter((check) => !checks.includes(check)),
    [],
  )
})

test('a problem is exit code 1; warnings and what cannot be told are not', () => {
  assert.is(exitCodeFor([found('tap-mtu-small', ''), found('no-answer', '')]), 0)
  assert.is(exitCodeFor([found('tap-mtu-small', ''), found('tap-down', '')]), 1)
})

test('a gretap with the same remote and key is found, one with another key or remote is not', () => {
  const way = { dev: 'eth1', local: parseAddress('192.0.2.1')!, nextHop: REMOTE, mtu: 1500, deviceMtu: 1500 }
  const check = (given: Partial<NonNullable<Device['gre']>>, on: Partial<Target> = {}, more: Partial<Subject> = {}) => {
    const gre = { local: '192.0.2.1', remote: REMOTE, ikey: undefined, ...given }
    const devices = [device({ name: 'g0', kind: 'gretap', gre })]
    return codes(checkKernelGre(subject(more), target(on), way, devices))
  }
  assert.equal(check({}), ['kernel-gre-device'])
  assert.equal(check({ local: 'any', ikey: 7 }, { keyIn: 7 }), ['kernel-gre-device'])
  assert.equal(check({ ikey: 7 }), ['ok'])
  assert.equal(check({ remote: '192.0.2.9' }), ['ok'])
  assert.equal(check({}, {}, { udpPort: 4754 }), [])
  const fallback = [device({ name: 'gre0', kind: 'gre', gre: { local: 'any', remote: 'any', ikey: undefined } })]
  assert.equal(codes(checkKernelGre(subject(), target(), way, fallback)), ['kernel-gre-answers'])
})

test('ICMP is told by type and code, of either family, and by who says it', () => {
  const of = (family: 4 | 6, type: number, code: number, more: Partial<Subject> = {}) =>
    checkAnswer(subject(more), target(), {
      ...QUIET,
      icmp: [{ family, type, code, errno: 'EHOSTUNREACH', from: '192.0.2.254' }],
    })[0]!
  for (const [family, type, code, name] of [
    [4, 3, 2, 'no-gre-there'],
    [4, 3, 3, 'no-tunnel-there'],
    [4, 3, 13, 'firewall-there'],
    [4, 3, 10, 'firewall-there'],
    [4, 3, 1, 'unreachable'],
    [6, 4, 1, 'no-gre-there'],
    [6, 1, 4, 'no-tunnel-there'],
    [6, 1, 1, 'firewall-there'],
    [6, 1, 3, 'unreachable'],
    [4, 3, 4, 'no-answer'],
  ] as const)
    assert.is(of(family, type, code).code, name, `${family} ${type}/${code}`)
  assert.match(of(4, 3, 13).text, /^192\.0\.2\.254 answers/)
  assert.match(of(4, 3, 3, { udpPort: 4754 }).text, /nobody takes UDP port 4754 there/)
})

test('a kernel that will not send is a problem of its own', () => {
  assert.equal(codes(checkAnswer(subject(), target(), { ...QUIET, refused: 'EPERM' })), ['not-sent'])
})

const PLAIN = { key: 'none', checksum: 'none', answers: undefined } as const

test('a key that another tunnel of this host expects from the same remote is no mismatch', () => {
  const came = [{ ...PLAIN, key: 7 }]
  assert.equal(codes(checkMatch(subject(), target(), { ...QUIET, came })), ['wrong-key'])
  const other = (remote: string) => subject({ otherKeys: [{ remote, key: 7 }] })
  assert.equal(codes(checkMatch(other(REMOTE), target(), { ...QUIET, came })), ['nothing-received'])
  assert.equal(codes(checkMatch(other('192.0.2.9'), target(), { ...QUIET, came })), ['wrong-key'])
})

test('checksums of packets with another key are nobody’s business, wrong ones are told', () => {
  const require = target({ receiveChecksum: 'require', keyIn: 1 })
  assert.equal(codes(checkMatch(subject(), require, { ...QUIET, came: [{ ...PLAIN, key: 2 }] })), ['wrong-key'])
  const wrong = [{ ...PLAIN, checksum: 'wrong' as const }]
  assert.equal(codes(checkMatch(subject(), target(), { ...QUIET, came: wrong })), ['checksum-wrong'])
})

test('an answer to the other choice of checksum says which one is wanted there', () => {
  const question = { nonce: [1, 2] as const, checksum: true, askedAt: 0, offset: 0, length: 0 }
  const heard: Exchange = { ...QUIET, answer: { question, milliseconds: 1 }, came: [PLAIN] }
  const [finding] = checkMatch(subject(), target(), heard)
  assert.is(finding!.code, 'checksum-wanted-there')
  assert.match(finding!.text, /takes packets with a GRE checksum, and this tunnel sends them without one/)
  assert.equal(codes(checkMatch(subject(), target({ checksum: true }), heard)), ['ok'])
})

function peer(given: Partial<PeerStatus>): PeerStatus {
  return {
    remote: REMOTE,
    asked: REMOTE,
    resolved: true,
    liveness: 'unknown',
    keyIn: undefined,
    ...given,
  } as PeerStatus
}

test('of a running tsgre that has the port only what it has heard since it was asked counts', () => {
  const before = peer({ liveness: 'up', lastReceived: 1000 })
  assert.match(answerKnown(before, peer({ lastReceived: 1001 }))!.text, /the tsgre that runs here hears it/)
  assert.ok(answerKnown(peer({}), peer({ lastReceived: 1001 })))
  assert.is(answerKnown(before, before), undefined)
  assert.is(answerKnown(peer({}), peer({})), undefined)
  const late = (lastWrongKeyAt: number) => target({ peer: peer({ wrongKeys: [{ key: 9, at: lastWrongKeyAt }] }) })
  assert.equal(codes(matchKnown(subject(), late(Date.now()))), ['wrong-key'])
  assert.equal(codes(matchKnown(subject(), late(Date.now() - 3_600_000))), ['ok'])
})

test('whoever answered a running tsgre and does not answer now is down, whatever that tsgre last knew', () => {
  const of = (liveness: PeerStatus['liveness'], heard: Partial<Exchange> = {}) =>
    codes(checkAnswer(subject(), target({ peer: peer({ liveness }) }), { ...QUIET, ...heard }))
  assert.equal(of('down'), ['peer-down'])
  assert.equal(of('up'), ['peer-down'])
  assert.equal(of('up', { listens: false }), ['peer-down'])
  assert.equal(of('up', { came: [PLAIN] }), ['ok'])
  assert.equal(of('unknown'), ['no-answer'])
  assert.match(checkAnswer(subject(), target(), QUIET)[0]!.text, /a link that was just cut shows after a minute$/)
})

test('a silent box that the tunnel has found by itself is no problem', () => {
  const way = { dev: 'eth1', deviceMtu: 1500 }
  const ping = { passes: 1400, known: 1500 }
  assert.is(judgePathMtu(REMOTE, way, ping, 1362, undefined).code, 'path-mtu-silent')
  assert.is(judgePathMtu(REMOTE, way, ping, 1362, { tunnelMtu: 1462 }).code, 'path-mtu-silent')
  assert.is(judgePathMtu(REMOTE, way, ping, 1362, { tunnelMtu: 1362 }).code, 'ok')
  assert.match(judgePathMtu(REMOTE, way, ping, 1358, { tunnelMtu: 1458 }).remedy, /--tunnel-mtu 1358/)
  assert.is(judgePathMtu(REMOTE, way, { passes: 0, known: 1500 }, 1362, undefined).code, 'path-mtu-unknown')
})

test('the tunnel MTU that it names leaves room for key, checksum, sequence number, UDP and IPv6', () => {
  const fits = (given: Partial<Target>, udpPort?: number) => fittingTunnelMtu(1400, { udpPort }, target(given))
  assert.is(fits({}), 1400 - 38)
  assert.is(fits({ keyIn: 7 }), 1400 - 38)
  assert.is(fits({ keyOut: 7 }), 1400 - 42)
  assert.is(fits({ keyOut: 7, checksum: true }), 1400 - 46)
  assert.is(fits({ keyOut: 0, checksum: true, sequence: true }), 1400 - 50)
  assert.is(fits({}, 4754), 1400 - 46)
  assert.is(fits({ address: parseAddress('2001:db8::2')! }), 1400 - 58)
})

test('a TAP without carrier in the hands of tsgre is a warning, so is one in other hands', () => {
  const tap = (carrier: boolean, command: string) =>
    codes(
      checkTap({ tap: 't', runs: true }, undefined, [device({ name: 't', kind: 'tun', carrier })], {
        seen: [{ pid: 9, command }],
        hidden: false,
      }),
    )
  assert.equal(tap(true, 'node tsgre'), ['ok'])
  assert.equal(tap(false, 'node tsgre'), ['tap-no-carrier'])
  assert.equal(tap(true, 'qemu-system-x86_64'), ['tap-held-by-other'])
})

test('a TAP of which no holder is seen is held where it has carrier or a tsgre says so, and else only where all were seen', () => {
  const tap = (carrier: boolean, runs: boolean, hidden: boolean) => {
    const devices = [device({ name: 't', kind: 'tun', carrier })]
    return codes(checkTap({ tap: 't', runs }, undefined, devices, { seen: [], hidden }))
  }
  assert.equal(tap(true, false, true), ['ok'])
  assert.equal(tap(true, false, false), ['ok']) // it may have been opened in another network namespace
  assert.equal(tap(false, true, true), ['tap-no-carrier'])
  assert.equal(tap(false, false, true), ['tap-holder-unknown'])
  assert.equal(tap(false, false, false), ['tap-not-held'])
})

test('an old Node is a problem, another platform a warning', () => {
  assert.equal(codes(checkSystem('18.20.0', 'linux x64')), ['old-node'])
  assert.equal(codes(checkSystem('20.19.0', 'linux arm64')), ['untried-platform'])
  assert.equal(codes(checkSystem('20.19.0', 'linux x64')), ['ok'])
})

function tunnel(name: string, peers: PeerStatus[], given: Partial<TunnelStatus> = {}): TunnelStatus {
  return { name, local: '192.0.2.1', bridge: 'br0', udpPort: null, peers, problems: [], ...given } as TunnelStatus
}

const NOTHING = { remotes: [], routes: [] }

function asked(own: Partial<PeerOptions> = {}, at: string | undefined = REMOTE): AskedRemote {
  return { asked: { remote: REMOTE, ...own }, address: at }
}

test('without a remote every running tunnel is looked at, with its own keys; the keys of the others are known', () => {
  const instances = [
    {
      tunnels: [
        tunnel('t0', [peer({ keyIn: 1, keyOut: 2 })]),
        tunnel('t1', [peer({ keyIn: 3 })]),
        tunnel('t2', [peer({ keyIn: 4 })], { udpPort: 4754 }),
      ],
    },
  ] as unknown as InstanceStatus[]
  const [first, , third] = subjectsOf(NOTHING, instances)
  assert.is(first!.tap, 't0')
  assert.is(first!.bridge, 'br0')
  assert.is(first!.local!.text, '192.0.2.1')
  assert.is(first!.targets[0]!.keyIn, 1)
  assert.is(first!.targets[0]!.keyOut, 2)
  assert.equal(first!.otherKeys, [{ remote: REMOTE, key: 3 }])
  assert.is(third!.udpPort, 4754)
  assert.equal(third!.otherKeys, [], 'on a port of its own')
  const [one, ...more] = subjectsOf({ ...NOTHING, remotes: [asked()], tap: 't1' }, instances)
  assert.equal(more, [])
  assert.is(one!.targets[0]!.keyIn, 3)
  const typed = { ...NOTHING, remotes: [asked()], tap: 't1' }
  assert.is(subjectsOf({ ...typed, key: { in: 9 } }, instances)[0]!.targets[0]!.keyIn, 9)
})

test('what is not asked for is as the running tunnel has it, and what is asked for wins', () => {
  const has = peer({ checksum: true, receiveChecksum: 'require' })
  const instances = [{ tunnels: [tunnel('t0', [has], { dev: 'vrf-blue' })] }] as unknown as InstanceStatus[]
  for (const remotes of [[], [asked()]]) {
    const [one] = subjectsOf({ ...NOTHING, remotes }, instances)
    assert.is(one!.dev, 'vrf-blue')
    assert.is(one!.targets[0]!.checksum, true)
    assert.is(one!.targets[0]!.receiveChecksum, 'require')
  }
  const [wins] = subjectsOf({ ...NOTHING, dev: 'eth2', checksum: false, receiveChecksum: 'accept' }, instances)
  assert.is(wins!.dev, 'eth2')
  assert.is(wins!.targets[0]!.checksum, false)
  assert.is(wins!.targets[0]!.receiveChecksum, 'accept')
})

test('takes the options of a tunnel as they are typed, with the settings of each remote, and needs neither remote nor TAP', async () => {
  const typed = { remote: [`${REMOTE},key=7,csum`, '192.0.2.3'], key: '9', 'udp-port': '4755', encap: 'udp', seq: true }
  const more = { keepalive: '5', mtu: '1400', offload: 'off', 'clamp-mss': false, ttl: 'inherit', udp6zerocsumrx: true }
  const [one] = subjectsOf(await readAsked({ ...typed, ...more, route: ['10.103.200.0/24'] }), [])
  const [first, second] = one!.targets
  assert.equal([first!.keyIn, first!.keyOut, first!.checksum, first!.sequence], [7, 7, true, true])
  assert.equal([second!.keyIn, second!.checksum], [9, false])
  assert.equal([one!.udpPort, one!.routes], [4755, ['10.103.200.0/24']])
  assert.is(subjectsOf(await readAsked({}), []).length, 1)
})

test('what a tunnel refuses the doctor refuses, too', async () => {
  for (const typed of [
    { remote: [`${REMOTE},kye=7`] },
    { keepalive: '0' },
    { mtu: 'much' },
    { tap: 'a/b' },
    { 'udp-port': '1' },
  ])
    await readAsked(typed).then(
      () => assert.unreachable(JSON.stringify(typed)),
      (error) => assert.instance(error, ConfigError),
    )
})

test('a name without an address is a remote that cannot be looked at; of a running tunnel the address in use is', () => {
  const NAME = 'hostb.example'
  const nameless = asked({ remote: NAME }, '0.0.0.0')
  const [one] = subjectsOf({ ...NOTHING, remotes: [{ ...nameless, address: undefined }, nameless, asked()] }, [])
  assert.equal(codes(checkNames(one!)), ['no-address', 'no-address'])
  assert.match(checkNames(one!)[1]!.text, /^hostb\.example has an address that cannot be taken: 0\.0\.0\.0: /)
  assert.is(one!.targets.length, 1)
  const peers = [peer({ asked: NAME }), peer({ asked: 'other.example', resolved: false, remote: '' })]
  const instances = [{ tunnels: [tunnel('t0', peers)] }] as unknown as InstanceStatus[]
  const [typed] = subjectsOf({ ...NOTHING, remotes: [asked({ remote: 'HostB.example' }, '192.0.2.77')] }, instances)
  assert.is(typed!.targets[0]!.address.text, REMOTE)
  const [running] = subjectsOf(NOTHING, instances)
  assert.equal(
    running!.targets.map(({ address }) => address.text),
    [REMOTE],
  )
  assert.equal(
    checkNames(running!).map(({ text }) => text),
    ['other.example has no address now'],
  )
})

test('a name that has lost its address is told of a tunnel that goes on with it', async () => {
  const peers = [
    peer({ asked: 'lost.example' }),
    peer({ asked: 'there.example', remote: '192.0.2.3' }),
    peer({ asked: '192.0.2.4', remote: '192.0.2.4' }),
  ]
  const instances = [{ tunnels: [tunnel('t0', peers)] }] as unknown as InstanceStatus[]
  const asking: string[] = []
  const lookUp = async (name: string, family: 4 | 6) => {
    asking.push(`${name} ${family}`)
    if (name === 'lost.example') throw Object.assign(new Error(), { code: 'ENOTFOUND' })
  }
  const [one] = subjectsOf(NOTHING, instances)
  const [lost, ...more] = await checkKeptNames(one!, lookUp)
  assert.equal(asking, ['lost.example 4', 'there.example 4'])
  assert.is(lost!.code, 'name-gone')
  assert.match(lost!.text, /^lost\.example has no address now \(ENOTFOUND\): the tunnel goes on with 192\.0\.2\.2, /)
  assert.equal(more, [])
  const [typed] = subjectsOf({ ...NOTHING, remotes: [asked({ remote: 'lost.example' })] }, [])
  assert.equal(await checkKeptNames(typed!, lookUp), [], 'it was looked up just now')
})

test('without a remote and without a tsgre it is this host alone', () => {
  assert.equal(
    subjectsOf(NOTHING, []).map(({ targets, tap }) => [targets.length, tap]),
    [[0, undefined]],
  )
})

test.run()
