// What options are taken for, and each refusal: its code, its option, its value and the way out in its message.

import { execFileSync } from 'node:child_process'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError, type ErrorCode } from '#tsgre/errors.js'
import { resolveOptions, type TunnelOptions } from '#tsgre/tunnel/options.js'
import type { Key } from '#tsgre/tunnel/peer-options.js'
import { tunnelMtuOf } from '#tsgre/tunnel/resolve-peers.js'
import { inOwnNetwork } from '../../rig/reexec.js'

inOwnNetwork(import.meta.url)

// Two networks, so that there is a route, an MTU and a source to choose: eth1 with 1500 bytes, eth2 with 9000.
const COMMANDS = `link set lo up
link add eth1 type veth peer name peer1
link add eth2 mtu 9000 type veth peer name peer2 mtu 9000
link set eth1 addrgenmode none
address add 192.168.56.4/24 dev eth1
address add fd56::4/64 dev eth1 nodad
address add 192.168.57.4/24 dev eth2
link set eth1 up
link set peer1 up
link set eth2 up
link set peer2 up`
for (const command of COMMANDS.split('\n')) execFileSync('ip', command.split(' '))

const REMOTE = '192.168.56.5'
const REMOTE6 = 'fd56::5'

const resolve = (given: Partial<TunnelOptions>) => resolveOptions({ name: 'tap0', remote: REMOTE, ...given })

/** That `given` is refused with this code, naming the option and the value, with `wayOut` in its message. */
function refused(given: object, code: ErrorCode, option: string, value: unknown, wayOut: RegExp): void {
  try {
    resolve(given as Partial<TunnelOptions>)
  } catch (error) {
    assert.instance(error, ConfigError)
    const { code: itsCode, option: itsOption, value: itsValue, message } = error as ConfigError
    assert.equal([itsCode, itsOption, itsValue], [code, option, value], message)
    assert.ok(message.startsWith(`--${option}`), message)
    if (value !== undefined && value !== true) assert.ok(message.includes(String(value)), message)
    assert.match(message, wayOut)
    return
  }
  assert.unreachable(`accepted ${JSON.stringify(given)}`)
}

test('answers what is left open as a gretap without options does', () => {
  const { settings, ...rest } = resolve({})
  assert.equal(
    [
      settings.keyIn,
      settings.keyOut,
      settings.checksum,
      settings.sequence,
      settings.tos,
      settings.ttl,
      settings.fragment,
      settings.oversize,
      settings.clampMss,
      settings.tunnelMtu,
      settings.probe,
    ],
    [undefined, undefined, false, false, 0, 64, 'never', 'answer', true, 0, false],
  )
  assert.equal([...settings.local], [192, 168, 56, 4])
  assert.equal([...settings.remote], [192, 168, 56, 5])
  const { io, mtu, tunnelMtu, peers, up, mac, dev, name } = rest
  assert.equal(
    [io, mtu, tunnelMtu, peers[0]!.mtu, up, mac, dev, name],
    ['mmsg', undefined, 1462, 1500, true, undefined, undefined, 'tap0'],
  )
})

test('computes the tunnel MTU as the kernel does: 1462, 1458, 1454, 1450', () => {
  assert.is(resolve({}).tunnelMtu, 1462)
  for (const one of [{ key: 0 }, { checksum: true }, { sequence: true }]) assert.is(resolve(one).tunnelMtu, 1458)
  for (const two of [
    { key: 1, checksum: true },
    { key: 1, sequence: true },
    { checksum: true, sequence: true },
  ]) {
    assert.is(resolve(two).tunnelMtu, 1454)
  }
  assert.is(resolve({ key: 1, checksum: true, sequence: true }).tunnelMtu, 1450)
})

test('computes the tunnel MTU on IPv6 as 1500 - 40 - GRE - 14', () => {
  assert.is(resolve({ remote: REMOTE6 }).tunnelMtu, 1500 - 40 - 4 - 14)
  assert.is(resolve({ remote: REMOTE6 }).tunnelMtu, 1442)
  assert.is(resolve({ remote: REMOTE6, key: 1, checksum: true, sequence: true }).tunnelMtu, 1430)
})

