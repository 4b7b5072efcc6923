import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  coveringRoutes,
  flatten,
  refuseOverlap,
  refuseRemote,
  validateBip,
  validateFixedCidr,
  validateMtu,
} from '#tsgre/host/docker-bip.js'
import type { HostAddress, Route } from '#tsgre/host/routes.js'
import { errorOf } from './script.js'

test('accepts addresses a bridge can have', () => {
  for (const bip of [
    '10.103.100.1/24',
    '10.103.100.254/24',
    '192.0.2.1/30',
    '192.0.2.2/30',
    '172.17.0.1/16',
    '10.0.0.1/8',
  ])
    assert.is(`${validateBip(bip).address}/${validateBip(bip).prefixLength}`, bip)
})

test('refuses a bip that dockerd would refuse, and says what to write', async () => {
  for (const [bip, why] of [
    ['10.103.100.0/24', '10.103.100.0 is the network itself; did you mean 10.103.100.1/24?'],
    ['10.103.100.255/24', "10.103.100.255 is the network's broadcast address; did you mean 10.103.100.1/24?"],
    ['10.103.100.1', 'takes an IPv4 address with its prefix length, as in 10.103.100.1/24'],
    ['10.103.100.1/31', '/31 leaves no address for a container; /30 is the least'],
    ['10.103.100.1/32', '/32 leaves no address for a container; /30 is the least'],
    ['10.103.100.1/33', 'takes an IPv4 address with its prefix length, as in 10.103.100.1/24'],
    ['2001:db8::1/64', 'dockerd takes IPv4 here, as in 10.103.100.1/24 (IPv6 is fixed-cidr-v6)'],
    ['127.0.0.1/8', '127.0.0.1 is no address a host can have'],
    ['224.0.0.1/24', '224.0.0.1 is no address a host can have'],
    ['0.0.0.1/24', '0.0.0.1 is no address a host can have'],
    ['docker0', 'takes an IPv4 address with its prefix length, as in 10.103.100.1/24'],
  ] as const) {
    const error = await errorOf(() => validateBip(bip))
    assert.is(error.name, 'ConfigError')
    assert.is(error.code, 'TSGRE_BAD_BIP')
    assert.is(error.option, 'bip')
    assert.is(error.value, bip)
    assert.is(error.message, `--bip ${bip}: ${why}`)
  }
})

