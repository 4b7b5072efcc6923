import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SOCKADDR_IN, SOCKADDR_IN6 } from '#tsgre/sys/abi.js'
import { type Address, parseAddress, readSockaddr, writeSockaddr } from '#tsgre/sys/address.js'
import { interfaceIndex } from '#tsgre/sys/libc.js'
import { slab } from '#tsgre/sys/memory.js'

function parsed(text: string): Address {
  const address = parseAddress(text)
  assert.ok(address, `${text} was not taken`)
  return address
}

/** The sockaddr of `text` in memory that was not zero before. */
function sockaddr(text: string, port = 0): Buffer {
  const memory = slab(64)
  memory.bytes.fill(0xaa)
  const length = writeSockaddr(memory, 8, parsed(text), port)
  return Buffer.from(memory.bytes.slice(8, 8 + length))
}

test('reads an IPv4 address', () => {
  const { family, text, bytes, zone } = parsed('192.0.2.1')
  assert.equal([family, text, [...bytes], zone], [4, '192.0.2.1', [192, 0, 2, 1], undefined])
})

test('spells an IPv6 address in the one way of RFC 5952, however it was typed', () => {
  for (const text of ['2001:db8::1', '2001:DB8:0:0:0:0:0:1', '2001:0db8:0000::0001', '2001:db8::0.0.0.1'])
    assert.is(parsed(text).text, '2001:db8::1')
  assert.is(parsed('2001:db8:0:0:1:0:0:1').text, '2001:db8::1:0:0:1')
})

test('keeps the zone of an IPv6 address in its text, and not in its octets', () => {
  const { text, zone, bytes } = parsed('FE80::1%eth1')
  assert.equal([text, zone, bytes.length], ['fe80::1%eth1', 'eth1', 16])
  assert.equal([...bytes], [...parsed('fe80::1').bytes])
})

test('refuses what is no address', () => {
  for (const text of [
    '',
    'host',
    '192.0.2',
    '192.0.2.256',
    '192.0.2.1 ',
    '192.0.2.1/24',
    ':::',
    '2001:db8::g',
    '[::1]',
  ])
    assert.is(parseAddress(text), undefined, text)
})

test('refuses numbers that look like another base', () => {
  for (const text of ['0xc0000201', '3221225985', '010.0.2.1']) assert.is(parseAddress(text), undefined, text)
})

test('refuses an empty zone, one longer than a device name, and any zone on IPv4', () => {
  for (const text of ['fe80::1%', 'fe80::1%sixteen-bytes-xx', '192.0.2.1%eth1'])
    assert.is(parseAddress(text), undefined, text)
  assert.is(parsed('fe80::1%fifteen-bytes-x').zone, 'fifteen-bytes-x')
})

test('writes sockaddr_in with family in host order, port and address in network order, and zeros behind', () => {
  assert.is(sockaddr('192.0.2.1', 0x1234).toString('hex'), '02001234c0000201'.padEnd(2 * SOCKADDR_IN.size, '0'))
})

test('writes sockaddr_in6 with scope 0 where there is no zone', () => {
  const expected = `0a00123400000000${'20010db8'.padEnd(31, '0')}100000000`
  assert.is(sockaddr('2001:db8::1', 0x1234).toString('hex'), expected)
  assert.is(expected.length, 2 * SOCKADDR_IN6.size)
})

test('writes the index of the zone as scope, and 0 for a zone that names no device', () => {
  const scope = SOCKADDR_IN6.at.sin6_scope_id.offset
  assert.ok(interfaceIndex('lo') > 0)
  assert.is(sockaddr('fe80::1%lo').readUInt32LE(scope), interfaceIndex('lo'))
  assert.is(sockaddr('fe80::1%nosuchdevice').readUInt32LE(scope), 0)
})

test('reads back the address it wrote, at any offset', () => {
  for (const text of ['192.0.2.1', '255.255.255.255', '2001:db8::1', '::1']) {
    const memory = slab(64)
    writeSockaddr(memory, 24, parsed(text))
    const { text: found, family, zone } = readSockaddr(memory, 24)
    assert.equal([found, family, zone], [text, text.includes(':') ? 6 : 4, undefined])
  }
})

test('gives octets of its own: what the kernel writes later does not change them', () => {
  const memory = slab(64)
  writeSockaddr(memory, 0, parsed('192.0.2.1'))
  const { bytes } = readSockaddr(memory, 0)
  memory.bytes.fill(0)
  assert.equal([...bytes], [192, 0, 2, 1])
})

test.run()