test('counts the key that is sent, not the one that is expected', () => {
  assert.is(resolve({ key: { in: 1 } }).tunnelMtu, 1462)
  assert.is(resolve({ key: { out: 1 } }).tunnelMtu, 1458)
})

test('takes the MTU of the route to the remote', () => {
  const { peers, tunnelMtu } = resolve({ remote: '192.168.57.5' })
  assert.equal([peers[0]!.mtu, tunnelMtu], [9000, 8962])
})

test('leaves a tunnel MTU in place of 68 bytes, and does arithmetic nowhere else', () => {
  assert.is(tunnelMtuOf(1500, 4, 4), 1462)
  assert.is(tunnelMtuOf(1500, 6, 16), 1430)
  assert.is(tunnelMtuOf(65535, 4, 4), 65497)
})

test('refuses an underlay that leaves less than 68 bytes, naming its MTU', () => {
  execFileSync('ip', ['route', 'add', '198.51.100.0/24', 'dev', 'eth1', 'mtu', '100'])
  refused(
    { remote: '198.51.100.1' },
    'TSGRE_BAD_MTU',
    'remote',
    '198.51.100.1',
    /MTU of 100 bytes.* 62 .*raise the underlay's MTU$/,
  )
})

test('takes an MTU from 68 to 65521, whatever the tunnel MTU is', () => {
  for (const mtu of [68, 1500, 65521]) assert.equal([resolve({ mtu }).mtu, resolve({ mtu }).tunnelMtu], [mtu, 1462])
  assert.is(resolve({ mtu: 'auto' }).mtu, undefined)
})

test('a tunnel MTU that is asked for only ever lowers what fits', () => {
  for (const [asked, gets] of [
    [68, 68],
    [1300, 1300],
    [9000, 1462],
  ] as const) {
    const { tunnelMtu, settings } = resolve({ tunnelMtu: asked })
    assert.equal([tunnelMtu, settings.tunnelMtu], [gets, asked])
  }
})

test('refuses a tunnel MTU out of range, and a rule that there is not', () => {
  for (const tunnelMtu of [67, 65522, 1.5, Number.NaN]) {
    refused({ tunnelMtu }, 'TSGRE_BAD_MTU', 'tunnel-mtu', tunnelMtu, /takes 68 to 65521 bytes/)
  }
  const oversize = 'cut' as 'drop'
  refused({ oversize }, 'TSGRE_BAD_OPTION', 'oversize', oversize, /takes answer or outer or drop/)
})

test('refuses an MTU out of range', () => {
  for (const mtu of [67, 65522, 0, -1, 1500.5, Number.NaN, Number.POSITIVE_INFINITY, '1500']) {
    refused({ mtu }, 'TSGRE_BAD_MTU', 'mtu', mtu, /takes 68 to 65521 bytes, or "auto"/)
  }
})

const KEYS: readonly (readonly [Key, number])[] = [
  [0, 0],
  ['0', 0],
  [42, 42],
  ['42', 42],
  ['10.20.30.40', 0x0a141e28],
  ['0.0.0.0', 0],
  ['255.255.255.255', 0xffff_ffff],
  [4294967295, 0xffff_ffff],
  ['4294967295', 0xffff_ffff],
  ['0xffffffff', 0xffff_ffff],
]

test('reads keys 0, 42, 10.20.30.40 and 4294967295, as numbers and as text', () => {
  for (const [key, value] of KEYS) {
    const { keyIn, keyOut } = resolve({ key }).settings
    assert.equal([keyIn, keyOut], [value, value], String(key))
  }
})

test('keeps one key each way apart, and no key apart from key 0', () => {
  const keys = (key: TunnelOptions['key']) => [resolve({ key }).settings.keyIn, resolve({ key }).settings.keyOut]
  assert.equal(keys({ in: 1, out: '0.0.0.2' }), [1, 2])
  assert.equal(keys({ in: 0 }), [0, undefined])
  assert.equal(keys({ out: 0 }), [undefined, 0])
  assert.equal(keys({}), [undefined, undefined])
  assert.equal(keys(undefined), [undefined, undefined])
})

