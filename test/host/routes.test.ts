import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Changes } from '#tsgre/host/changes.js'
import { listAddresses, listRoutes, planRoute, routeTo } from '#tsgre/host/routes.js'
import { errorOf, fails, script } from './script.js'

const EXACT = 'ip -json -4 route show to exact 10.103.200.0/24'

test('asks the kernel where an address leads', async () => {
  const { run, asked } = script({
    'ip -json route get 192.168.56.5': '[{"dst":"192.168.56.5","dev":"eth1","prefsrc":"192.168.56.4","flags":[]}]',
  })
  assert.equal(await routeTo('192.168.56.5', undefined, run), { dev: 'eth1', source: '192.168.56.4', type: 'unicast' })
  assert.equal(asked, ['ip -json route get 192.168.56.5'])
})

test('a zone becomes the device, a named device comes before it', async () => {
  const { run, asked } = script({})
  await routeTo('fe80::5%eth1', undefined, run)
  await routeTo('fe80::5%eth1', 'eth2', run)
  assert.equal(asked, ['ip -json route get fe80::5 dev eth1', 'ip -json route get fe80::5 dev eth2'])
})

test('tells no route from a route that refuses, and both from a failure', async () => {
  for (const [stderr, expected] of [
    ['RTNETLINK answers: Network is unreachable\n', undefined],
    ['Cannot find device "eth1"\n', undefined],
    ['RTNETLINK answers: No route to host\n', { dev: '', type: 'unreachable' }],
    ['RTNETLINK answers: Permission denied\n', { dev: '', type: 'prohibit' }],
    ['RTNETLINK answers: Invalid argument\n', { dev: '', type: 'blackhole' }],
  ] as const) {
    assert.equal(
      await routeTo('192.0.2.1', undefined, script({ 'ip -json route get 192.0.2.1': fails(stderr) }).run),
      expected,
    )
  }
  const { run } = script({ 'ip -json route get 192.0.2.1': fails('RTNETLINK answers: No buffer space available\n') })
  assert.is((await errorOf(async () => routeTo('192.0.2.1', undefined, run))).code, 'TSGRE_COMMAND_FAILED')
})

test('adds a route and takes it away again', async () => {
  const { run, asked } = script({ [EXACT]: '[]' })
  const undo = new Changes(run)
  await undo.make(await planRoute('10.103.200.0/24', 'docker0', run))
  await undo.unwind()
  assert.equal(asked, [EXACT, 'ip route add 10.103.200.0/24 dev docker0', 'ip route del 10.103.200.0/24 dev docker0'])
})

test('writes an IPv6 network in its canonical form', async () => {
  const { run, asked } = script({})
  await new Changes(run).make(await planRoute('2001:DB8:0::/64', 'docker0', run))
  assert.equal(asked, ['ip -json -6 route show to exact 2001:db8::/64', 'ip route add 2001:db8::/64 dev docker0'])
})

test('keeps the same route that is there already, and leaves it there', async () => {
  const { run, changes } = script({ [EXACT]: '[{"dst":"10.103.200.0/24","dev":"docker0","scope":"link","flags":[]}]' })
  const undo = new Changes(run)
  await undo.make(await planRoute('10.103.200.0/24', 'docker0', run))
  await undo.unwind()
  assert.equal(changes(), [])
})

test('refuses a destination that is routed elsewhere and names the route in the way', async () => {
  for (const [route, text] of [
    ['{"dst":"10.103.200.0/24","gateway":"192.168.56.5","dev":"eth1"}', '10.103.200.0/24 via 192.168.56.5 dev eth1'],
    ['{"dst":"10.103.200.0/24","dev":"eth1","metric":50}', '10.103.200.0/24 dev eth1 metric 50'],
    ['{"type":"unreachable","dst":"10.103.200.0/24"}', 'unreachable 10.103.200.0/24'],
    [
      '{"dst":"10.103.200.0/24","gateway":"10.103.100.9","dev":"docker0"}',
      '10.103.200.0/24 via 10.103.100.9 dev docker0',
    ],
    [
      '{"dst":"10.103.200.0/24","via":{"family":"inet6","host":"fe80::1"},"dev":"eth1"}',
      '10.103.200.0/24 via inet6 fe80::1 dev eth1',
    ],
    [
      '{"dst":"10.103.200.0/24","nexthops":[{"gateway":"192.0.2.1","dev":"a"},{"gateway":"192.0.2.2","dev":"b"}]}',
      '10.103.200.0/24 nexthop via 192.0.2.1 dev a nexthop via 192.0.2.2 dev b',
    ],
  ]) {
    const { run, changes } = script({ [EXACT]: `[${route}]` })
    const undo = new Changes(run)
    const error = await errorOf(async () => undo.make(await planRoute('10.103.200.0/24', 'docker0', run)))
    assert.is(error.name, 'HostError')
    assert.is(error.code, 'TSGRE_BAD_ROUTE')
    assert.is(error.command, 'ip route add 10.103.200.0/24 dev docker0')
    assert.match(error.message, `there is already a route "${text}"`)
    await undo.unwind()
    assert.equal(changes(), [])
  }
})

