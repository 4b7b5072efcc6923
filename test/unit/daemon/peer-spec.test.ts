// One remote as it is typed.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parsePeerSpec } from '#tsgre/daemon/peer-spec.js'
import { ConfigError } from '#tsgre/errors.js'

test('takes an address or a name, and what is its own', () => {
  assert.equal(parsePeerSpec('192.168.56.5'), { remote: '192.168.56.5' })
  assert.equal(parsePeerSpec('fe80::1%eth1,key=7'), { remote: 'fe80::1%eth1', key: 7 })
  assert.equal(parsePeerSpec('b.example,csum,checksum=require,seq=off'), {
    remote: 'b.example',
    checksum: true,
    receiveChecksum: 'require',
    sequence: false,
  })
  assert.equal(parsePeerSpec('192.168.56.5,ikey=1,okey=2').key, { in: 1, out: 2 })
})

for (const [spec, words] of [
  ['', /address/],
  [',key=7', /address/],
  ['192.168.56.5,kye=7', /"kye=7" is no setting of a remote/],
  ['192.168.56.5,key', /key needs a value/],
  ['192.168.56.5,key=', /key needs a value/],
  ['192.168.56.5,key=x', /a key is a number/],
  ['192.168.56.5,key=1,key=2', /key is given twice/],
  ['192.168.56.5,key=1,ikey=2', /key/],
  ['192.168.56.5,checksum=maybe', /require/],
  ['192.168.56.5,csum=maybe', /csum=on or csum=off/],
] as const) {
  test(`refuses ${JSON.stringify(spec)} in words`, () => {
    assert.throws(
      () => parsePeerSpec(spec),
      (error: unknown) => error instanceof ConfigError && error.option === 'remote' && words.test(error.message),
    )
  })
}

test.run()
