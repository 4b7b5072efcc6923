import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lastAddress, readCidr } from '#tsgre/host/cidr.js'
import { overlap, parseCidr } from '#tsgre/host/routes.js'
import { errorOf } from './script.js'

test('reads networks of both families into their canonical text', () => {
  for (const [text, network, family] of [
    ['10.103.200.0/24', '10.103.200.0/24', 4],
    ['0.0.0.0/0', '0.0.0.0/0', 4],
    ['192.0.2.7/32', '192.0.2.7/32', 4],
    ['255.255.255.255/32', '255.255.255.255/32', 4],
    ['2001:DB8:0:0::/64', '2001:db8::/64', 6],
    ['2001:0db8:0000:0000:0000:0000:0000:0001/128', '2001:db8::1/128', 6],
    ['::/0', '::/0', 6],
    ['::1/128', '::1/128', 6],
    ['fe80::/10', 'fe80::/10', 6],
    ['::ffff:192.0.2.1/128', '::ffff:192.0.2.1/128', 6],
    ['2001:db8:1:2:3:4:5:6/128', '2001:db8:1:2:3:4:5:6/128', 6],
  ] as const) {
    const cidr = parseCidr(text)
    assert.is(cidr.network, network)
    assert.is(cidr.family, family)
    assert.is(`${cidr.address}/${cidr.prefixLength}`, network)
  }
})

test('refuses host bits and says what the network would be', async () => {
  for (const [text, network] of [
    ['10.103.200.1/24', '10.103.200.0/24'],
    ['10.103.200.129/25', '10.103.200.128/25'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['2001:db8::1/64', '2001:db8::/64'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
  ]) {
    const error = await errorOf(() => parseCidr(text!))
    assert.is(error.name, 'ConfigError')
    assert.is(error.code, 'TSGRE_BAD_ROUTE')
    assert.is(error.option, 'route')
    assert.is(error.value, text)
    assert.is(error.message, `--route ${text}: ${text} has host bits set; did you mean ${network}?`)
  }
})

test('refuses what is no network and says why', async () => {
  for (const [text, why] of [
    ['10.103.200.1', /prefix length is missing; did you mean 10\.103\.200\.1\/32\?/],
    ['2001:db8::1', /prefix length is missing; did you mean 2001:db8::1\/128\?/],
    ['10.103.200.0/33', /from 0 to 32/],
    ['10.103.200.0/024', /no zero in front/],
    ['2001:db8::/129', /from 0 to 128/],
    ['10.103.200.0/', /not a network/],
    ['10.103.200.0/-1', /not a network/],
    ['10.103.200.0/24 ', /not a network/],
    ['10.103.200/24', /not a network/],
    ['010.103.200.0/24', /not a network/],
    ['10.103.200.0/255.255.255.0', /not a network/],
    ['fe80::%eth1/64', /not a network/],
    ['default', /not a network/],
    ['', /not a network/],
  ] as const) {
    const error = await errorOf(() => parseCidr(text))
    assert.is(error.code, 'TSGRE_BAD_ROUTE', text)
    assert.match(error.message, why)
  }
})

test('contains the addresses inside, of its own family, zones left aside', () => {
  const four = parseCidr('10.103.200.0/23')
  assert.ok(four.contains('10.103.200.0'))
  assert.ok(four.contains('10.103.201.255'))
  assert.not(four.contains('10.103.202.0'))
  assert.not(four.contains('10.103.199.255'))
  assert.not(four.contains('::ffff:10.103.200.1'))
  assert.not(four.contains('a name'))
  assert.ok(parseCidr('fe80::/64').contains('fe80::5%eth1'))
  assert.not(parseCidr('fe80::/64').contains('fe80:0:0:1::5'))
  assert.ok(parseCidr('0.0.0.0/0').contains('192.0.2.1'))
})

test('two networks overlap exactly when one holds the other', () => {
  for (const [a, b, expected] of [
    ['10.103.0.0/16', '10.103.200.0/24', true],
    ['10.103.200.0/24', '10.103.200.0/24', true],
    ['10.103.200.0/24', '10.103.201.0/24', false],
    ['0.0.0.0/0', '10.103.201.0/24', true],
    ['0.0.0.0/0', '2001:db8::/32', false],
    ['2001:db8::/32', '2001:db8:1::/48', true],
    ['2001:db8::/33', '2001:db8:8000::/33', false],
  ] as const) {
    assert.is(overlap(parseCidr(a), parseCidr(b)), expected, `${a} ${b}`)
    assert.is(overlap(parseCidr(b), parseCidr(a)), expected, `${b} ${a}`)
  }
})

test('knows the last address of a network', () => {
  assert.is(lastAddress(readCidr('10.103.200.9/23')!), '10.103.201.255')
  assert.is(lastAddress(readCidr('2001:db8::/126')!), '2001:db8::3')
})

test.run()
