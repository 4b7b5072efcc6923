// Against the kernel: in a namespace of its own, what was changed is put back byte for byte.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Changes } from '#tsgre/host/changes.js'
import { isBridge, linkKind, linkMaster, planPort, planUp } from '#tsgre/host/links.js'
import { listAddresses, listRoutes, planRoute, routeTo } from '#tsgre/host/routes.js'
import { type Namespace, withNamespace } from './namespace.js'
import { errorOf } from './script.js'

/** A bridge as dockerd leaves it, with a container's veth in it, and a TAP. */
async function dockerLike({ ip }: Namespace): Promise<void> {
  await ip('link set lo up')
  await ip('link add docker0 address 02:42:00:00:00:01 type bridge')
  await ip('link add veth0 type veth peer name c0')
  await ip('link set veth0 master docker0')
  for (const name of ['docker0', 'veth0', 'c0']) await ip(`link set ${name} up`)
  await ip('address add 10.103.100.1/24 dev docker0')
  await ip('tuntap add dev tap0 mode tap')
  // A device gets its queue discipline when it goes up first, and keeps it.
  await ip('link set tap0 up')
  await ip('link set tap0 down')
}

/** Links, addresses and routes as `ip` prints them, a list a line, without what changes by itself. */
async function picture({ ip }: Namespace): Promise<string> {
  const lists: string[] = []
  for (const words of ['-details link show', 'address show', '-4 route show table all', '-6 route show table all'])
    lists.push(JSON.stringify(JSON.parse(await ip(`-json ${words}`)), withoutClocks))
  return lists.join('\n')
}

function withoutClocks(key: string, value: unknown): unknown {
  return /_timer$|^tentative$|^topology_change/.test(key) ? undefined : value
}

/** Waits until duplicate address detection and port states have come to rest: the picture stays the same for a while. */
async function settled(namespace: Namespace): Promise<string> {
  let last = ''
  for (let same = 0; same < 4; ) {
    await new Promise((resolve) => setTimeout(resolve, 300))
    const raw = await namespace.ip('-json address show')
    const now = await picture(namespace)
    same = now === last && !raw.includes('tentative') ? same + 1 : 0
    last = now
  }
  return last
}

/** Every link, address and route by itself: the kernel lists one that was added anew in another place. */
function unordered(text: string): string[] {
  const entries = text.split('\n').flatMap((list) => JSON.parse(list) as { addr_info?: object[] }[])
  return entries
    .flatMap(({ addr_info = [], ...entry }) => [entry, ...addr_info.map((address) => ({ ...entry, ...address }))])
    .map((entry) => JSON.stringify(entry))
    .sort()
}

async function linkLocals({ ip }: Namespace, name: string): Promise<string> {
  return await ip(`-6 -o address show dev ${name} scope link`)
}

test('a TAP joins a bridge without an address of its own, and all is as before after the undo', () =>
  withNamespace(async (namespace) => {
    await dockerLike(namespace)
    const before = await settled(namespace)
    const undo = new Changes(namespace.run)
    await undo.make(await planPort('tap0', 'docker0', [], namespace.run))
    await undo.make(await planRoute('10.103.200.0/24', 'docker0', namespace.run))
    await undo.make(await planRoute('2001:db8:200::/64', 'docker0', namespace.run))

    assert.is(await linkMaster('tap0', namespace.run), 'docker0')
    assert.match(await namespace.ip('link show dev tap0'), /[<,]UP[,>]/)
    assert.is((await routeTo('10.103.200.9', undefined, namespace.run))?.dev, 'docker0')
    assert.is((await routeTo('2001:db8:200::9', undefined, namespace.run))?.dev, 'docker0')
    assert.is.not(await picture(namespace), before)

    assert.equal(await undo.unwind(), [])
    assert.is(await settled(namespace), before)
  }))

test('a port with a carrier gets no link-local address', () =>
  withNamespace(async (namespace) => {
    await dockerLike(namespace)
    await namespace.ip('link add port0 type veth peer name other')
    await namespace.ip('link set other up')
    await new Changes(namespace.run).make(await planPort('port0', 'docker0', [], namespace.run))
    await settled(namespace)
    assert.is(await linkLocals(namespace, 'port0'), '')
    // Its peer is left to the kernel and shows that there was a carrier and the kernel makes such addresses here.
    assert.match(await linkLocals(namespace, 'other'), /fe80::/)
  }))

test('a port that was up elsewhere loses its link-local addresses, keeps the others, and finds all again', () =>
  withNamespace(async (namespace) => {
    await dockerLike(namespace)
    await namespace.ip('link add br7 address 02:42:00:00:00:07 type bridge')
    await namespace.ip('link set br7 up')
    await namespace.ip('link add port0 type veth peer name other')
    await namespace.ip('link set other up')
    await namespace.ip('link set port0 up')
    await settled(namespace)
    await namespace.ip('link set port0 master br7')
    for (const address of ['10.9.0.1/24', '2001:db8:9::1/64', 'fe80::77/64'])
      await namespace.ip(`address add ${address} dev port0`)
    const before = await settled(namespace)
    assert.match(await linkLocals(namespace, 'port0'), /fe80::/)

    const undo = new Changes(namespace.run)
    await undo.make(await planPort('port0', 'docker0', [], namespace.run))
    assert.is(await linkLocals(namespace, 'port0'), '')
    assert.is(await linkMaster('port0', namespace.run), 'docker0')
    assert.match(await namespace.ip('address show dev port0'), /10\.9\.0\.1\/24.*2001:db8:9::1\/64/s)

    assert.equal(await undo.unwind(), [])
    assert.equal(unordered(await settled(namespace)), unordered(before))
    assert.is(await linkMaster('port0', namespace.run), 'br7')
    assert.match(await linkLocals(namespace, 'port0'), /fe80::/)
  }))

