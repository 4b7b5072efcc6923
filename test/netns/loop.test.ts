// Two hosts of a mesh whose LANs are joined by a second path: the loop is noticed and cut, and every host is reached as before.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Mesh } from '../rig/mesh.js'
import { Listeners, summary } from '../rig/numbered.js'

const DEADLINE_MS = 30_000

/** Frames that host i has sent so far. */
async function sent(mesh: Mesh, i: number): Promise<number> {
  return (await mesh.status(i)).txFrames
}

interface Peer {
  readonly remote: string
  readonly blocked: boolean
}

const blocked = ({ peers }: { peers: Peer[] }): string[] =>
  peers.filter((peer) => peer.blocked).map((peer) => peer.remote)

test('a second path between two LANs is noticed and cut: the storm ends, and each hears each broadcast once', async () => {
  using mesh = new Mesh()
  const daemons = await mesh.all()
  await mesh.reachAll()
  mesh.join('h1', 'h2')
  await mesh.ping('c3', '10.103.77.77', { count: 1, wait: 0.2 }) // a broadcast, to go round
  for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(100)) {
    const shut = [blocked(await mesh.status(1)), blocked(await mesh.status(2))]
    if (shut.some((remotes) => remotes.length === 4)) break
    assert.ok(Date.now() < deadline, JSON.stringify(shut))
  }
  const said = () => [1, 2].map((i) => daemons.get(i)!.stdout + daemons.get(i)!.stderr).join('')
  const SHUT = /leads back into this LAN by another path: it is shut for a while/
  for (const deadline = Date.now() + DEADLINE_MS; !SHUT.test(said()); await sleep(100))
    assert.ok(Date.now() < deadline, said())
  const { problems } = await mesh.status(blocked(await mesh.status(1)).length === 4 ? 1 : 2)
  assert.ok(
    problems.some(({ code }: { code: string }) => code.includes('loop')),
    JSON.stringify(problems),
  )
  await sleep(1000) // what was on its way has arrived
  const before = await Promise.all(mesh.numbers.map((i) => sent(mesh, i)))
  await sleep(1000)
  const after = await Promise.all(mesh.numbers.map((i) => sent(mesh, i)))
  for (const i of mesh.numbers)
    assert.ok(after[i - 1]! - before[i - 1]! < 200, `host ${i} sends on: ${before} ${after}`)
  await mesh.reachAll()
  const listeners = await Listeners.start(mesh)
  for (const i of mesh.numbers) await listeners.send(i, '10.103.255.255', 50, 2, 1000 * i)
  const counts = await listeners.counts()
  for (const to of mesh.numbers) {
    for (const from of mesh.numbers.filter((i) => i !== to)) {
      assert.equal(summary(counts.get(to)!, mesh.address(`c${from}`)), { came: 50, most: 1 }, `from ${from} to ${to}`)
    }
  }
  if (!process.env.TSGRE_LONG) return
  mesh.ip('h1', 'link del second')
  for (const deadline = Date.now() + 120_000; ; await sleep(500)) {
    const shut = await Promise.all(mesh.numbers.map(async (i) => blocked(await mesh.status(i))))
    if (shut.every((remotes) => remotes.length === 0)) break
    assert.ok(Date.now() < deadline, `still shut: ${JSON.stringify(shut)}`)
  }
  await mesh.reachAll()
})

test('frames that go round one way alone, and so show no address on both sides, are noticed', async () => {
  using mesh = new Mesh(3)
  await mesh.all()
  await mesh.reachAll()
  mesh.join('h1', 'h2')
  // Out of the second path's own end: from there it enters the other LAN, and comes back through the tunnel.
  const frame = "b'\\x33\\x33\\x00\\x00\\x00\\x16\\x02\\x00\\x00\\x00\\x00\\x99\\x88\\xb6' + bytes(46)"
  const send = `import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('second', 0)); s.send(${frame})`
  for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(100)) {
    mesh.execSync('h1', ['python3', '-c', send])
    const statuses = await Promise.all(mesh.numbers.map((i) => mesh.status(i)))
    const carried = Math.max(...statuses.map(({ txFrames }) => txFrames))
    assert.ok(carried < 5000, `${carried} frames were sent by one host`)
    if (statuses.some((status) => blocked(status).length === 2)) break
    assert.ok(Date.now() < deadline)
  }
})

test('an address that moves once, as a container that moves to another host, shuts nothing', async () => {
  using mesh = new Mesh(3)
  await mesh.all()
  await mesh.reachAll()
  const mac = mesh.ip('c1', '-br link show eth0').split(/\s+/)[2]!
  mesh.ip('c1', 'link set eth0 down')
  mesh.ip('c2', `link set eth0 address ${mac}`)
  mesh.ip('c2', `address add ${mesh.address('c1')}/16 dev eth0`)
  mesh.execSync('c2', ['ping', '-c', '2', '-i', '0.2', '-I', mesh.address('c1'), mesh.address('c3')])
  const { peers } = await mesh.status(1)
  assert.ok(peers.every((peer: { blocked: boolean }) => !peer.blocked))
  await mesh.reach('c3', mesh.address('c1'))
})

test('--no-loop-guard shuts nothing', async () => {
  using mesh = new Mesh(2)
  await mesh.all('--no-loop-guard', '--flood-limit', '500')
  await mesh.reachAll()
  mesh.join('h1', 'h2')
  await mesh.ping('c1', '10.103.77.77', { count: 1, wait: 0.2 })
  await sleep(1500)
  for (const i of mesh.numbers) assert.equal(blocked(await mesh.status(i)), [])
  const { drops } = await mesh.status(1)
  assert.is(drops['loop-guard'], 0)
})

test.run()