const NO_KEYS = [
  -1,
  4294967296,
  1.5,
  Number.NaN,
  '',
  ' ',
  '42 ',
  'abc',
  '-1',
  '1e3',
  '4294967296',
  '99999999999',
  '0x',
  '0x100000000',
  '256.0.0.1',
  '1.2.3',
  '1.2.3.4.5',
  '1..2.3',
]

test('refuses a key out of range or of another form', () => {
  const rule = /a number from 0 to 4294967295, or four numbers with dots as in 10\.20\.30\.40/
  for (const key of NO_KEYS) {
    refused({ key }, 'TSGRE_BAD_KEY', 'key', key, rule)
    refused({ key: { in: key } }, 'TSGRE_BAD_KEY', 'ikey', key, rule)
    refused({ key: { out: key } }, 'TSGRE_BAD_KEY', 'okey', key, rule)
  }
})

test('takes a TTL from 1 to 255 or "inherit"', () => {
  for (const ttl of [1, 64, 255, 'inherit'] as const) assert.is(resolve({ ttl }).settings.ttl, ttl)
  for (const ttl of [0, 256, -1, 1.5, '64', 'inherited']) {
    refused({ ttl }, 'TSGRE_BAD_OPTION', 'ttl', ttl, /takes 1 to 255 or "inherit"/)
  }
})

test('takes a TOS from 0 to 255 or "inherit"', () => {
  for (const tos of [0, 0x10, 255, 'inherit'] as const) assert.is(resolve({ tos }).settings.tos, tos)
  for (const tos of [-1, 256, 0.5, 'ef'])
    refused({ tos }, 'TSGRE_BAD_OPTION', 'tos', tos, /takes 0 to 255 or "inherit"/)
})

test('turns pmtudisc and ignoreDf into one rule, and refuses both', () => {
  const rule = (given: Partial<TunnelOptions>) => resolve(given).settings.fragment
  assert.is(rule({}), 'never')
  assert.is(rule({ pmtudisc: true }), 'never')
  assert.is(rule({ pmtudisc: false }), 'as-inner')
  assert.is(rule({ ignoreDf: true }), 'always')
  assert.is(rule({ ignoreDf: true, pmtudisc: false }), 'always')
  assert.throws(
    () => resolve({ ignoreDf: true, pmtudisc: true }),
    (error: ConfigError) =>
      error.code === 'TSGRE_CONFLICT' && error.option === 'ignore-df' && /leave one away/.test(error.message),
  )
})

test('refuses another --io, naming the two', () => {
  refused({ io: 'afxdp' }, 'TSGRE_BAD_OPTION', 'io', 'afxdp', /takes mmsg or raw-socket/)
})

test('takes a unicast hardware address and refuses others', () => {
  assert.is(resolve({ mac: '02:00:00:00:00:01' }).mac, '02:00:00:00:00:01')
  for (const mac of [
    '',
    '02:00:00:00:00',
    '02:00:00:00:00:01:02',
    '02-00-00-00-00-01',
    '01:00:5e:00:00:01',
    '00:00:00:00:00:00',
    '0g:00:00:00:00:01',
  ]) {
    refused({ mac }, 'TSGRE_BAD_OPTION', 'mac', mac, /six octets as in 02:00:00:00:00:01/)
  }
})

test('refuses a TAP name that the kernel would not take', () => {
  assert.is(resolve({ name: 'a23456789012345' }).name, 'a23456789012345')
  for (const name of ['a234567890123456', 'äöüäöüäö']) {
    refused({ name }, 'TSGRE_BAD_TAP', 'tap', name, /at most 15 bytes, this one has 16/)
  }
  refused({ name: '' }, 'TSGRE_BAD_TAP', 'tap', '', /such as tap0/)
})