test('undo bears that TAP and bridge are gone', () =>
  withNamespace(async (namespace) => {
    await dockerLike(namespace)
    const undo = new Changes(namespace.run)
    await undo.make(await planPort('tap0', 'docker0', [], namespace.run))
    await undo.make(await planRoute('10.103.200.0/24', 'docker0', namespace.run))
    await namespace.ip('link del docker0')
    await namespace.ip('link del tap0')
    assert.equal(await undo.unwind(), [])
  }))

test('a TAP whose bridge is gone goes down and gets its mode back', () =>
  withNamespace(async (namespace) => {
    await dockerLike(namespace)
    const before = await namespace.ip('-json -details link show dev tap0')
    const undo = new Changes(namespace.run)
    await undo.make(await planPort('tap0', 'docker0', [], namespace.run))
    await namespace.ip('link del docker0')
    assert.equal(await undo.unwind(), [])
    assert.is(await namespace.ip('-json -details link show dev tap0'), before)
  }))

test('an attachment that fails in the middle is undone as far as it came', () =>
  withNamespace(async (namespace) => {
    await dockerLike(namespace)
    const before = await settled(namespace)
    const undo = new Changes(namespace.run)
    const error = await errorOf(async () => undo.make(await planPort('tap0', 'lo', [], namespace.run)))
    assert.is(error.code, 'TSGRE_COMMAND_FAILED')
    assert.is.not(await picture(namespace), before)
    assert.equal(await undo.unwind(), [])
    assert.is(await settled(namespace), before)
  }))

test('a route already there stays after the undo, one to elsewhere is refused', () =>
  withNamespace(async (namespace) => {
    await dockerLike(namespace)
    await namespace.ip('route add 10.103.200.0/24 dev docker0')
    await namespace.ip('route add 10.103.201.0/24 via 10.103.100.9')
    await namespace.ip('-6 route add unreachable 2001:db8:201::/64')
    const before = await settled(namespace)
    const undo = new Changes(namespace.run)
    await undo.make(await planRoute('10.103.200.0/24', 'docker0', namespace.run))
    for (const [cidr, inTheWay] of [
      ['10.103.201.0/24', '"10.103.201.0/24 via 10.103.100.9 dev docker0"'],
      ['2001:db8:201::/64', '"unreachable 2001:db8:201::/64 dev lo metric 1024"'],
    ] as const) {
      const error = await errorOf(async () => undo.make(await planRoute(cidr, 'docker0', namespace.run)))
      assert.is(error.code, 'TSGRE_BAD_ROUTE')
      assert.match(error.message, inTheWay)
    }
    assert.equal(await undo.unwind(), [])
    assert.is(await settled(namespace), before)
  }))

test('sees what kind of route leads to an address', () =>
  withNamespace(async ({ ip, run, ...rest }) => {
    await dockerLike({ ip, run, ...rest })
    for (const type of ['unreachable', 'blackhole', 'prohibit']) await ip(`route add ${type} 192.0.2.${type.length}/32`)
    assert.equal(await routeTo('10.103.100.2', undefined, run), {
      dev: 'docker0',
      source: '10.103.100.1',
      type: 'unicast',
    })
    assert.is((await routeTo('10.103.100.1', undefined, run))?.type, 'local')
    assert.is((await routeTo('10.103.100.255', undefined, run))?.type, 'broadcast')
    assert.is((await routeTo('::1', undefined, run))?.type, 'local')
    assert.equal(await routeTo('192.0.2.11', undefined, run), { dev: '', type: 'unreachable' })
    assert.equal(await routeTo('192.0.2.9', undefined, run), { dev: '', type: 'blackhole' })
    assert.equal(await routeTo('192.0.2.8', undefined, run), { dev: '', type: 'prohibit' })
    assert.is(await routeTo('198.51.100.1', undefined, run), undefined)
    assert.is(await routeTo('10.103.100.2', 'nosuch', run), undefined)
    assert.is((await routeTo('fe80::5%docker0', undefined, run))?.dev, 'docker0')
    assert.is((await routeTo('fe80::5', 'veth0', run))?.dev, 'veth0')
  }))

test('tells bridges, TAPs and missing links apart', () =>
  withNamespace(async (namespace) => {
    await dockerLike(namespace)
    assert.is(await linkKind('docker0', namespace.run), 'bridge')
    assert.is(await linkKind('tap0', namespace.run), 'tun')
    assert.is(await linkKind('veth0', namespace.run), 'veth')
    assert.is(await linkKind('nosuch', namespace.run), undefined)
    assert.is(await isBridge('tap0', namespace.run), false)
    const undo = new Changes(namespace.run)
    await undo.make(await planUp('tap0', namespace.run))
    assert.match(await namespace.ip('link show dev tap0'), /[<,]UP[,>]/)
    await undo.unwind()
    assert.not.match(await namespace.ip('link show dev tap0'), /[<,]UP[,>]/)
  }))

test('lists the routes and addresses of a real host', () =>
  withNamespace(async (namespace) => {
    await dockerLike(namespace)
    await namespace.ip('route add default via 10.103.100.9')
    const routes = await listRoutes(namespace.run)
    assert.equal(
      routes
        .filter(({ destination }) => destination.includes('.'))
        .map(({ destination, protocol }) => [destination, protocol]),
      [
        ['0.0.0.0/0', 'boot'],
        ['10.103.100.0/24', 'kernel'],
      ],
    )
    const addresses = await listAddresses(namespace.run)
    assert.ok(
      addresses.some(
        ({ address, prefixLength, dev }) => `${address}/${prefixLength} ${dev}` === '10.103.100.1/24 docker0',
      ),
    )
  }))

test.run()
