import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { run } from './command.js'

const A = ['--a', '192.168.56.4=10.103.100.1/24']
const B = ['--b', '192.168.56.5=10.103.200.1/24']

async function pair(...args: readonly string[]) {
  const [program, ...words] = tsgreArgv(['pair', ...args])
  return await run(program!, words)
}

async function planned(...args: readonly string[]) {
  const { code, stdout, stderr } = await pair(...args, '--json')
  assert.is(code, 0, stderr)
  return JSON.parse(stdout)
}

test('prints for each host its two commands, each the mirror of the other', async () => {
  const { a, b, tunnelMtu } = await planned(...A, ...B)
  assert.is(tunnelMtu, 1462)
  assert.equal(a.commands, [
    'tsgre docker apply --bip 10.103.100.1/24 --route 10.103.200.0/24 --restart',
    'tsgre --remote 192.168.56.5 --tap tap0 --route 10.103.200.0/24',
  ])
  const swap = (text: string) =>
    text.replaceAll(/192\.168\.56\.4|192\.168\.56\.5|10\.103\.100|10\.103\.200/g, (found) => SWAPPED[found]!)
  assert.equal(b.commands, a.commands.map(swap))
  assert.equal(await planned('--b', A[1]!, '--a', B[1]!), { event: 'pair', a: b, b: a, tunnelMtu })
})

const SWAPPED: Record<string, string> = {
  '192.168.56.4': '192.168.56.5',
  '192.168.56.5': '192.168.56.4',
  '10.103.100': '10.103.200',
  '10.103.200': '10.103.100',
}

