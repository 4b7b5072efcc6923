// What somebody takes away from a running tunnel is put back, with one line for each time; what somebody decided is left.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Daemon } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { settledChanges, settledSnapshot } from '../rig/snapshot.js'

const ROUTE = ['--route', '10.103.200.0/24']

async function until(what: string, happened: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; !happened(); await sleep(20))
    assert.ok(Date.now() < deadline, `this did not happen: ${what}`)
}

function master(rig: Hosts, name = 'tap0'): string | undefined {
  return rig.ipJson('A', `link show ${name}`)[0].master
}

function routed(rig: Hosts): boolean {
  return rig.ip('A', 'route show 10.103.200.0/24').includes('docker0')
}

function redirects(rig: Hosts): string {
  const read = (name: string) => rig.execSync('A', ['cat', `/proc/sys/net/ipv4/conf/${name}/send_redirects`]).trim()
  return `${read('all')} ${read('docker0')}`
}

/** What it said since it was up, warnings and notes. */
function said(daemon: Daemon): string[] {
  const messages = (text: readonly string[]) => text.flatMap((line) => (line ? (JSON.parse(line).message ?? []) : []))
  return [...messages(daemon.stderr.split('\n')), ...messages(daemon.lines.slice(1))]
}

/** What happens before `ip monitor` listens is seen later; a test of what an event does waits for it. */
async function settled(daemon: Daemon): Promise<Daemon> {
  await sleep(1200)
  assert.equal(said(daemon), [])
  return daemon
}

/** docker0 as the rig and dockerd make it. */
function makeBridge(rig: Hosts): void {
  // In one go: a look between two of them would find a bridge that is down, where no route can be put back.
  const commands = [
    'link add docker0 address 02:42:c0:a8:38:04 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
    'address add 10.103.100.1/24 dev docker0',
    'link set docker0 addrgenmode none up',
    'link set veth0 master docker0',
  ]
  rig.execSync('A', ['ip', '-batch', '-'], `${commands.join('\n')}\n`)
}

test('a bridge that was deleted and made again has its TAP, routes and settings back, and traffic flows', async () => {
  using rig = new Hosts()
  const A = await settled(await rig.tsgre('A', ROUTE))
  await rig.tsgre('B', ['--route', '10.103.100.0/24'])
  await rig.reach('cA', 'cB')
  const gone = 'bridge docker0 is gone, and its routes with it: tap0 joins it again when it comes back'
  for (let round = 1; round <= 2; round++) {
    rig.ip('A', 'link del docker0')
    await until('a word of the bridge', () => said(A).filter((line) => line === gone).length >= round)
    makeBridge(rig)
    await until('all is back', () => master(rig) === 'docker0' && routed(rig) && redirects(rig) === '0 0')
    await rig.reach('cA', 'cB')
    await until('a word of what is back', () => said(A).at(-1)!.startsWith('put back'))
  }
  const back = 'put back: tap0 in docker0, no ICMP redirects (docker0), route 10.103.200.0/24 dev docker0'
  // A bridge is made in several steps, and what is missing may be put back in two.
  assert.equal(new Set(said(A).filter((line) => !line.startsWith('put back'))), new Set([gone]))
  assert.ok(
    said(A).includes(back) || said(A).filter((line) => line.startsWith('put back')).length > 2,
    said(A).join('\n'),
  )
  assert.is((await A.stop()).code, 0)
  assert.is(redirects(rig), '1 1')
})

