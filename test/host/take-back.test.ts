import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Undo } from '#tsgre/host/change.js'
import { takeBack } from '#tsgre/host/take-back.js'
import { errorOf, script } from './script.js'

for (const undo of [
  { kind: 'setting', path: '/etc/passwd', from: 'x', to: 'y' },
  { kind: 'setting', path: '/proc/sys/net/ipv4/conf/../../../kernel/send_redirects', from: '1', to: '0' },
  { kind: 'setting', path: '/proc/sys/net/ipv4/conf/all/forwarding', from: '1', to: '0' },
  { kind: 'rule', command: 'sh', rule: ['DOCKER-USER'] },
  { kind: 'rule', command: '/tmp/iptables', rule: ['DOCKER-USER'] },
  { kind: 'rule', command: 'iptables', rule: ['INPUT', '-j', 'DROP'] },
  { kind: 'rule', command: 'iptables', rule: ['DOCKER-USER', '--modprobe=/tmp/program', '-j', 'ACCEPT'] },
  { kind: 'rule', command: 'iptables', rule: ['DOCKER-USER', '-t', 'nat', '-j', 'ACCEPT'] },
  { kind: 'link', name: 'tap0', set: ['xdp', 'object', '/tmp/program.o'] },
  { kind: 'link', name: 'tap0', set: ['mtu', '1500', 'netns', 'other'] },
  { kind: 'link', name: 'tap0', set: ['master', 'docker0', 'xdp', 'off'] },
] satisfies Undo[]) {
  test(`a journal cannot have this done: ${JSON.stringify(undo)}`, async () => {
    const { run, asked } = script({})
    const error = await errorOf(() => takeBack(undo, [], run))
    assert.match(error.message, /is no (setting|rule) tsgre/)
    assert.equal(asked, [])
  })
}

test('what another version wrote down is not taken for done', async () => {
  const later = { kind: 'something-new', name: 'tap0' } as unknown as Undo
  assert.match((await errorOf(() => takeBack(later, [], script({}).run))).message, /cannot take back .*something-new/)
})

test.run()
