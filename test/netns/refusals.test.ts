// What the command refuses, before anything on the host changes: the exit code, the sentence, the JSON line.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Ended } from '../rig/child.js'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { changes, settledSnapshot, snapshot } from '../rig/snapshot.js'

const rig = new Hosts()
test.after(() => rig.close())

// One of each kind of device a TAP's name may be taken by, and a second address of this host.
rig.ip('A', 'tuntap add tun5 mode tun')
rig.ip('A', 'tuntap add tap5 mode tap')
rig.ip('A', 'tuntap add tap6 mode tap multi_queue')
rig.ip('A', 'address add 10.9.0.1/24 dev tap5')
rig.ip('A', 'link set tap5 up')
rig.ip('A', 'address add 192.168.56.44/24 dev eth1')

await settledSnapshot(rig, 'A')

const REMOTE = ['--remote', '192.168.56.5']
const TAP = ['--tap', 'tap0']
const BOTH = [...REMOTE, ...TAP]

function run(args: readonly string[], before: readonly string[] = []): Promise<Ended> {
  return rig.exec('A', [...before, ...tsgreArgv(args)], { anyCode: true, timeoutMs: 60_000 })
}

interface Expected {
  code: string
  option?: string
  /** As JSON shows it; what was typed unless given. */
  value?: unknown
  /** What a person can do now. */
  wayOut: RegExp
}

/** Runs the command as a person and as a program would; both must be told the same. */
async function refuses(args: readonly string[], expected: Expected): Promise<void> {
  const before = snapshot(rig, 'A')
  const asPerson = run(args)
  // Whoever gets as far as the TAP holds its name and the addresses for a moment, and the other one would be told so.
  if (expected.option === 'tap' || expected.code === 'TSGRE_IN_USE') await asPerson
  const [text, json] = await Promise.all([asPerson, run(['--json', ...args])])
  assert.equal(changes(rig, 'A', before), [])
  for (const { code, stdout, stderr } of [text, json]) {
    assert.is(code, 2, stderr)
    assert.is(stdout, '')
  }
  const { event, code, option, value, message, ...rest } = JSON.parse(json.stderr)
  assert.equal(
    { event, code, option, value, rest },
    { event: 'error', code: expected.code, option: expected.option, value: expected.value, rest: {} },
  )
  assert.is(text.stderr, `${message.startsWith('tsgre') ? '' : 'tsgre: '}${message}\n`)
  if (option) assert.match(message, `--${option}`)
  if (value !== undefined && value !== true) for (const part of [value].flat()) assert.match(message, String(part))
  assert.match(message, expected.wayOut)
}

/** Last word of the arguments is the value that is wrong. */
function refused(claim: string, args: readonly string[], code: string, option: string, wayOut: RegExp): void {
  test(`refuses ${claim}: ${args.join(' ')}`, () => refuses(args, { code, option, value: args.at(-1), wayOut }))
}

const remote = (claim: string, address: string, code: string, wayOut: RegExp) =>
  refused(claim, [...TAP, '--remote', address], code, 'remote', wayOut)

test('refuses a missing remote', () =>
  refuses(TAP, { code: 'TSGRE_REMOTE_MISSING', option: 'remote', wayOut: /--remote 192\.168\.56\.5/ }))
test('refuses a missing TAP', () =>
  refuses(REMOTE, { code: 'TSGRE_BAD_TAP', option: 'tap', wayOut: /as in --tap tap0/ }))

test('refuses a name of this very host, in its own words', () =>
  refuses([...TAP, '--remote', 'localhost'], {
    code: 'TSGRE_REMOTE_IS_LOCAL',
    option: 'remote',
    value: 'localhost',
    wayOut: /^--remote localhost \(127\.0\.0\.1\): that is an address of this host; give/,
  }))