test('what a person gets are comments and the same commands', async () => {
  const { stdout, stderr } = await pair(...A, ...B)
  assert.is(stderr, '')
  const lines = stdout.split('\n').filter((line) => line && !line.startsWith('#'))
  const { a, b } = await planned(...A, ...B)
  assert.equal(lines, [...a.commands, ...b.commands])
  assert.match(stdout, /# On host A, 192\.168\.56\.4, as root:\n/)
  assert.match(stdout, /Over an MTU of 1500 .* carries 1462 bytes in one packet/)
})

for (const [args, tunnelMtu, words] of [
  [['--key', '42'], 1458, ' --key 42'],
  [['--key', '10.20.30.40', '--csum', '--seq'], 1450, ' --key 10.20.30.40 --csum --seq'],
  [['--underlay-mtu', '9000'], 8962, ''],
  [['--tap', 'gre-b'], 1462, ''],
] as const) {
  test(`gives both hosts the same options, and tells the tunnel MTU they leave: ${args.join(' ')}`, async () => {
    const plan = await planned(...A, ...B, ...args)
    assert.is(plan.tunnelMtu, tunnelMtu)
    for (const { commands } of [plan.a, plan.b]) {
      assert.ok(commands[1].endsWith(words), commands[1])
      assert.ok(commands[1].includes(args[0] === '--tap' ? ' --tap gre-b ' : ' --tap tap0 '), commands[1])
    }
  })
}

test('a host beside the networks of the containers is fine where they are not one', async () => {
  const { a } = await planned('--a', '10.103.5.5=10.103.100.1/24', '--b', '10.103.5.6=10.103.200.1/24')
  assert.is(a.host, '10.103.5.5')
})

test('a flat pair shares one network, has no routes, and tells each its part', async () => {
  const { a, b } = await planned('--flat', '--a', 'fd56::4=10.103.100.1/24', '--b', 'fd56::5=10.103.200.1/24')
  assert.equal([a.bridge, a.containers], ['10.103.100.1/16', '10.103.100.0/24'])
  assert.equal([b.bridge, b.containers], ['10.103.200.1/16', '10.103.200.0/24'])
  assert.equal(a.commands, [
    'tsgre docker apply --bip 10.103.100.1/24 --flat --restart',
    'tsgre --remote fd56::5 --tap tap0',
  ])
})

const refusals: readonly [args: readonly string[], code: string, option: string, words: RegExp][] = [
  [B, 'TSGRE_BAD_OPTION', 'a', /--a is missing: it takes UNDERLAY=BIP/],
  [A, 'TSGRE_BAD_OPTION', 'b', /--b is missing/],
  [['--a', '192.168.56.4', ...B], 'TSGRE_BAD_OPTION', 'a', /takes UNDERLAY=BIP/],
  [['--a', 'host=10.103.100.1/24', ...B], 'TSGRE_NOT_AN_ADDRESS', 'a', /names are not resolved/],
  [['--a', '224.0.0.1=10.103.100.1/24', ...B], 'TSGRE_NOT_UNICAST', 'a', /unicast/],
  [['--a', 'fe80::1%eth1=10.103.100.1/24', ...B], 'TSGRE_BAD_OPTION', 'a', /link-local/],
  [['--a', '192.168.56.4=10.103.100.0/24', ...B], 'TSGRE_BAD_BIP', 'a', /did you mean 10\.103\.100\.1\/24/],
  [['--a', '192.168.56.4=10.103.100.255/24', ...B], 'TSGRE_BAD_BIP', 'a', /broadcast/],
  [['--a', '192.168.56.4=10.103.100.1', ...B], 'TSGRE_BAD_BIP', 'a', /prefix length/],
  [['--a', 'fd56::4=10.103.100.1/24', ...B], 'TSGRE_FAMILY_MISMATCH', 'b', /fd56::4 of --a/],
  [[...A, '--b', '192.168.56.4=10.103.200.1/24'], 'TSGRE_REMOTE_IS_LOCAL', 'b', /name the other one/],
  [
    [...A, '--b', '192.168.56.5=10.103.100.2/24'],
    'TSGRE_BAD_BIP',
    'b',
    /10\.103\.100\.0\/24 overlaps 10\.103\.100\.0\/24 of --a/,
  ],
  [
    [...A, '--b', '192.168.56.5=10.103.200.1/16'],
    'TSGRE_BAD_BIP',
    'b',
    /10\.103\.0\.0\/16 overlaps 10\.103\.100\.0\/24 of --a/,
  ],
  [
    [...A, '--b', '192.168.56.5=192.168.56.1/24'],
    'TSGRE_ROUTE_LOOP',
    'b',
    /192\.168\.56\.0\/24 holds the host 192\.168\.56\.4/,
  ],
  [['--a', '127.0.0.1=10.103.100.1/24', ...B], 'TSGRE_REMOTE_IS_LOCAL', 'a', /127\.0\.0\.1 is every host itself/],
  [[...A, '--b', '127.8.0.9=10.103.200.1/24'], 'TSGRE_REMOTE_IS_LOCAL', 'b', /the other host reaches this one/],
  [
    ['--a', 'fd56::4=10.103.100.1/24', '--b', '::1=10.103.200.1/24'],
    'TSGRE_REMOTE_IS_LOCAL',
    'b',
    /::1 is every host itself/,
  ],
  [
    ['--flat', '--a', '10.103.5.5=10.103.100.1/24', ...B],
    'TSGRE_ROUTE_LOOP',
    'a',
    /10\.103\.0\.0\/16 holds the host 10\.103\.5\.5.*choose another network/,
  ],
  [['--flat', ...A, '--b', '10.103.5.5=10.103.200.1/24'], 'TSGRE_ROUTE_LOOP', 'a', /holds the host 10\.103\.5\.5/],
  [[...A, ...B, '--tap=-x'], 'TSGRE_BAD_TAP', 'tap', /starts with "-" for an option/],
  [[...A, ...B, '--key', '4294967296'], 'TSGRE_BAD_KEY', 'key', /4294967295/],
  [[...A, ...B, '--tap', 'a name'], 'TSGRE_BAD_TAP', 'tap', /space/],
  [[...A, ...B, '--underlay-mtu', '500'], 'TSGRE_BAD_MTU', 'underlay-mtu', /leaves 462 bytes/],
  [[...A, ...B, '--underlay-mtu', 'big'], 'TSGRE_BAD_MTU', 'underlay-mtu', /number of bytes/],
  [[...A, ...A, ...B], 'TSGRE_CONFLICT', 'a', /given 2 times/],
  [['--flat', ...A, '--b', '192.168.56.5=10.104.200.1/24'], 'TSGRE_BAD_BIP', 'b', /both lie in one \/16/],
  [['--flat', ...A, '--b', '192.168.56.5=10.103.100.9/24'], 'TSGRE_BAD_BIP', 'b', /parts of the network must differ/],
  [
    ['--flat', '--a', '192.168.56.4=10.103.0.1/16', '--b', '192.168.56.5=10.104.0.1/16'],
    'TSGRE_BAD_BIP',
    'a',
    /leaves none for the other/,
  ],
]
for (const [args, code, option, words] of refusals) {
  test(`refuses ${args.join(' ')}`, async () => {
    const [text, json] = await Promise.all([pair(...args), pair(...args, '--json')])
    assert.is(text.code, 2)
    assert.is(text.stdout, '')
    assert.match(text.stderr, words)
    const error = JSON.parse(json.stderr)
    assert.equal([json.code, error.code, error.option], [2, code, option])
  })
}

for (const flat of [[], ['--flat']]) {
  test(`its commands are taken by the commands they are for${flat.map((word) => `, ${word}`)}`, async () => {
    using rig = new Hosts({ overlay: 'none' })
    const plan = await planned(...flat, ...A, ...B, '--key', '42')
    for (const [host, { commands }] of [
      ['A', plan.a],
      ['B', plan.b],
    ] as const) {
      const words = (command: string) => command.split(' ').slice(1)
      const docker = words(commands[0]).filter((word) => word !== '--restart')
      docker[1] = 'plan'
      const file = ['--config-file', rig.file('json')]
      const shown = await rig.exec(host, tsgreArgv([...docker, ...file]), { anyCode: true })
      assert.is(shown.code, 0, shown.stderr)
      assert.match(shown.stdout, '"bip": "10.103.')
      const tunnel = await rig.exec(host, tsgreArgv([...words(commands[1]), '--dry-run']), { anyCode: true })
      assert.is(tunnel.code, 0, tunnel.stderr)
    }
  })
}

test.run()
