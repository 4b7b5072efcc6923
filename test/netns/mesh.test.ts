// Five hosts in a full mesh, a container behind each: every frame goes where it belongs, once, whatever else happens.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { Mesh } from '../rig/mesh.js'
import { Listeners, summary } from '../rig/numbered.js'

const MB = (process.env.TSGRE_LONG ? 334 : 64) * 1_000_000
const DEADLINE_MS = 20_000

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(100)) {
    if (await holds()) return
    assert.ok(Date.now() < deadline, what)
  }
}

/** Peers of host i by address. */
// biome-ignore lint/suspicious/noExplicitAny: the JSON of status
async function peersOf(mesh: Mesh, i: number): Promise<Map<string, any>> {
  const { peers } = await mesh.status(i)
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of status
  return new Map(peers.map((peer: any) => [peer.remote, peer]))
}

test('all pairs ping; broadcasts come once to each, what is learnt goes to one remote alone, and never back', async () => {
  using mesh = new Mesh()
  await mesh.all()
  await mesh.reachAll()
  const listeners = await Listeners.start(mesh)
  const before = await peersOf(mesh, 1)
  for (const i of mesh.numbers) await listeners.send(i, '10.103.255.255', 200, 2, 1000 * i)
  await listeners.send(1, mesh.address('c3'), 500, 1, 50_000)
  const counts = await listeners.counts()
  const after = await peersOf(mesh, 1)
  const grown = (host: number) => {
    const address = mesh.address(`h${host}`)
    return after.get(address).txFrames - before.get(address).txFrames
  }
  for (const to of mesh.numbers) {
    for (const from of mesh.numbers.filter((i) => i !== to)) {
      const { came, most } = summary(counts.get(to)!, mesh.address(`c${from}`))
      const sent = 200 + (from === 1 && to === 3 ? 500 : 0)
      assert.equal([came, most], [sent, 1], `from ${from} to ${to}`)
    }
  }
  // 200 broadcasts of its own to each, and 500 to one; a frame of a remote that went on to another would be here too.
  assert.ok(grown(3) >= 700 && grown(3) < 750, `${grown(3)} to host 3`)
  for (const other of [2, 4, 5])
    assert.ok(grown(other) >= 200 && grown(other) < 250, `${grown(other)} to host ${other}`)
})

test('three pairs carry TCP at once while remotes come and go, somebody captures, and all is asked all the time', async () => {
  using mesh = new Mesh()
  const daemons = await mesh.all('--keepalive', '1')
  await mesh.reachAll()
  let running = true
  let asked = 0
  const asking = (async () => {
    for (; running; asked++) {
      const [, { peers }] = await Promise.all([sleep(100), mesh.status(1)])
      const remote = '192.168.56.99'
      const there = peers.length === 5
      const body = there ? { remote } : { remote: `${remote},key=5` }
      await mesh.ask(1, { path: '/v1/peers', method: there ? 'DELETE' : 'POST', body })
    }
  })()
  const file = mesh.file('pcapng')
  const capture = mesh.spawn('h1', tsgreArgv(['capture', '-w', file, '--snaplen', '64']))
  const long = { timeoutMs: 240_000 }
  await Promise.all([
    mesh.transfer('c1', 'c2', MB, long),
    mesh.transfer('c3', 'c4', MB, long),
    mesh.transfer('c5', 'c1', MB, long),
  ])
  running = false
  await asking
  assert.is((await capture.stop('SIGINT')).code, 0)
  assert.ok(asked > 10, `asked ${asked} times`)
  const { peers, problems } = await mesh.status(1)
  assert.ok(peers.length === 4 || peers.length === 5)
  assert.equal(
    problems.filter(({ code }: { code: string }) => code === 'tunnel-failed' || code === 'tap-down'),
    [],
  )
  for (const daemon of daemons.values()) assert.ok(daemon.running)
})

