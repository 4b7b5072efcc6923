// What the doctor makes of a tunnel that runs here: its problems, and in what it is another one than was asked for.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Asked } from '#tsgre/daemon/doctor/asked.js'
import { type Finding, fine, found } from '#tsgre/daemon/doctor/finding.js'
import { subjectsOf } from '#tsgre/daemon/doctor/subjects.js'
import { checkTunnel } from '#tsgre/daemon/doctor/tunnel-check.js'
import type { PeerStatus, Problem } from '#tsgre/daemon/status.js'
import { sources } from '../../rig/notes.js'
import { instanceStatus, peerStatus, tunnelStatus } from '../../rig/statuses.js'

const REMOTE = '192.0.2.2'
const OTHER = '192.0.2.3'

function problem(code: string, remote = REMOTE): Problem {
  return { code, text: `text of ${code}`, remedy: `remedy of ${code}`, remote }
}

function ofTunnel(code: string): Problem {
  return { ...problem(code), remote: undefined }
}

/** The doctor's subject where one tunnel runs, with peers of these settings. */
function subjectOf(peers: readonly PeerStatus[], problems: readonly Problem[], asked: Partial<Asked> = {}) {
  const instances = [instanceStatus([tunnelStatus(peers, { problems })])]
  return subjectsOf({ remotes: [], routes: [], ...asked }, instances)[0]!
}

function told(problems: readonly Problem[], others: readonly Finding[] = [], asked: Partial<Asked> = {}): Finding[] {
  return checkTunnel(subjectOf([peerStatus(REMOTE), peerStatus(OTHER)], problems, asked), others)
}

function codes(findings: readonly Finding[]): string[] {
  return findings.map(({ code }) => code)
}

const at = (finding: Finding): Finding => ({ ...finding, remote: REMOTE })

test('what only the tunnel knows is told with its words, its remedy and its remote', () => {
  const loop = problem('loop')
  assert.equal(told([loop]), [{ ...loop, check: 'tunnel', level: 'problem' }])
  assert.equal(codes(told([problem('nothing-sent'), problem('drops-flood-limit'), ofTunnel('tunnel-failed')])), [
    'nothing-sent',
    'dropped',
    'tunnel-failed',
  ])
  assert.equal(codes(told([problem('loss'), problem('checksum')])), ['ok', 'loss', 'checksum-wrong'])
})

test('without a tunnel nothing is told, and of one that is well that it is', () => {
  assert.equal(checkTunnel(subjectsOf({ remotes: [], routes: [] }, [])[0]!, []), [])
  assert.equal(codes(told([])), ['ok'])
})

test('what another check has come to a result about is not told twice', () => {
  const down = [problem('peer-down')]
  assert.equal(codes(told(down, [at(found('peer-down', ''))])), ['ok'])
  assert.equal(codes(told(down, [at(fine('answer', 'it answers'))])), ['ok'], 'it is over')
  assert.equal(codes(told(down, [at(found('no-answer', ''))])), ['tunnel-problem'])
  assert.equal(codes(told(down, [{ ...found('peer-down', ''), remote: OTHER }])), ['tunnel-problem'])
  assert.equal(codes(told([problem('checksum')], [at(found('checksum-wrong', ''))])), ['ok'])
  assert.equal(codes(told([ofTunnel('tap-down')], [found('tap-down', '')])), ['ok'])
})

test('what ICMP has told the tunnel is told as of the past where nothing at all comes to the doctor', () => {
  const old = [problem('no-gre-there')]
  const quiet = [at(found('no-answer', '')), at(found('nothing-received', ''))]
  assert.match(told(old, quiet)[0]!.text, /of late, and says no more: text of no-gre-there$/)
  const unasked = told(old, [at(found('no-answer', ''))])[0]!
  assert.is(unasked.text, 'text of no-gre-there', 'whether it is over is not known')
  assert.is(told([problem('peer-down')], quiet)[0]!.text, 'text of peer-down')
})

test('of a remote that was not asked for nothing is told, but of what the whole tunnel drops', () => {
  const problems = [problem('loop', OTHER), problem('drops-too-big', OTHER), ofTunnel('tunnel-failed')]
  const asked = { remotes: [{ asked: { remote: REMOTE }, address: REMOTE }] }
  assert.equal(codes(told(problems, [], asked)), ['dropped', 'tunnel-failed'])
})

