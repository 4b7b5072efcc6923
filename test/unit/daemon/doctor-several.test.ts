// What the doctor makes of packets where this host has several tunnels to one remote.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkAnswer } from '#tsgre/daemon/doctor/answer-checks.js'
import type { Exchange } from '#tsgre/daemon/doctor/exchange.js'
import type { Finding } from '#tsgre/daemon/doctor/finding.js'
import { checkMatch, matchKnown } from '#tsgre/daemon/doctor/match-checks.js'
import { subjectsOf } from '#tsgre/daemon/doctor/subjects.js'
import type { PeerStatus } from '#tsgre/daemon/status.js'
import { QUIET, REMOTE, subject, target } from '../../rig/doctor-subjects.js'
import { instanceStatus, peerStatus, tunnelStatus } from '../../rig/statuses.js'

function came(...keys: (number | 'none')[]): Exchange {
  return { ...QUIET, came: keys.map((key) => ({ key, checksum: 'none', answers: undefined })) }
}

function key(at: number): { keyIn: number; keyOut: number } {
  return { keyIn: at, keyOut: at }
}

function codes(findings: readonly Finding[]): string[] {
  return findings.map(({ code }) => code)
}

const BESIDE_12 = subject({ otherKeys: [{ remote: REMOTE, key: 12 }] })

test('packets of another tunnel of this host count for nothing: neither as matching, nor as an answer, nor as a wrong key', () => {
  const heard = came(12, 12, 12)
  const match = checkMatch(BESIDE_12, target(key(77)), heard)
  assert.equal(codes(match), ['nothing-received'])
  assert.match(match[0]!.text, /with key 77 while .*; what came is for other tunnels of this host$/)
  const [answer] = checkAnswer(BESIDE_12, target(key(77)), heard)
  assert.is(answer!.code, 'no-answer')
  assert.match(answer!.text, /sends GRE with other keys only, and does not answer/)
  const up = target({ ...key(77), peer: peerStatus(REMOTE, key(77)) })
  assert.equal(codes(checkAnswer(BESIDE_12, up, heard)), ['peer-down'])
})

test('a key that no tunnel here wants is told for the one that hears nothing under its own, and not for the other', () => {
  const heard = came(12, 78, 12)
  const [wrong] = checkMatch(BESIDE_12, target(key(77)), heard)
  assert.is(wrong!.code, 'wrong-key')
  assert.is(wrong!.text, `packets from ${REMOTE} come with key 78, this tunnel wants key 77`)
  const beside77 = subject({ otherKeys: [{ remote: REMOTE, key: 77 }] })
  const [right] = checkMatch(beside77, target(key(12)), heard)
  assert.is(right!.code, 'ok')
  assert.match(right!.text, /^key and checksum of 2 received packets/)
  assert.match(checkMatch(beside77, target(key(12)), came(12))[0]!.text, /^key and checksum of the packet/)
})

test('an answer to the doctor’s own question with the key of another tunnel is a wrong key', () => {
  const question = { nonce: [1, 2] as const, checksum: false, askedAt: 0, offset: 0, length: 0 }
  const answered = (answers: readonly [number, number]): Exchange => ({
    ...QUIET,
    answer: { question, milliseconds: 1 },
    came: [{ key: 12, checksum: 'none', answers }],
  })
  const wants = target({ keyIn: 77, keyOut: 78 })
  assert.equal(codes(checkMatch(BESIDE_12, wants, answered([1, 2]))), ['wrong-key'])
  assert.equal(codes(checkMatch(BESIDE_12, wants, answered([3, 4]))), ['nothing-received'])
})

test('a wrong key that another tunnel had of late is told for the one that hears nothing', () => {
  const now = Date.now()
  const subjects = (stray: Partial<PeerStatus>) =>
    subjectsOf({ remotes: [], routes: [] }, [
      instanceStatus([
        tunnelStatus([peerStatus(REMOTE, { ...key(12), lastReceived: now, ...stray })]),
        tunnelStatus([peerStatus(REMOTE, { ...key(77), liveness: 'unknown' })], { name: 'tap1' }),
      ]),
    ])
  const match = (stray: Partial<PeerStatus>, heard: Exchange) =>
    subjects(stray).map((one) => codes(checkMatch(one, one.targets[0]!, heard)))
  assert.equal(match({ lastWrongKey: 78, lastWrongKeyAt: now }, came(12)), [['ok'], ['wrong-key']])
  assert.equal(match({ lastWrongKey: 78, lastWrongKeyAt: now - 120_000 }, came(12)), [['ok'], ['nothing-received']])
  assert.equal(match({ lastWrongKey: 77, lastWrongKeyAt: now }, came(12)), [['ok'], ['nothing-received']])
  const [first] = subjects({ lastWrongKey: 78, lastWrongKeyAt: now })
  assert.equal(codes(matchKnown(first!, first!.targets[0]!)), ['ok'], 'where nothing could be heard, too')
})

test.run()