test('a host that is killed is known to be down, flooded no more, forgotten, and taken again when it is back', async () => {
  using mesh = new Mesh(3)
  const daemons = await mesh.all('--keepalive', '1,2', '--carrier')
  await mesh.reachAll()
  const down = mesh.address('h2')
  await until('all are up', async () =>
    [...(await peersOf(mesh, 1)).values()].every(({ liveness }) => liveness === 'up'),
  )
  assert.ok((await peersOf(mesh, 1)).get(down).fdbEntries > 0)
  await daemons.get(2)!.stop('SIGKILL')
  await until('it is down', async () => (await peersOf(mesh, 1)).get(down).liveness === 'down')
  await until('it is told', () => Promise.resolve(daemons.get(1)!.stderr.includes(`${down} answers no more`)))
  const { fdbEntries, txFrames } = (await peersOf(mesh, 1)).get(down)
  assert.is(fdbEntries, 0)
  const listeners = await Listeners.start(mesh, [3])
  await listeners.send(1, '10.103.255.255', 100)
  assert.is((await peersOf(mesh, 1)).get(down).txFrames, txFrames)
  assert.equal(summary((await listeners.counts()).get(3)!, mesh.address('c1')), { came: 100, most: 1 })
  assert.match(mesh.ip('h1', 'link show tap0'), /LOWER_UP/)
  await daemons.get(3)!.stop('SIGKILL')
  await until('no carrier while all are down', async () => mesh.ip('h1', 'link show tap0').includes('NO-CARRIER'))
  await mesh.host(2, '--keepalive', '1,2')
  await mesh.host(3, '--keepalive', '1,2')
  await until('they are up again', async () =>
    [...(await peersOf(mesh, 1)).values()].every(({ liveness }) => liveness === 'up'),
  )
  assert.match(mesh.ip('h1', 'link show tap0'), /LOWER_UP/)
  await mesh.reachAll()
})

test('128 remotes, each with a key of its own, fit a kernel with little room for filters; they come and go', async () => {
  using mesh = new Mesh(2)
  // Where this is no setting of a namespace's, the kernel is old, and has no more than that for all.
  await mesh.exec('h1', ['sysctl', '-qw', 'net.core.optmem_max=20480'], { anyCode: true })
  mesh.ip('h1', 'route add 192.168.57.0/24 dev eth1')
  const strangers = Array.from({ length: 126 }, (_, i) => `192.168.57.${i + 1}`)
  const others = strangers.flatMap((address, i) => ['--remote', `${address},key=${i}`])
  await mesh.daemon(1, '--remote', `${mesh.address('h2')},key=1000`, ...others)
  await mesh.daemon(2, '--remote', mesh.address('h1'), '--key', '1000')
  await mesh.reach('c1', 'c2')
  const ask = (method: 'POST' | 'DELETE', remote: string) =>
    mesh.ask(1, { path: '/v1/peers', method, body: { remote } })
  await ask('POST', '192.168.57.200,key=2000')
  assert.is((await peersOf(mesh, 1)).size, 128)
  await mesh.reach('c2', 'c1')
  for (const address of strangers) await ask('DELETE', address)
  assert.is((await peersOf(mesh, 1)).size, 2)
  await mesh.reach('c2', 'c1')
})

test('a storm of broadcasts is limited, and others carry on', async () => {
  using mesh = new Mesh(4)
  await mesh.host(1, '--flood-limit', '200')
  for (const i of [2, 3, 4]) await mesh.host(i)
  await mesh.reachAll()
  const listeners = await Listeners.start(mesh, [2])
  // All are to be counted by the tunnel, none to be lost before it by a queue that is full.
  mesh.ip('h1', 'link set tap0 txqueuelen 30000')
  const started = performance.now()
  const transfer = mesh.transfer('c3', 'c4', 16_000_000)
  await listeners.send(1, '10.103.255.255', 20_000, 0)
  await transfer
  const { drops } = await mesh.status(1)
  const seconds = (performance.now() - started) / 1000
  const { came, most } = summary((await listeners.counts()).get(2)!, mesh.address('c1'))
  assert.is(most, 1)
  assert.ok(came > 0 && came <= 200 * seconds + 21, `${came} came`)
  assert.ok(drops['flood-limit'] > 10 * came, `${drops['flood-limit']} were dropped, ${came} came`)
})

test.run()