test('refuses an address before it asks the kernel for a way', () => {
  refused({ remote: undefined }, 'TSGRE_REMOTE_MISSING', 'remote', undefined, /--remote 192\.168\.56\.5/)
  refused({ remote: 'hostb' }, 'TSGRE_NOT_AN_ADDRESS', 'remote', 'hostb', /names are not resolved/)
  refused(
    { remote: REMOTE6, local: '192.168.56.4' },
    'TSGRE_FAMILY_MISMATCH',
    'local',
    '192.168.56.4',
    /both must be of one family/,
  )
})

test('asks for all the offload there is, less where it is told to, none for the portable port', () => {
  assert.is(resolve({}).offload, 'uso')
  for (const offload of ['off', 'csum', 'tso', 'uso'] as const) assert.is(resolve({ offload }).offload, offload)
  assert.is(resolve({ io: 'raw-socket' }).offload, 'off')
  assert.is(resolve({ io: 'raw-socket', offload: 'off' }).offload, 'off')
  refused({ offload: 'gso' }, 'TSGRE_BAD_OPTION', 'offload', 'gso', /takes auto or off or csum or tso or uso/)
  refused(
    { io: 'raw-socket', offload: 'tso' },
    'TSGRE_CONFLICT',
    'offload',
    'tso',
    /leave --offload away, or leave --io/,
  )
})

test('takes GRE-in-UDP with a port and one or eight source ports, 8 bytes less for the overlay', () => {
  assert.is(resolve({}).encapsulation, undefined)
  assert.equal(resolve({ encap: 'udp' }).encapsulation, { port: 4754, flows: 1, zeroChecksum6: false })
  const { encapsulation, settings, tunnelMtu } = resolve({ encap: 'udp', udpPort: 40000, udpSourcePort: 'flow' })
  assert.equal(encapsulation, { port: 40000, flows: 8, zeroChecksum6: false })
  assert.equal([settings.udpPort, settings.flows, tunnelMtu], [40000, 8, 1454])
  assert.is(resolve({ encap: 'udp', remote: REMOTE6, udp6ZeroChecksum: true }).encapsulation?.zeroChecksum6, true)
  assert.is(resolve({ encap: 'udp', remote: REMOTE6 }).tunnelMtu, 1434)
})

test('refuses what contradicts itself about GRE-in-UDP', () => {
  const alone = /means something with --encap udp only: add that, or leave it away/
  refused({ udpPort: 4754 }, 'TSGRE_CONFLICT', 'udp-port', 4754, alone)
  refused({ udpSourcePort: 'flow' }, 'TSGRE_CONFLICT', 'udp-source-port', 'flow', alone)
  refused({ udp6ZeroChecksum: true, remote: REMOTE6 }, 'TSGRE_CONFLICT', 'udp6zerocsumrx', true, alone)
  refused({ encap: 'udp', io: 'raw-socket' }, 'TSGRE_CONFLICT', 'encap', 'udp', /leave one of the two away/)
  refused({ encap: 'udp', udp6ZeroChecksum: true }, 'TSGRE_CONFLICT', 'udp6zerocsumrx', true, /leave it away/)
  refused({ encap: 'fou' }, 'TSGRE_BAD_OPTION', 'encap', 'fou', /takes none or udp/)
  refused({ encap: 'udp', udpSourcePort: 'any' }, 'TSGRE_BAD_OPTION', 'udp-source-port', 'any', /fixed or flow/)
  for (const udpPort of [0, 65536, 1.5, Number.NaN]) {
    refused({ encap: 'udp', udpPort }, 'TSGRE_BAD_OPTION', 'udp-port', udpPort, /takes 1 to 65535/)
  }
})

test('takes microseconds of busy polling, up to a second, where a thread of its own can wait', () => {
  assert.is(resolve({}).busyPoll, 0)
  assert.is(resolve({ busyPoll: 1_000_000 }).busyPoll, 1_000_000)
  refused({ busyPoll: -1 }, 'TSGRE_BAD_OPTION', 'busy-poll', -1, /takes 0 to 1000000 microseconds/)
  refused({ busyPoll: 50, io: 'raw-socket' }, 'TSGRE_CONFLICT', 'busy-poll', 50, /leave one of the two away/)
})

test.run()
