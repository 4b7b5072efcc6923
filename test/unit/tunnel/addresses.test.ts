// The two underlay addresses, in a network of the test's own.

import { execFileSync } from 'node:child_process'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError, type ErrorCode } from '#tsgre/errors.js'
import { resolveAddresses } from '#tsgre/tunnel/addresses.js'
import { inOwnNetwork } from '../../rig/reexec.js'

inOwnNetwork(import.meta.url)

// eth1 with a second address in its network and a link-local one, eth2 in another network.
const COMMANDS = `link set lo up
link add eth1 type veth peer name peer1
link add eth2 type veth peer name peer2
link set eth1 addrgenmode none
link set eth2 addrgenmode none
address add 192.168.56.4/24 brd 192.168.56.255 dev eth1
address add 192.168.56.14/24 dev eth1
address add fd56::4/64 dev eth1 nodad
address add fd56::14/64 dev eth1 nodad
address add fe80::4/64 dev eth1 nodad
address add 192.168.57.4/24 dev eth2
address add fe80::9/64 dev eth2 nodad
link set eth1 up
link set peer1 up
link set eth2 up
link set peer2 up
route add prohibit 203.0.113.0/24
route add 198.51.100.0/24 via 192.168.57.9`
for (const command of COMMANDS.split('\n')) execFileSync('ip', command.split(' '))

interface Ends {
  remote?: string
  local?: string
  dev?: string
  io?: string
}

const resolve = ({ remote, local, dev, io = 'mmsg' }: Ends) => resolveAddresses(remote, local, dev, io)

/** Local and remote as text, and the MTU. */
function ends(given: Ends): [string, string, number] {
  const { local, remote, underlayMtu } = resolve(given)
  return [local.text, remote.text, underlayMtu]
}

function refused(given: Ends, code: ErrorCode, option: string, wayOut: RegExp): void {
  try {
    resolve(given)
  } catch (error) {
    assert.instance(error, ConfigError)
    const { code: itsCode, option: itsOption, message } = error as ConfigError
    assert.equal([itsCode, itsOption], [code, option], message)
    assert.ok(message.startsWith(`--${option}`), message)
    assert.match(message, wayOut)
    return
  }
  assert.unreachable(`accepted ${JSON.stringify(given)}`)
}

test('chooses the source that the route to the remote uses', () => {
  assert.equal(ends({ remote: '192.168.56.5' }), ['192.168.56.4', '192.168.56.5', 1500])
  assert.equal(ends({ remote: '198.51.100.7' }), ['192.168.57.4', '198.51.100.7', 1500])
  assert.match(resolve({ remote: 'fd56::5' }).local.text, /^fd56::1?4$/)
})

test('takes a local address of this host, also one the route would not choose', () => {
  assert.equal(ends({ remote: '192.168.56.5', local: '192.168.56.14' }), ['192.168.56.14', '192.168.56.5', 1500])
  assert.equal(ends({ remote: 'fd56::5', local: 'fd56::14' }), ['fd56::14', 'fd56::5', 1500])
})

test('spells addresses the canonical way', () => {
  assert.is(resolve({ remote: 'FD56:0:0:0::0005' }).remote.text, 'fd56::5')
})

test('keeps the zone of a link-local remote, given by % or by dev', () => {
  assert.equal(ends({ remote: 'fe80::1%eth1' }), ['fe80::4%eth1', 'fe80::1%eth1', 1500])
  assert.equal(ends({ remote: 'fe80::1', dev: 'eth1' }), ['fe80::4%eth1', 'fe80::1%eth1', 1500])
  assert.equal(ends({ remote: 'fe80::1%eth1', local: 'fe80::4' }), ['fe80::4%eth1', 'fe80::1%eth1', 1500])
})

test('refuses a link-local remote without its device, and a zone elsewhere', () => {
  refused({ remote: 'fe80::1' }, 'TSGRE_NOT_AN_ADDRESS', 'remote', /needs its device: fe80::1%eth1/)
  refused({ remote: 'fd56::5%eth1' }, 'TSGRE_NOT_AN_ADDRESS', 'remote', /leave the % part away/)
  refused({ remote: 'fe80::1%nope' }, 'TSGRE_BAD_DEVICE', 'remote', /no network device nope.*ip link/)
  refused({ remote: 'fe80::1%' }, 'TSGRE_NOT_AN_ADDRESS', 'remote', /not an IPv4 or IPv6 address/)
})