remote('half an address', '192.168.56', 'TSGRE_NOT_AN_ADDRESS', /not an IPv4 or IPv6 address/)
remote('an octet too large', '192.168.56.256', 'TSGRE_NOT_AN_ADDRESS', /not an IPv4 or IPv6 address/)
remote('IPv4 in IPv6 form', '::ffff:192.168.56.5', 'TSGRE_NOT_AN_ADDRESS', /write 192\.168\.56\.5/)
remote('an address of this host', '192.168.56.4', 'TSGRE_REMOTE_IS_LOCAL', /give the address of the other one/)
remote('a second address of this host', '192.168.56.44', 'TSGRE_REMOTE_IS_LOCAL', /give the address of the other one/)
remote('an address of the bridge', '10.103.100.1', 'TSGRE_REMOTE_IS_LOCAL', /give the address of the other one/)
remote('an IPv6 address of this host', 'fd56::4', 'TSGRE_REMOTE_IS_LOCAL', /give the address of the other one/)
remote('the loopback network', '127.0.0.2', 'TSGRE_REMOTE_IS_LOCAL', /give the address of the other one/)
remote('multicast', '224.0.0.5', 'TSGRE_NOT_UNICAST', /one unicast address/)
remote('IPv6 multicast', 'ff02::1', 'TSGRE_NOT_UNICAST', /one unicast address/)
remote('the limited broadcast', '255.255.255.255', 'TSGRE_NOT_UNICAST', /one unicast address/)
remote('the broadcast address of a network', '192.168.56.255', 'TSGRE_NOT_UNICAST', /broadcast address of one/)
remote('no address at all', '0.0.0.0', 'TSGRE_NOT_UNICAST', /one unicast address/)
remote('an address without a route', '203.0.113.1', 'TSGRE_NO_SOURCE', /add a route, or give --local/)
remote('a link-local address without its device', 'fe80::5', 'TSGRE_NOT_AN_ADDRESS', /fe80::5%eth1/)
remote('a zone that names no device', 'fe80::5%nosuch', 'TSGRE_BAD_DEVICE', /see `ip link`/)
remote('a zone where none belongs', 'fd56::5%eth1', 'TSGRE_NOT_AN_ADDRESS', /leave the % part away/)
remote('a remote behind the bridge', '10.103.100.77', 'TSGRE_ROUTE_LOOP', /give the remote a route outside it/)

test('refuses a second address of this host also where --local is given', () =>
  refuses([...TAP, '--local', '192.168.56.4', '--remote', '192.168.56.44'], {
    code: 'TSGRE_REMOTE_IS_LOCAL',
    option: 'remote',
    value: '192.168.56.44',
    wayOut: /give the address of the other one/,
  }))
test('refuses a remote behind the TAP', () =>
  refuses(['--tap', 'tap5', '--remote', '10.9.0.2', '--bridge', 'none'], {
    code: 'TSGRE_ROUTE_LOOP',
    option: 'remote',
    value: '10.9.0.2',
    wayOut: /leads into tap5.*give the remote a route outside it/,
  }))

refused('a local of another family', [...BOTH, '--local', 'fd56::4'], 'TSGRE_FAMILY_MISMATCH', 'local', /of one family/)
refused('a local of another host', [...BOTH, '--local', '192.168.56.9'], 'TSGRE_NO_SOURCE', 'local', /see `ip address`/)
refused('a local that is no address', [...BOTH, '--local', 'eth1'], 'TSGRE_NOT_AN_ADDRESS', 'local', /not an IPv4/)
refused('a device that is none', [...BOTH, '--dev', 'nosuch'], 'TSGRE_BAD_DEVICE', 'dev', /see `ip link`/)

for (const value of ['4294967296', '-1', '1.2.3.256', '1.2.3', 'red', '']) {
  refused('a key out of range', [...BOTH, '--key', value], 'TSGRE_BAD_KEY', 'key', /from 0 to 4294967295/)
}
refused('a key out of range', [...BOTH, '--okey', '1', '--ikey', '-1'], 'TSGRE_BAD_KEY', 'ikey', /10\.20\.30\.40/)
refused('a key out of range', [...BOTH, '--okey', '0x100000000'], 'TSGRE_BAD_KEY', 'okey', /10\.20\.30\.40/)
test('refuses --key beside --ikey', () =>
  refuses([...BOTH, '--key', '1', '--ikey', '2'], {
    code: 'TSGRE_CONFLICT',
    option: 'key',
    value: '1',
    wayOut: /leave it away, or leave --ikey and --okey away/,
  }))