for (const [what, takeAway, isBack, words] of [
  [
    'a TAP taken out of its bridge',
    (rig: Hosts) => rig.ip('A', 'link set tap0 nomaster'),
    (rig: Hosts) => master(rig) === 'docker0',
    'put back: tap0 in docker0',
  ],
  [
    'a TAP set down',
    (rig: Hosts) => rig.ip('A', 'link set tap0 down'),
    (rig: Hosts) => rig.ipJson('A', 'link show tap0')[0].flags.includes('UP'),
    'put back: tap0 up',
  ],
  [
    'a route taken away',
    (rig: Hosts) => rig.ip('A', 'route del 10.103.200.0/24'),
    routed,
    'put back: route 10.103.200.0/24 dev docker0',
  ],
  [
    'a setting changed, of which no event tells',
    (rig: Hosts) => rig.execSync('A', ['sysctl', '-qw', 'net.ipv4.conf.all.send_redirects=1']),
    (rig: Hosts) => redirects(rig) === '0 0',
    'put back: no ICMP redirects (all)',
  ],
] as const) {
  test(`${what} is put back, with one line, and everything is as it was at the end`, async () => {
    using rig = new Hosts()
    const before = await settledSnapshot(rig, 'A')
    const A = await settled(await rig.tsgre('A', ROUTE))
    takeAway(rig)
    await until(words, () => isBack(rig) && said(A).length > 0)
    await sleep(400)
    assert.equal(said(A), [words])
    assert.is((await A.stop()).code, 0)
    assert.is(redirects(rig), '1 1')
    assert.equal(await settledChanges(rig, 'A', before), [])
  })
}

test('a TAP somebody put into another bridge is left there, with one warning', async () => {
  using rig = new Hosts()
  const A = await settled(await rig.tsgre('A', ROUTE))
  rig.ip('A', 'link add br7 type bridge')
  rig.ip('A', 'link set br7 up')
  rig.ip('A', 'link set tap0 master br7')
  await until('a warning', () => said(A).length > 0)
  await sleep(2000)
  assert.is(master(rig), 'br7')
  assert.is(said(A).length, 1, said(A).join('\n'))
  assert.match(said(A)[0]!, /tap0 was put into br7, and is left there; `ip link set tap0 master docker0` puts it back/)
  rig.ip('A', 'link set tap0 nomaster')
  await until('it is back', () => master(rig) === 'docker0')
  assert.is((await A.stop()).code, 0)
})

test('who keeps taking the TAP out of its bridge is not fought for ever', async () => {
  using rig = new Hosts()
  const A = await settled(await rig.tsgre('A'))
  let turns = 0
  await until('it gives in', () => {
    if (master(rig) === 'docker0') {
      rig.ip('A', 'link set tap0 nomaster')
      turns++
    }
    return A.stderr.includes('something else keeps undoing')
  })
  assert.ok(turns >= 10, `${turns}`)
  await sleep(1000)
  assert.is(said(A).filter((line) => line.startsWith('put back')).length, 10)
  assert.is(said(A).length, 11, said(A).join('\n'))
  assert.is((await A.stop()).code, 0)
})

test('tells when the underlay loses its route and gets it back, one line each, and traffic flows again', async () => {
  using rig = new Hosts()
  const A = await settled(await rig.tsgre('A', ROUTE))
  await rig.tsgre('B', ['--route', '10.103.100.0/24'])
  await rig.reach('cA', 'cB')
  rig.ip('A', 'link set eth1 down')
  await until('a warning', () => said(A).length === 1)
  rig.ip('A', 'link set eth1 up')
  await rig.reach('cA', 'cB')
  await until('a word that it is back', () => said(A).length === 2)
  assert.match(
    said(A).join('\n'),
    /^there is no route to 192\.168\.56\.5 any more: .*\nthe route to 192\.168\.56\.5 is there again/,
  )
  assert.is(master(rig), 'docker0')
  assert.ok(routed(rig))
})

test('tells when its underlay address goes and comes back, one line each, and traffic flows again', async () => {
  using rig = new Hosts()
  const A = await settled(await rig.tsgre('A', ROUTE))
  await rig.tsgre('B', ['--route', '10.103.100.0/24'])
  rig.ip('A', 'address add 192.168.56.44/24 dev eth1')
  await sleep(300)
  rig.ip('A', 'address del 192.168.56.4/24 dev eth1')
  await until('a warning', () => said(A).length >= 1)
  for (const command of ['address flush dev eth1', 'address add 192.168.56.4/24 dev eth1']) {
    rig.ip('A', command)
    await sleep(300)
  }
  await until('a word that it is back', () => said(A).length >= 2)
  assert.match(said(A)[0]!, /^192\.168\.56\.4 is no address of this host any more/)
  assert.match(said(A).at(-1)!, /^the route to 192\.168\.56\.5 is there again/)
  await rig.reach('cA', 'cB')
  assert.ok(routed(rig))
})

test.run()