test('refuses a fixed-cidr that is no part of the bridge network', async () => {
  const bip = validateBip('10.103.100.1/24')
  for (const inside of ['10.103.100.0/24', '10.103.100.128/25', '10.103.100.4/32']) validateFixedCidr(inside, bip)
  for (const [fixedCidr, why] of [
    ['10.103.101.0/24', /is not inside the bridge's network 10\.103\.100\.0\/24/],
    ['10.103.0.0/16', /is not inside/],
    ['10.103.100.129/25', /did you mean 10\.103\.100\.128\/25\?/],
    ['2001:db8::/64', /takes an IPv4 network/],
    ['10.103.100.128', /takes an IPv4 network/],
  ] as const) {
    const error = await errorOf(() => validateFixedCidr(fixedCidr, bip))
    assert.is(error.code, 'TSGRE_BAD_BIP')
    assert.is(error.option, 'fixed-cidr')
    assert.match(error.message, why)
  }
})

test('takes an MTU from 576 to 65535', async () => {
  for (const mtu of [576, 1462, 65535]) validateMtu(mtu)
  for (const mtu of [575, 65536, 0, -1, 1462.5, Number.NaN]) {
    const error = await errorOf(() => validateMtu(mtu))
    assert.is(error.code, 'TSGRE_BAD_MTU')
    assert.ok(Object.is(error.value, mtu))
    assert.match(error.message, 'from 576 to 65535')
  }
})

function route(destination: string, dev: string, protocol = 'boot'): Route {
  return { destination, dev, type: 'unicast', protocol, text: `${destination} dev ${dev}` }
}

function address(text: string, dev: string): HostAddress {
  const [plain = '', length] = text.split('/')
  return { address: plain, prefixLength: Number(length), family: plain.includes(':') ? 6 : 4, dev }
}

test('lets docker0 keep what it has, beside any default route', () => {
  refuseOverlap(
    '10.103.100.1/24',
    [
      route('0.0.0.0/0', 'eth0', 'dhcp'),
      route('0.0.0.0/1', 'tun0'),
      route('128.0.0.0/1', 'tun0'),
      route('::/0', 'eth0', 'ra'),
      route('10.103.100.0/24', 'docker0', 'kernel'),
      route('10.103.200.0/24', 'docker0'),
      route('192.0.2.0/24', 'eth0', 'kernel'),
    ],
    [address('10.103.100.1/24', 'docker0'), address('192.0.2.2/24', 'eth0'), address('fd00::1/64', 'eth0')],
  )
})

test('refuses a bip that overlaps a route, and names it', async () => {
  for (const [bip, inTheWay] of [
    ['10.103.100.1/24', route('10.103.100.0/24', 'eth1', 'kernel')],
    // Connected, though larger: its hosts are neighbours.
    ['10.103.100.1/24', route('10.103.0.0/16', 'eth1', 'kernel')],
    ['10.103.100.1/24', route('10.103.100.0/24', 'tun0', 'static')],
    ['10.103.100.1/24', route('10.103.100.128/25', 'tun0')],
    ['10.103.0.1/16', route('10.103.100.7/32', 'eth1')],
    // Somebody's route to the other host's containers: two networks of one name.
    ['10.103.200.1/24', route('10.103.200.0/24', 'docker0')],
    ['10.103.0.1/16', route('10.103.200.0/24', 'docker0')],
  ] as const) {
    const error = await errorOf(() => refuseOverlap(bip, [inTheWay], []))
    assert.is(error.code, 'TSGRE_BAD_BIP')
    assert.is(error.option, 'bip')
    assert.match(error.message, `overlaps the route "${inTheWay.text}" of this host`)
  }
})

test('refuses a bip that overlaps an address of another device, also one that is down and has no route', async () => {
  const error = await errorOf(() => refuseOverlap('10.103.100.1/24', [], [address('10.103.100.9/32', 'eth1')]))
  assert.match(error.message, 'overlaps the address 10.103.100.9/32 of eth1 of this host')
})

test('bears a route that holds the bip and more, and lists it', () => {
  const company = { ...route('10.0.0.0/8', 'eth0', 'dhcp'), gateway: '192.0.2.1' }
  const vpn = route('10.103.0.0/16', 'tun0')
  const all = [route('0.0.0.0/0', 'eth0'), route('192.168.0.0/16', 'tun0'), company, vpn]
  refuseOverlap('10.103.100.1/24', all, [])
  assert.equal(coveringRoutes('10.103.100.1/24', all), [company, vpn])
  assert.equal(coveringRoutes('10.103.100.1/24', [route('10.103.0.0/16', 'eth1', 'kernel')]), [])
  assert.equal(coveringRoutes('10.103.0.1/16', [vpn]), [])
})

test('refuses a bip in the network of the other host, and takes one beside it', async () => {
  refuseRemote('10.103.100.1/24', '10.103.200.0/24')
  refuseRemote('10.103.100.1/24', '2001:db8::/32')
  for (const remote of ['10.103.100.0/24', '10.103.0.0/16', '10.103.100.64/26']) {
    const error = await errorOf(() => refuseRemote('10.103.100.1/24', remote))
    assert.is(error.code, 'TSGRE_BAD_BIP')
    assert.match(error.message, `overlaps --route ${remote}, the network behind the other host`)
  }
  assert.is((await errorOf(() => refuseRemote('10.103.100.1/24', '10.103.200.1'))).code, 'TSGRE_BAD_ROUTE')
})

test('flat puts the bridge into the /16 and the containers into the part the bip names', async () => {
  assert.equal(flatten('10.103.100.1/24'), { bip: '10.103.100.1/16', fixedCidr: '10.103.100.0/24' })
  assert.equal(flatten('10.103.129.1/17'), { bip: '10.103.129.1/16', fixedCidr: '10.103.128.0/17' })
  for (const [bip, why] of [
    ['10.103.100.1/16', /a \/16 leaves none for the other; write 10\.103\.100\.1\/24/],
    ['10.103.100.1/8', /a \/8 leaves none/],
    ['10.103.100.0/24', /is the network itself/],
  ] as const) {
    const error = await errorOf(() => flatten(bip))
    assert.is(error.code, 'TSGRE_BAD_BIP')
    assert.match(error.message, why)
  }
})

test.run()