// A number goes as a number where it could be read as one.
for (const [option, code, values, wayOut] of [
  ['mtu', 'TSGRE_BAD_MTU', [67, 65522, '1500.5', 'big', '-1', ''], /68 to 65521 bytes, or "auto"/],
  ['ttl', 'TSGRE_BAD_OPTION', [0, 256, 'old'], /1 to 255 or "inherit"/],
  ['tos', 'TSGRE_BAD_OPTION', [256, '0x1g'], /0 to 255 or "inherit"/],
] as const) {
  for (const value of values) {
    test(`refuses --${option} '${value}'`, () =>
      refuses([...BOTH, `--${option}`, `${value}`], { code, option, value, wayOut }))
  }
}

const tap = (claim: string, name: string, wayOut: RegExp) =>
  refused(claim, [...REMOTE, '--tap', name], 'TSGRE_BAD_TAP', 'tap', wayOut)
tap('a TAP name of 16 bytes', 'tap3456789abcdef', /at most 15 bytes, this one has 16/)
tap('a TAP name of 8 letters and 16 bytes', 'üüüüüüüü', /at most 15 bytes, this one has 16/)
tap('an empty TAP name', '', /such as tap0/)
tap('a TAP name with a slash', 'a/b', /has no "\/"/)
tap('a TAP name that is a pattern', 'tap%d', /has no .*"%"/)
tap('a TAP name taken by a bridge', 'docker0', /is no TAP.*choose another name/)
tap('a TAP name taken by a veth', 'veth0', /is no TAP.*choose another name/)
tap('a TAP name taken by the way to the remote', 'eth1', /is no TAP.*choose another name/)
tap('a TAP name taken by a TUN', 'tun5', /is no TAP.*choose another name/)
tap('a TAP name taken by the loopback', 'lo', /is no TAP.*choose another name/)
tap('a TAP of several queues', 'tap6', /multi_queue.*choose another name/)

const bridge = (claim: string, name: string, wayOut: RegExp) =>
  refused(claim, [...BOTH, '--bridge', name], 'TSGRE_BAD_BRIDGE', 'bridge', wayOut)
bridge('a bridge that is none', 'eth1', /no bridge \(veth\).*`ip link show type bridge`.*--bridge none/)
bridge('a bridge that is a plain device', 'lo', /no bridge \(a plain device\).*--bridge none/)
bridge('a bridge that is not there', 'br9', /no such device.*--bridge none/)
bridge('a bridge without a name', '', /no such device.*--bridge none/)
bridge('a bridge with an impossible name', 'a-name-of-more-than-15', /no such device.*--bridge none/)

for (const cidr of ['192.168.56.0/24', '0.0.0.0/0']) {
  refused('a route that holds the remote', [...BOTH, '--route', cidr], 'TSGRE_ROUTE_LOOP', 'route', /name only/)
}
refused(
  'a route to the own containers',
  [...BOTH, '--route', '10.103.100.0/24'],
  'TSGRE_BAD_ROUTE',
  'route',
  /own network, on docker0; name the network of the other/,
)
refused('host bits', [...BOTH, '--route', '10.103.200.1/24'], 'TSGRE_BAD_ROUTE', 'route', /mean 10\.103\.200\.0\/24\?/)
refused(
  'a route without length',
  [...BOTH, '--route', '10.9.9.9'],
  'TSGRE_BAD_ROUTE',
  'route',
  /mean 10\.9\.9\.9\/32\?/,
)
refused('a route that is none', [...BOTH, '--route', 'default'], 'TSGRE_BAD_ROUTE', 'route', /write one as/)
refused(
  'host bits in the second route',
  [...BOTH, '--route', '10.103.201.0/24', '--route', 'fd10::1/64'],
  'TSGRE_BAD_ROUTE',
  'route',
  /mean fd10::\/64\?/,
)

test('refuses --ignore-df beside --pmtudisc', () =>
  refuses([...BOTH, '--ignore-df', '--pmtudisc'], {
    code: 'TSGRE_CONFLICT',
    option: 'ignore-df',
    value: true,
    wayOut: /leave one away/,
  }))
refused('a port it does not have', [...BOTH, '--io', 'pcap'], 'TSGRE_BAD_OPTION', 'io', /mmsg or raw-socket/)
for (const mac of ['02:00:00:00:00', '01:00:5e:00:00:01', '00:00:00:00:00:00']) {
  refused('a hardware address that is none', [...BOTH, '--mac', mac], 'TSGRE_BAD_OPTION', 'mac', /no multicast address/)
}