test('a second route of the same destination is in the way also behind the same one', async () => {
  const both = '[{"dst":"10.103.200.0/24","dev":"docker0"},{"dst":"10.103.200.0/24","dev":"eth1","metric":9}]'
  const error = await errorOf(async () =>
    new Changes(script({ [EXACT]: both }).run).make(
      await planRoute('10.103.200.0/24', 'docker0', script({ [EXACT]: both }).run),
    ),
  )
  assert.match(error.message, '"10.103.200.0/24 dev eth1 metric 9"')
})

test('does not take away a route that somebody else added in the same moment', async () => {
  const { run, changes } = script({
    'ip route add 10.103.200.0/24 dev docker0': fails('RTNETLINK answers: File exists\n'),
  })
  const undo = new Changes(run)
  const error = await errorOf(async () => undo.make(await planRoute('10.103.200.0/24', 'docker0', run)))
  assert.is(error.stderr, 'RTNETLINK answers: File exists\n')
  assert.equal(await undo.unwind(), [])
  assert.equal(changes(), ['ip route add 10.103.200.0/24 dev docker0'])
})

test('a route that went with its device is no failure of the undo, one that stays is', async () => {
  for (const [left, failures] of [
    ['[]', 0],
    ['[{"dst":"10.103.200.0/24","dev":"docker0"}]', 1],
  ] as const) {
    const answers: Parameters<typeof script>[0] = {
      'ip route del 10.103.200.0/24 dev docker0': fails('RTNETLINK answers: No such process\n'),
    }
    const { run } = script(answers)
    const undo = new Changes(run)
    await undo.make(await planRoute('10.103.200.0/24', 'docker0', run))
    answers[EXACT] = left
    assert.is((await undo.unwind()).length, failures)
  }
})

test('lists routes of both families with whole destinations', async () => {
  const { run } = script({
    'ip -json -4 route show':
      '[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","protocol":"dhcp"},{"dst":"192.0.2.9","dev":"eth0"}]',
    'ip -json -6 route show': '[{"dst":"default","gateway":"fe80::1","dev":"eth0","protocol":"ra","metric":1024}]',
  })
  assert.equal(await listRoutes(run), [
    {
      destination: '0.0.0.0/0',
      dev: 'eth0',
      gateway: '192.0.2.1',
      type: 'unicast',
      protocol: 'dhcp',
      text: 'default via 192.0.2.1 dev eth0',
    },
    { destination: '192.0.2.9/32', dev: 'eth0', type: 'unicast', protocol: 'boot', text: '192.0.2.9 dev eth0' },
    {
      destination: '::/0',
      dev: 'eth0',
      gateway: 'fe80::1',
      type: 'unicast',
      protocol: 'ra',
      text: 'default via fe80::1 dev eth0 metric 1024',
    },
  ])
})

test('lists addresses by device', async () => {
  const links = [
    { ifname: 'eth0', addr_info: [{ family: 'inet', local: '192.0.2.2', prefixlen: 24 }] },
    { ifname: 'tap0' },
    { ifname: 'docker0', addr_info: [{ family: 'inet6', local: 'fe80::1', prefixlen: 64 }] },
  ]
  assert.equal(await listAddresses(script({ 'ip -json address show': JSON.stringify(links) }).run), [
    { address: '192.0.2.2', prefixLength: 24, family: 4, dev: 'eth0' },
    { address: 'fe80::1', prefixLength: 64, family: 6, dev: 'docker0' },
  ])
})

test.run()
