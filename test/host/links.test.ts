import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Changes } from '#tsgre/host/changes.js'
import { isBridge, linkKind, linkMaster, planKeep, planPort, planUp } from '#tsgre/host/links.js'
import { planMtu, portMtu } from '#tsgre/host/port-mtu.js'
import { errorOf, fails, script } from './script.js'

const SHOW = 'ip -json -details link show dev'
const ADDRESSES = 'ip -json -6 address show dev tap0 scope link'

function link(fields: object): string {
  return JSON.stringify([
    { ifname: 'tap0', flags: [], linkinfo: { info_kind: 'tun' }, inet6_addr_gen_mode: 'eui64', ...fields },
  ])
}

const gone = fails('Device "tap0" does not exist.\n')

test('names the kind of a link; a plain device has an empty one, a missing link none', async () => {
  const { run } = script({
    [`${SHOW} docker0`]: JSON.stringify([{ ifname: 'docker0', flags: [], linkinfo: { info_kind: 'bridge' } }]),
    [`${SHOW} eth0`]: JSON.stringify([{ ifname: 'eth0', flags: [] }]),
    [`${SHOW} tap0`]: gone,
  })
  assert.is(await linkKind('docker0', run), 'bridge')
  assert.is(await linkKind('eth0', run), '')
  assert.is(await linkKind('tap0', run), undefined)
  assert.is(await isBridge('docker0', run), true)
  assert.is(await isBridge('eth0', run), false)
  assert.is(await isBridge('tap0', run), false)
})

test('a failure that is not about a missing link is not taken for one', async () => {
  const { run } = script({ [`${SHOW} tap0`]: fails('Cannot open netlink socket: Permission denied\n') })
  const error = await errorOf(async () => linkKind('tap0', run))
  assert.is(error.code, 'TSGRE_COMMAND_FAILED')
})

test('names the master of a port, none of a device that is no port', async () => {
  assert.is(await linkMaster('tap0', script({ [`${SHOW} tap0`]: link({ master: 'br7' }) }).run), 'br7')
  assert.is(await linkMaster('tap0', script({ [`${SHOW} tap0`]: link({}) }).run), undefined)
})

test('attaches a fresh TAP: no IPv6 address, then the port, then up', async () => {
  const { run, changes } = script({ [`${SHOW} tap0`]: link({}), [ADDRESSES]: '[]' })
  await new Changes(run).make(await planPort('tap0', 'docker0', [], run))
  assert.equal(changes(), [
    'ip link set dev tap0 addrgenmode none',
    'ip link set dev tap0 master docker0',
    'ip link set dev tap0 up',
  ])
})

test('undo of a fresh TAP goes down, out of the bridge, back to its mode', async () => {
  const { run, changes } = script({ [`${SHOW} tap0`]: link({}), [ADDRESSES]: '[]' })
  const undo = new Changes(run)
  await undo.make(await planPort('tap0', 'docker0', [], run))
  assert.equal(await undo.unwind(), [])
  assert.equal(changes().slice(3), [
    'ip link set dev tap0 down',
    'ip link set dev tap0 nomaster',
    'ip link set dev tap0 addrgenmode eui64',
  ])
})

test('takes the link-local address from a TAP that is up, moves it, and undo gives both back', async () => {
  const { run, changes } = script({
    [`${SHOW} tap0`]: link({ flags: ['UP'], master: 'br7', inet6_addr_gen_mode: 'random' }),
    [`${SHOW} br7`]: link({ ifname: 'br7' }),
    [ADDRESSES]: JSON.stringify([{}, { addr_info: [{}, { local: 'fe80::1', prefixlen: 64 }] }]),
  })
  const undo = new Changes(run)
  await undo.make(await planPort('tap0', 'docker0', [], run))
  assert.equal(changes(), [
    'ip link set dev tap0 addrgenmode none',
    'ip -6 address flush dev tap0 scope link',
    'ip link set dev tap0 master docker0',
  ])
  await undo.unwind()
  // The script still reports fe80::1 as present, so nothing is added to what is there.
  assert.equal(changes().slice(3), ['ip link set dev tap0 master br7', 'ip link set dev tap0 addrgenmode random'])
})