test('each problem of a status has a finding of its own, or a check that finds it', () => {
  const texts = [...sources()]
  const textOf = (file: string) => texts.find(([path]) => path.endsWith(file))![1]
  const told = ['health', 'icmp-words', 'checksum-problems'].map((name) => textOf(`daemon/${name}.ts`)).join('')
  const names = [...told.matchAll(/(?:problem\(\s*|code: )'([a-z-]+)'/g)].map(([, code]) => code!)
  assert.ok(names.includes('loop') && names.includes('no-gre-there') && names.includes('checksum'), names.join(' '))
  const known = textOf('doctor/tunnel-check.ts')
  assert.equal(
    names.filter((code) => !new RegExp(`^  '?${code}'?: '`, 'm').test(known)),
    [],
  )
})

test('a tunnel with another key, checksum or framing than was given is told, and what it knows is no answer', () => {
  const runs = [peerStatus(REMOTE, { keyIn: 8, keyOut: 8 })]
  const asked = (own: Partial<Asked>) =>
    subjectOf(runs, [], { remotes: [{ asked: { remote: REMOTE }, address: REMOTE }], ...own })
  const same = asked({ key: 8 })
  assert.ok(same.targets[0]!.peer)
  assert.equal(codes(checkTunnel(same, [])), ['ok'])
  const other = asked({ key: 7, checksum: true, udpPort: 4754 })
  assert.is(other.targets[0]!.peer, undefined)
  assert.is(other.targets[0]!.keyOut, 7)
  const [finding] = checkTunnel(other, [])
  assert.is(finding!.code, 'tunnel-differs')
  assert.is(finding!.remote, REMOTE)
  assert.is(
    finding!.text,
    `the tsgre that runs here on tap0 has no --encap udp, key 8, no --csum for ${REMOTE}; the doctor asks with UDP port 4754, key 7, --csum, as it was told`,
  )
  const oneWay = checkTunnel(asked({ key: { in: 8, out: 9 } }), [])[0]!
  assert.match(oneWay.text, /has key 8 for 192\.0\.2\.2; the doctor asks with key 8 in and key 9 out/)
})

test('of two tunnels to a remote the one with the key that was given is looked at', () => {
  const tunnels = [1, 2].map((key) =>
    tunnelStatus([peerStatus(REMOTE, { keyIn: key, keyOut: key })], { name: `t${key}` }),
  )
  const asked = { remotes: [{ asked: { remote: REMOTE, key: 2 }, address: REMOTE }], routes: [] }
  const [subject] = subjectsOf(asked, [instanceStatus(tunnels)])
  assert.is(subject!.tap, 't2')
  assert.equal(subject!.targets[0]!.differs, [])
})

test('of a remote that the tunnel on the TAP does not have that is told, and the rest is as that tunnel has it', () => {
  const tunnel = tunnelStatus([peerStatus(REMOTE)], { bridge: 'br0', dev: 'eth1', udpPort: 4754 })
  const asked = { remotes: [{ asked: { remote: OTHER }, address: OTHER }], routes: [] }
  const [on] = subjectsOf({ ...asked, tap: 'tap0' }, [instanceStatus([tunnel])])
  assert.equal([on!.bridge, on!.dev, on!.udpPort], ['br0', 'eth1', 4754])
  assert.is(on!.local!.text, tunnel.local)
  const six = { remotes: [{ asked: { remote: '2001:db8::2' }, address: '2001:db8::2' }], routes: [], tap: 'tap0' }
  assert.is(subjectsOf(six, [instanceStatus([tunnel])])[0]!.local, undefined, 'of the other family')
  const [finding] = checkTunnel(on!, [])
  assert.is(finding!.code, 'not-a-remote')
  assert.is(finding!.remote, OTHER)
  assert.match(finding!.text, /on tap0 does not have 192\.0\.2\.3 as a remote/)
  for (const tap of [undefined, 'tap1']) {
    const [off] = subjectsOf({ ...asked, tap }, [instanceStatus([tunnel])])
    assert.equal([off!.bridge, checkTunnel(off!, [])], [undefined, []], 'another tunnel, or none')
  }
})

test('--encap none is as good as a word for another framing as --encap udp', () => {
  const instances = [instanceStatus([tunnelStatus([peerStatus(REMOTE)], { udpPort: 4754 })])]
  const [subject] = subjectsOf({ remotes: [], routes: [], udpPort: 'none' }, instances)
  assert.is(subject!.udpPort, undefined)
  assert.equal(codes(checkTunnel(subject!, [])), ['tunnel-differs'])
})

test.run()