test('refuses a missing remote and what is no address', () => {
  refused({}, 'TSGRE_REMOTE_MISSING', 'remote', /--remote 192\.168\.56\.5/)
  refused({ remote: '' }, 'TSGRE_REMOTE_MISSING', 'remote', /give the underlay address/)
  for (const remote of [
    'hostb',
    '192.168.56',
    '192.168.56.256',
    '192.168.56.5/24',
    '192.168.56.5:47',
    'fd56:::5',
    '1',
    '192.168.056.5',
  ]) {
    refused({ remote }, 'TSGRE_NOT_AN_ADDRESS', 'remote', /names are not resolved/)
  }
  refused({ remote: '192.168.56.5', local: 'eth1' }, 'TSGRE_NOT_AN_ADDRESS', 'local', /names are not resolved/)
  refused({ remote: '::ffff:192.168.56.5' }, 'TSGRE_NOT_AN_ADDRESS', 'remote', /write 192\.168\.56\.5/)
})

test('refuses groups, broadcast and empty addresses', () => {
  const group = /one unicast address at each end/
  for (const remote of ['224.0.0.1', '239.255.255.255', '255.255.255.255', '0.0.0.0', '::', 'ff02::1']) {
    refused({ remote }, 'TSGRE_NOT_UNICAST', 'remote', group)
  }
  refused({ remote: '192.168.56.5', local: '0.0.0.0' }, 'TSGRE_NOT_UNICAST', 'local', group)
  refused(
    { remote: '192.168.56.255' },
    'TSGRE_NOT_UNICAST',
    'remote',
    /broadcast address of one of this host's networks/,
  )
  refused({ remote: '203.0.113.1' }, 'TSGRE_NOT_UNICAST', 'remote', /prohibit/)
})

test('refuses two families', () => {
  refused({ remote: '192.168.56.5', local: 'fd56::4' }, 'TSGRE_FAMILY_MISMATCH', 'local', /IPv6.*IPv4.*one family/)
  refused({ remote: 'fd56::5', local: '192.168.56.4' }, 'TSGRE_FAMILY_MISMATCH', 'local', /IPv4.*IPv6.*one family/)
})

test('refuses a remote that is an address of this host: the chosen source, the given one, any other', () => {
  const other = /address of this host; give the address of the other one/
  for (const remote of [
    '192.168.56.4',
    '127.0.0.1',
    '127.0.0.2',
    'fd56::4',
    '::1',
    '192.168.56.14',
    'fd56::14',
    '192.168.57.4',
    'fe80::4%eth1',
  ]) {
    refused({ remote }, 'TSGRE_REMOTE_IS_LOCAL', 'remote', other)
  }
  refused({ remote: '192.168.56.4', local: '192.168.56.14' }, 'TSGRE_REMOTE_IS_LOCAL', 'remote', other)
  refused({ remote: '192.168.56.14', local: '192.168.56.14' }, 'TSGRE_REMOTE_IS_LOCAL', 'remote', other)
  refused({ remote: '192.168.56.14', dev: 'eth1' }, 'TSGRE_REMOTE_IS_LOCAL', 'remote', other)
})

test('takes the address of this host on another link, where it is somebody else', () => {
  assert.equal(ends({ remote: 'fe80::4%eth2' }), ['fe80::9%eth2', 'fe80::4%eth2', 1500])
})

test('refuses a local address that is not of this host', () => {
  refused(
    { remote: '192.168.56.5', local: '192.168.56.6' },
    'TSGRE_NO_SOURCE',
    'local',
    /not an address of this host; see `ip address`/,
  )
  refused({ remote: 'fd56::5', local: 'fd56::6' }, 'TSGRE_NO_SOURCE', 'local', /not an address of this host/)
})

test('refuses a remote without a route, unless the source is given', () => {
  refused(
    { remote: '192.0.2.1' },
    'TSGRE_NO_SOURCE',
    'remote',
    /no route to it.*ENETUNREACH.*add a route, or give --local/,
  )
  assert.equal(ends({ remote: '192.0.2.1', local: '192.168.56.4' }), ['192.168.56.4', '192.0.2.1', 1500])
})

test('refuses a device that is not there', () => {
  refused({ remote: '192.168.56.5', dev: 'nope' }, 'TSGRE_BAD_DEVICE', 'dev', /no network device nope.*ip link/)
  refused({ remote: '192.168.56.5', dev: '' }, 'TSGRE_BAD_DEVICE', 'dev', /ip link/)
})

test('asks for the way through the given device', () => {
  assert.equal(ends({ remote: '198.51.100.7', dev: 'eth2' }), ['192.168.57.4', '198.51.100.7', 1500])
})

test('refuses a source that --io raw-socket cannot choose', () => {
  const given = { remote: '192.168.56.5', local: '192.168.56.14' }
  refused(
    { ...given, io: 'raw-socket' },
    'TSGRE_CONFLICT',
    'local',
    /uses 192\.168\.56\.4; leave --io away, or give that route "src 192\.168\.56\.14"/,
  )
  assert.equal(ends({ ...given, local: '192.168.56.4', io: 'raw-socket' }), ['192.168.56.4', '192.168.56.5', 1500])
})

test.run()