for (const [args, wayOut] of [
  [['--colour', 'red'], /colour.*\n?.*tsgre --help/s],
  [['up'], /up.*\n?.*tsgre --help/s],
  [['--local'], /local.*\n?.*tsgre --help/s],
] as const) {
  test(`refuses a command line it does not understand: ${args.join(' ')}`, () =>
    refuses([...BOTH, ...args], { code: 'TSGRE_USAGE', wayOut }))
}
test('says so in English whatever the locale', async () => {
  const { stderr } = await rig.exec('A', tsgreArgv([...BOTH, '--colour']), {
    anyCode: true,
    env: { LC_ALL: 'de_DE.UTF-8', LANG: 'de_DE.UTF-8' },
  })
  assert.match(stderr, /^tsgre: --colour: there is no such option here\n/)
})

for (const [option, value] of [
  ['csum', 'yes'],
  ['probe', 'on'],
  ['clamp-mss', 'off'],
  ['udp6zerocsumrx', '1'],
  ['dry-run', ''],
] as const) {
  test(`refuses a switch with a value, which would mean off: --${option}=${value}`, () =>
    refuses([...BOTH, `--${option}=${value}`], {
      code: 'TSGRE_BAD_OPTION',
      option,
      value,
      wayOut: new RegExp(`--${option}=${value}: .*say --${option}, or --no-${option}`),
    }))
}
for (const option of ['mtu', 'key', 'route', 'io']) {
  test(`refuses --no-${option}, which means nothing`, () =>
    refuses([...BOTH, `--no-${option}`], {
      code: 'TSGRE_BAD_OPTION',
      option,
      value: `--no-${option}`,
      wayOut: new RegExp(`--no-${option}: --${option} takes a value; leave it away`),
    }))
}
test('refuses an option given twice', () =>
  refuses([...BOTH, '--local', '192.168.56.4', '--local', '192.168.56.44'], {
    code: 'TSGRE_CONFLICT',
    option: 'local',
    value: ['192.168.56.4', '192.168.56.44'],
    wayOut: /give it once/,
  }))
test('refuses the same remote twice', () =>
  refuses([...BOTH, '--remote', '192.168.56.6', '--remote', '192.168.56.5,key=7'], {
    code: 'TSGRE_CONFLICT',
    option: 'remote',
    value: '192.168.56.5',
    wayOut: /give each remote once/,
  }))
test('refuses remotes of two address families', () =>
  refuses([...BOTH, '--remote', 'fd56::5'], {
    code: 'TSGRE_FAMILY_MISMATCH',
    option: 'remote',
    value: 'fd56::5',
    wayOut: /must be of one family/,
  }))
test('refuses more remotes than there may be', () => {
  const many = Array.from({ length: 129 }, (_, i) => `--remote=192.168.56.${100 + (i % 100)},key=${i}`)
  return refuses([...TAP, ...many], {
    code: 'TSGRE_CONFLICT',
    option: 'remote',
    value: 129,
    wayOut: /one tunnel takes 128; give the others/,
  })
})
test('refuses a setting of a remote that it does not know', () =>
  refuses([...TAP, '--remote', '192.168.56.5,kye=7'], {
    code: 'TSGRE_BAD_OPTION',
    option: 'remote',
    value: '192.168.56.5,kye=7',
    wayOut: /"kye=7" is no setting of a remote/,
  }))
test('refuses a carrier that nobody could know of', () =>
  refuses([...BOTH, '--carrier'], {
    code: 'TSGRE_CONFLICT',
    option: 'carrier',
    value: true,
    wayOut: /--keepalive 10/,
  }))
test('refuses an option beside a configuration file that belongs into it', () =>
  refuses(['--config', '/etc/tsgre/nosuch.yaml', '--key', '7'], {
    code: 'TSGRE_CONFLICT',
    option: 'key',
    value: '7',
    wayOut: /write it into that file/,
  }))
test('refuses a switch that is set both ways', () =>
  refuses([...BOTH, '--csum', '--no-csum'], {
    code: 'TSGRE_CONFLICT',
    option: 'csum',
    value: ['--csum', '--no-csum'],
    wayOut: /give it once/,
  }))

