// What is made of one value of each kind of option, and how those that are wrong are refused.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { optionNamed } from '#tsgre/daemon/options/option-table.js'
import { readValue } from '#tsgre/daemon/options/read-value.js'
import { ConfigError } from '#tsgre/errors.js'

function refusal(name: string, value: unknown): string {
  try {
    return `nothing: ${JSON.stringify(readValue(optionNamed(name), value))}`
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    assert.is(error.option, name)
    return `${error.code} ${error.message}`
  }
}

for (const [name, value, expected] of [
  ['tap', 'tap3456789abcde', 'tap3456789abcde'],
  ['ttl', '0xff', 255],
  ['ttl', 1, 1],
  ['ttl', 'inherit', 'inherit'],
  ['mtu', 'auto', 'auto'],
  ['mtu', '65521', 65521],
  ['busy-poll', 0, 0],
  ['csum', false, false],
  ['encap', 'udp', 'udp'],
  ['key', '0.0.1.0', 256],
  ['key', 4294967295, 4294967295],
  ['mac', '02:00:00:00:00:aB', '02:00:00:00:00:aB'],
  ['keepalive', 5, { interval: 5, count: 3 }],
  ['keepalive', '3600,100', { interval: 3600, count: 100 }],
  ['reorder', '0', { packets: 0, ms: 10 }],
  ['reorder', '256,0', { packets: 256, ms: 0 }],
  ['metrics', 9747, { address: '127.0.0.1', port: 9747 }],
  ['metrics', '[::1]:9747', { address: '::1', port: 9747 }],
  ['route', ['10.0.0.0/8', 'fd00::/8'], ['10.0.0.0/8', 'fd00::/8']],
  ['remote', ['b,key=7'], [{ remote: 'b', key: 7 }]],
] as const) {
  test(`reads --${name} ${JSON.stringify(value)}`, () => assert.equal(readValue(optionNamed(name), value), expected))
}

for (const [name, value, expected] of [
  ['ttl', '0', /^TSGRE_BAD_OPTION --ttl 0: .*1 to 255 or "inherit"/],
  ['ttl', 'auto', /^TSGRE_BAD_OPTION --ttl auto: takes 1 to 255 or "inherit"/],
  ['tos', '1e2', /^TSGRE_BAD_OPTION --tos 1e2: takes 0 to 255 or "inherit"/],
  ['tunnel-mtu', '67', /^TSGRE_BAD_MTU --tunnel-mtu 67: .*68 to 65521 bytes/],
  ['tunnel-mtu', '', /^TSGRE_BAD_MTU --tunnel-mtu "": takes 68 to 65521 bytes/],
  [
    'flood-limit',
    '-5',
    /^TSGRE_BAD_OPTION --flood-limit -5: takes 0 to 10000000 frames a second, or 0 for any number$/,
  ],
  ['key', '', /^TSGRE_BAD_KEY --key "": a key is a number from 0/],
  ['io', '', /^TSGRE_BAD_OPTION --io "": takes mmsg or raw-socket/],
  ['remote', [''], /^TSGRE_REMOTE_MISSING --remote "": give the underlay address/],
  ['route', [''], /^TSGRE_BAD_ROUTE --route "": /],
  ['metrics', '', /^TSGRE_BAD_OPTION --metrics "": takes an address/],
  ['busy-poll', '-1', /^TSGRE_BAD_OPTION /],
  ['encap', 'gre', /^TSGRE_BAD_OPTION .*none or udp/],
  ['key', '1.2.3', /^TSGRE_BAD_KEY /],
  ['mac', '01:00:5e:00:00:01', /^TSGRE_BAD_OPTION .*no multicast address/],
  ['mac', '00:00:00:00:00:00', /^TSGRE_BAD_OPTION /],
  ['keepalive', '0', /^TSGRE_BAD_OPTION --keepalive 0: takes SECONDS\[,COUNT\], SECONDS from 1 to 3600/],
  ['keepalive', '5,', /^TSGRE_BAD_OPTION /],
  ['keepalive', '5,3,1', /^TSGRE_BAD_OPTION /],
  ['reorder', '257', /^TSGRE_BAD_OPTION .*N from 0 to 256, MS from 0 to 1000/],
  ['reorder', '1.5', /^TSGRE_BAD_OPTION /],
  ['metrics', '65536', /^TSGRE_BAD_OPTION /],
  ['metrics', 'b.example:9747', /^TSGRE_BAD_OPTION /],
  ['route', ['10.0.0.0/8', '10.0.0.1/8'], /^TSGRE_BAD_ROUTE .*10\.0\.0\.0\/8\?/],
  ['tap', 'a/b', /^TSGRE_BAD_TAP /],
] as const) {
  test(`refuses --${name} ${JSON.stringify(value)}`, () => assert.match(refusal(name, value), expected))
}

test.run()
