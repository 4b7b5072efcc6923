import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { remoteNamed } from '#tsgre/daemon/which-remote.js'
import { ConfigError } from '#tsgre/errors.js'

const list = [
  { asked: { remote: 'one.example' }, address: '2001:db8::5' },
  { asked: { remote: '2001:DB8:0::6' }, address: '2001:db8::6' },
  { asked: { remote: 'fe80::1%eth1' }, address: 'fe80::1%eth1' },
  { asked: { remote: 'two.example' }, address: undefined },
]
const of = (remote: string) => remoteNamed(list, remote, 'tap0').address

test('a remote is found by the words it was asked for with, and by its address in any spelling', () => {
  for (const words of ['one.example', 'ONE.example.', '2001:db8::5', '2001:DB8:0:0::5'])
    assert.is(of(words), '2001:db8::5')
  for (const words of ['2001:DB8:0::6', '2001:db8:0:0:0:0:0:6']) assert.is(of(words), '2001:db8::6')
  assert.is(of('FE80::1%eth1'), 'fe80::1%eth1')
  assert.is(of('two.example'), undefined)
})

test('a stranger is refused, with those there are, and is not all of them', () => {
  for (const words of ['2001:db8::7', 'fe80::1', 'three.example', '']) {
    try {
      of(words)
      assert.unreachable(words)
    } catch (error) {
      assert.instance(error, ConfigError)
      assert.is((error as ConfigError).code, 'TSGRE_BAD_OPTION')
      assert.match((error as ConfigError).message, 'tap0 has no such peer; it has one.example, 2001:DB8:0::6, ')
    }
  }
})

test.run()