test('takes a TAP name of 15 bytes', async () => {
  const daemon = await rig.tsgre('A', ['--tap', 'tap3456789abcde'])
  assert.is(daemon.up.name, 'tap3456789abcde')
  assert.is((await daemon.stop()).code, 0)
})

test('refuses a TAP that another program holds, and a second tunnel with the same addresses and key', async () => {
  const first = await rig.tsgre('A', ['--tap', 'tap1'])
  await refuses([...REMOTE, '--tap', 'tap1', '--key', '7'], {
    code: 'TSGRE_BAD_TAP',
    option: 'tap',
    value: 'tap1',
    wayOut: /another tsgre runs on that TAP; choose another name/,
  })
  const inUse = { code: 'TSGRE_IN_USE', option: 'remote', value: '192.168.56.5', wayOut: /its own --key/ }
  await refuses(BOTH, inUse)
  await refuses([...BOTH, '--local', '192.168.56.4'], inUse)
  await refuses([...BOTH, '--okey', '7'], inUse) // what is received decides
  await refuses([...BOTH, '--dev', 'eth1'], inUse)
  await refuses([...BOTH, '--io', 'raw-socket'], inUse)
  const others = [
    ['--tap', 'tap2', '--key', '7'],
    ['--tap', 'tap3', '--key', '0'],
    ['--tap', 'tap4', '--local', '192.168.56.44'],
  ]
  for (const args of others) await (await rig.tsgre('A', args)).stop()
  await first.stop()
  assert.is((await (await rig.tsgre('A')).stop()).code, 0)
})

for (const [capability, io] of [
  ['CAP_NET_ADMIN', 'mmsg'],
  ['CAP_NET_ADMIN', 'raw-socket'],
  ['CAP_NET_RAW', 'mmsg'],
  ['CAP_NET_RAW', 'raw-socket'],
] as const) {
  test(`names ${capability} where it is missing, and how to grant it, with --io ${io}`, async () => {
    const before = snapshot(rig, 'A')
    const without = ['setpriv', '--bounding-set', `-${capability.slice('CAP_'.length).toLowerCase()}`]
    const args = [...BOTH, '--io', io]
    const other = [...REMOTE, '--tap', 'tap9', '--key', '9', '--io', io, '--json']
    const [text, json] = await Promise.all([run(args, without), run(other, without)])
    assert.equal(changes(rig, 'A', before), [])
    assert.is(text.code, 77, text.stderr)
    assert.is(text.stdout, '')
    assert.match(text.stderr, new RegExp(`tsgre needs ${capability} to .*root.*AmbientCapabilities=.*setcap .*node`))
    assert.is(json.code, 77)
    const error = JSON.parse(json.stderr.trim().split('\n').at(-1)!)
    assert.is(error.event, 'error')
    assert.is(error.code, 'EPERM')
    assert.is(error.capability, capability)
  })
}

test('takes a remote of another host also where the kernel would bind any address', async () => {
  rig.execSync('A', ['sysctl', '-qw', 'net.ipv4.ip_nonlocal_bind=1', 'net.ipv6.ip_nonlocal_bind=1'])
  for (const family of [4, 6] as const) await (await rig.tsgre('A', [], { family })).stop()
  rig.execSync('A', ['sysctl', '-qw', 'net.ipv4.ip_nonlocal_bind=0', 'net.ipv6.ip_nonlocal_bind=0'])
})

for (const io of ['mmsg', 'raw-socket']) {
  test(`needs no capability beside those two, with --io ${io}`, async () => {
    const argv = ['setpriv', '--bounding-set', '-all,+net_admin,+net_raw', ...tsgreArgv([...BOTH, '--io', io])]
    const child = rig.spawn('A', argv)
    await child.waitFor(/tap0 up/)
    assert.is((await child.stop()).code, 0)
  })
}

test('says what to do where there is no /dev/net/tun', async () => {
  const hidden = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /dev/net && exec "$@"', 'sh']
  const { code, stdout, stderr } = await run(BOTH, hidden)
  assert.is(code, 1)
  assert.is(stdout, '')
  assert.match(stderr, /^tsgre: .*no \/dev\/net\/tun: load the tun module.*--device \/dev\/net\/tun/)
})

test.run()