test('undo adds a link-local address that is missing', async () => {
  const answers: Parameters<typeof script>[0] = {
    [`${SHOW} tap0`]: link({ flags: ['UP'], inet6_addr_gen_mode: 'none', master: 'docker0' }),
    [ADDRESSES]: JSON.stringify([{ addr_info: [{ local: 'fe80::1', prefixlen: 64 }] }]),
  }
  const { run, changes } = script(answers)
  const undo = new Changes(run)
  await undo.make(await planPort('tap0', 'docker0', [], run))
  answers[ADDRESSES] = ''
  await undo.unwind()
  assert.equal(changes(), [
    'ip -6 address flush dev tap0 scope link',
    'ip -6 address add fe80::1/64 dev tap0 scope link',
  ])
})

test('a TAP that is a port already, up and without IPv6, is left alone, and so by the undo', async () => {
  const attached = link({ flags: ['UP'], master: 'docker0', inet6_addr_gen_mode: undefined })
  const { run, changes } = script({ [`${SHOW} tap0`]: attached })
  const undo = new Changes(run)
  await undo.make(await planPort('tap0', 'docker0', [], run))
  await undo.unwind()
  assert.equal(changes(), [])
})

test('a change that failed is not taken back, those before it are', async () => {
  const { run, changes } = script({
    [`${SHOW} tap0`]: link({}),
    [ADDRESSES]: '[]',
    'ip link set dev tap0 master docker0': fails('RTNETLINK answers: Operation not permitted\n'),
  })
  const undo = new Changes(run)
  const error = await errorOf(async () => undo.make(await planPort('tap0', 'docker0', [], run)))
  assert.is(error.code, 'TSGRE_COMMAND_FAILED')
  await undo.unwind()
  assert.equal(changes().slice(2), ['ip link set dev tap0 addrgenmode eui64'])
})

test('a TAP gone before the undo is no failure', async () => {
  const answers: Parameters<typeof script>[0] = { [`${SHOW} tap0`]: link({}), [ADDRESSES]: '[]' }
  const { run, asked } = script(answers)
  const undo = new Changes(run)
  await undo.make(await planPort('tap0', 'docker0', [], run))
  answers[`${SHOW} tap0`] = gone
  for (const change of ['down', 'nomaster', 'addrgenmode eui64']) answers[`ip link set dev tap0 ${change}`] = gone
  assert.equal(await undo.unwind(), [])
  assert.ok(asked.includes('ip link set dev tap0 nomaster'))
})

test('a change that fails on a TAP still there is a failure of the undo', async () => {
  const { run } = script({
    [`${SHOW} tap0`]: link({}),
    [ADDRESSES]: '[]',
    'ip link set dev tap0 down': fails('RTNETLINK answers: Operation not permitted\n'),
  })
  const undo = new Changes(run)
  await undo.make(await planPort('tap0', 'docker0', [], run))
  assert.equal(
    (await undo.unwind()).map(({ what }) => what),
    ['tap0 up'],
  )
})

test('a TAP whose former bridge is gone ends in none', async () => {
  const { run, changes } = script({
    [`${SHOW} tap0`]: link({ flags: ['UP'], master: 'br7', inet6_addr_gen_mode: 'none' }),
    [`${SHOW} br7`]: fails('Device "br7" does not exist.\n'),
  })
  const undo = new Changes(run)
  await undo.make(await planPort('tap0', 'docker0', [], run))
  assert.equal(await undo.unwind(), [])
  assert.is(changes().at(-1), 'ip link set dev tap0 nomaster')
})

