// What the doctor says of the other host where this host itself is why nothing is heard.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkAnswer } from '#tsgre/daemon/doctor/answer-checks.js'
import type { Exchange } from '#tsgre/daemon/doctor/exchange.js'
import { found } from '#tsgre/daemon/doctor/finding.js'
import { subjectsOf } from '#tsgre/daemon/doctor/subjects.js'
import { checkTunnel } from '#tsgre/daemon/doctor/tunnel-check.js'
import { QUIET, REMOTE, subject, target } from '../../rig/doctor-subjects.js'
import { instanceStatus, peerStatus, tunnelStatus } from '../../rig/statuses.js'

const SELF = '192.0.2.1'
const here = (shut: boolean) => ({ addresses: new Set([SELF]), shut })

test('what ICMP says in the name of this host is its own firewall, but for a silent neighbour', () => {
  const of = (type: number, code: number, from: string) => {
    const icmp = [{ family: 4 as const, type, code, errno: 'ECONNREFUSED', from }]
    return checkAnswer(subject(), target(), { ...QUIET, icmp }, here(false))[0]!
  }
  for (const code of [2, 3, 9, 10, 13]) assert.is(of(3, code, SELF).code, 'not-sent', `3/${code}`)
  assert.match(of(3, 3, SELF).text, /^this host's own firewall refuses .* ICMP comes from 192\.0\.2\.1/)
  assert.is(of(3, 3, SELF).remedy, 'see the firewall above, output')
  assert.is(of(3, 1, SELF).code, 'unreachable')
  assert.is(of(3, 3, REMOTE).code, 'no-tunnel-there')
})

test('where this host drops what comes in, that no answer comes says nothing of the other', () => {
  const up = target({ peer: peerStatus(REMOTE) })
  const of = (shut: boolean, heard: Partial<Exchange> = {}) =>
    checkAnswer(subject(), up, { ...QUIET, ...heard }, here(shut))[0]!
  assert.is(of(false).code, 'peer-down')
  assert.is(of(true).code, 'no-answer')
  assert.is(of(true).remedy, 'see the firewall above, input')
  const question = { nonce: [1, 2] as const, checksum: false, askedAt: 0, offset: 0, length: 0 }
  assert.is(of(true, { answer: { question, milliseconds: 1 } }).code, 'ok')
})

test('nor is the tunnel’s word that the remote is down told then', () => {
  const problems = [{ code: 'peer-down', text: 'it is down', remedy: 'see whether tsgre runs there', remote: REMOTE }]
  const instances = [instanceStatus([tunnelStatus([peerStatus(REMOTE)], { problems })])]
  const [one] = subjectsOf({ remotes: [], routes: [] }, instances)
  const shut = [found('firewall-input', ''), found('no-answer', '')].map((finding) => ({ ...finding, remote: REMOTE }))
  assert.equal(
    checkTunnel(one!, shut).map(({ code }) => code),
    ['ok'],
  )
})

test.run()
