// A remote as it is typed, and as a file has it.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parsePeerSpec, peerOf, readRemotes } from '#tsgre/daemon/peer-spec.js'
import { ConfigError } from '#tsgre/errors.js'

function refusal(read: () => unknown): string {
  try {
    return `nothing: ${JSON.stringify(read())}`
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    assert.is(error.option, 'remote')
    return `${error.code} ${error.value} | ${error.message}`
  }
}

for (const [spec, expected] of [
  ['192.168.56.6', { remote: '192.168.56.6' }],
  ['b.example.', { remote: 'b.example.' }],
  ['a_b-1.example', { remote: 'a_b-1.example' }],
  ['1a', { remote: '1a' }],
  ['fe80::1%eth1,csum', { remote: 'fe80::1%eth1', checksum: true }],
  ['b,key=7', { remote: 'b', key: 7 }],
  ['b,key=10.20.30.40,seq=off', { remote: 'b', key: 0x0a141e28, sequence: false }],
  ['b,okey=0', { remote: 'b', key: { in: undefined, out: 0 } }],
  ['b,ikey=0x10,okey=4294967295', { remote: 'b', key: { in: 16, out: 4294967295 } }],
  ['b,csum=on,seq,checksum=forbid', { remote: 'b', checksum: true, sequence: true, receiveChecksum: 'forbid' }],
] as const) {
  test(`takes ${spec}`, () => assert.equal(parsePeerSpec(spec), expected))
}

for (const [spec, expected] of [
  ['', /^TSGRE_REMOTE_MISSING {2}\| .*--remote 192\.168\.56\.5/],
  [',key=7', /^TSGRE_REMOTE_MISSING /],
  ['b,', /^TSGRE_BAD_OPTION b, \| --remote b,: "" is no setting of a remote/],
  ['b,ttl=3', /^TSGRE_BAD_OPTION b,ttl=3 \| .*"ttl=3" is no setting.*key=….*csum, seq/],
  ['b, csum', /^TSGRE_BAD_OPTION .*" csum" is no setting/],
  ['b,key', /^TSGRE_BAD_OPTION .*key needs a value, as in key=7/],
  ['b,key=', /^TSGRE_BAD_OPTION .*key needs a value/],
  ['b,key=red', /^TSGRE_BAD_KEY b,key=red \| --remote b,key=red: key=red: a key is a number/],
  ['b,ikey=4294967296', /^TSGRE_BAD_KEY .*ikey=4294967296: a key is/],
  ['b,key=1,key=1', /^TSGRE_CONFLICT .*key is given twice/],
  ['b,csum,csum=off', /^TSGRE_CONFLICT .*csum is given twice/],
  ['b,key=1,ikey=2', /^TSGRE_CONFLICT .*key=1 sets both directions/],
  ['b,csum=yes', /^TSGRE_BAD_OPTION .*say csum, csum=on or csum=off/],
  ['b,checksum=maybe', /^TSGRE_BAD_OPTION .*require or accept or forbid/],
  ['b,toString=1', /^TSGRE_BAD_OPTION .*is no setting/],
  ['192.168.56', /^TSGRE_NOT_AN_ADDRESS /],
  ['192.168.56.256', /^TSGRE_NOT_AN_ADDRESS /],
  ['a..b', /^TSGRE_NOT_AN_ADDRESS /],
  ['-a', /^TSGRE_NOT_AN_ADDRESS /],
  [`${'a'.repeat(64)}.example`, /^TSGRE_NOT_AN_ADDRESS /],
] as const) {
  test(`refuses ${JSON.stringify(spec)}`, () =>
    assert.match(
      refusal(() => parsePeerSpec(spec)),
      expected,
    ))
}

test('an entry of a file is read as its spec is', () => {
  assert.equal(
    peerOf({ address: 'b', ikey: '0.0.0.7', csum: false, checksum: 'require', seq: true }),
    parsePeerSpec('b,ikey=7,csum=off,checksum=require,seq'),
  )
  assert.match(
    refusal(() => peerOf({ address: 'b', key: 1, okey: 2 })),
    /^TSGRE_CONFLICT b \|/,
  )
})

for (const [claim, remotes, expected] of [
  ['one twice', ['b', 'c', 'b'], /^TSGRE_CONFLICT b \| .*given twice; give each remote once/],
  ['one in two spellings', ['fd00::1', 'fd00:0::1'], /^TSGRE_CONFLICT fd00:0::1 \| .*given twice \(as fd00::1\)/],
  ['one name in two spellings', ['b.example', 'B.Example.'], /^TSGRE_CONFLICT B\.Example\. \|/],
  ['two families', ['192.168.56.5', 'b', 'fd00::1'], /^TSGRE_FAMILY_MISMATCH fd00::1 \| .*192\.168\.56\.5 is IPv4/],
  ['too many', Array.from({ length: 129 }, (_, at) => `h${at}`), /^TSGRE_CONFLICT 129 \| .*takes 128/],
] as const) {
  test(`refuses ${claim} in a list`, () =>
    assert.match(
      refusal(() => readRemotes(remotes)),
      expected,
    ))
}
test('takes as many as there may be', () =>
  assert.is(readRemotes(Array.from({ length: 128 }, (_, at) => `h${at}`)).length, 128))

test.run()