test('of a TAP that is taken over, MTU and address come back, and link-local addresses that came since go', async () => {
  const addresses = (...list: string[]) =>
    JSON.stringify([{ addr_info: [{}, ...list.map((local) => ({ local, prefixlen: 64 }))] }])
  const found = { flags: ['UP'], mtu: 1400, address: 'fe:00:00:00:00:01' }
  const answers = { [`${SHOW} tap0`]: link(found), [ADDRESSES]: addresses('fe80::1') }
  const { run, changes } = script(answers)
  const undo = new Changes(run)
  await undo.make(await planKeep('tap0', run))
  answers[ADDRESSES] = addresses('fe80::1', 'fe80::2')
  assert.equal(changes(), [])
  assert.equal(await undo.unwind(), [])
  assert.equal(changes(), [
    'ip -6 address del fe80::2/64 dev tap0',
    'ip link set dev tap0 mtu 1400 address fe:00:00:00:00:01',
  ])
})

test('has no addresses to keep of a TAP that is still to be made', async () => {
  const { run, asked } = script({ [`${SHOW} tap0`]: gone })
  const undo = new Changes(run)
  await undo.make(await planKeep('tap0', run))
  assert.equal(await undo.unwind(), [])
  assert.equal(asked, [`${SHOW} tap0`])
})

test('plans for a TAP that is still to be made as for one the kernel just made', async () => {
  const missing = await planPort('tap0', 'docker0', [], script({ [`${SHOW} tap0`]: gone }).run)
  const fresh = await planPort('tap0', 'docker0', [], script({ [`${SHOW} tap0`]: link({}), [ADDRESSES]: '[]' }).run)
  assert.is(missing.length, 3)
  assert.equal(missing, fresh)
})

test('the MTU of a port is the smallest of the others, of no other tunnel, and one that a TAP can have', async () => {
  const of = async (...mtus: number[]) => {
    const ports = mtus.map((mtu, index) => ({ ifname: `tap${index}`, mtu }))
    const { run } = script({ 'ip -json link show master docker0': JSON.stringify(ports) })
    return await portMtu('tap0', 'docker0', ['tap0', 'tap1'], run)
  }
  assert.is(await of(), 1500)
  assert.is(await of(576, 1000), 1500)
  assert.is(await of(576, 1000, 9000, 1400, 1500), 1400)
  assert.is(await of(576, 1000, 65535), 65521)
})

test('an MTU comes after the mode and before the bridge, and goes back when the TAP has left it', async () => {
  const answers = { [`${SHOW} tap0`]: link({ mtu: 1500 }), [ADDRESSES]: '[]' }
  const { run, changes } = script(answers)
  const undo = new Changes(run)
  await undo.make(await planPort('tap0', 'docker0', [await planMtu('tap0', 1200, 1300, run)], run))
  await undo.make([await planMtu('tap0', 9000, 1300, run)])
  assert.equal(await undo.unwind(), [])
  assert.equal(
    changes().map((line) => line.replace('ip link set dev tap0 ', '')),
    [
      ...['addrgenmode none', 'mtu 1200', 'master docker0', 'up', 'mtu 9000'],
      ...['down', 'nomaster', 'mtu 1300', 'addrgenmode eui64'],
    ],
  )
})

test('of an MTU that is right only the way back is kept', async () => {
  const { run, changes } = script({ [`${SHOW} tap0`]: link({ mtu: 1400 }) })
  const change = await planMtu('tap0', 1400, undefined, run)
  assert.is(change.action, undefined)
  assert.equal(change.undo, { kind: 'link', name: 'tap0', set: ['mtu', '1500'] })
  assert.equal(changes(), [])
})

test('planUp of a link that is up changes nothing, of one that is down is undone', async () => {
  const up = script({ [`${SHOW} tap0`]: link({ flags: ['UP'] }) })
  const down = script({ [`${SHOW} tap0`]: link({}) })
  for (const { run } of [up, down]) {
    const undo = new Changes(run)
    await undo.make(await planUp('tap0', run))
    await undo.unwind()
  }
  assert.equal(up.changes(), [])
  assert.equal(down.changes(), ['ip link set dev tap0 up', 'ip link set dev tap0 down'])
})

test.run()
