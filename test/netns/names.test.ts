// Remotes by name, resolved by a real DNS server, and addresses that change while frames are carried; no daemon is started again.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Child } from '../rig/child.js'
import { tsgreArgv } from '../rig/daemon.js'
import { Mesh } from '../rig/mesh.js'
import { together } from '../rig/together.js'

const NAME = 'hostb.example'
const DNS = '192.168.56.1'

/** A DNS server in the middle of a mesh, which host 1 asks. `ip netns exec` puts /etc/netns/NAME/resolv.conf in place. */
class Named {
  readonly mesh: Mesh
  readonly #hosts: string
  readonly #folder: string
  #server!: Child

  /** `patience`: how long an answer is waited for, in seconds. */
  constructor(mesh: Mesh, patience = 1) {
    this.mesh = mesh
    this.#hosts = mesh.file('hosts')
    this.#folder = `/etc/netns/${mesh.namespace('h1')}`
    mkdirSync(this.#folder, { recursive: true })
    writeFileSync(`${this.#folder}/resolv.conf`, `nameserver ${DNS}\noptions timeout:${patience} attempts:1\n`)
    mesh.ip('lan', `address add ${DNS}/24 dev br0`)
  }

  async serve(address?: string): Promise<void> {
    this.say(address)
    const words = [
      '--keep-in-foreground',
      '--no-resolv',
      '--no-hosts',
      '--addn-hosts',
      this.#hosts,
      '--local',
      '/example/',
    ]
    const quiet = ['--conf-file=/dev/null', '--pid-file=', '--local-ttl=1', '--user=root', '--log-facility=-']
    this.#server = this.mesh.spawn('lan', ['dnsmasq', ...words, ...quiet, '--listen-address', DNS, '--bind-interfaces'])
    await this.#server.waitFor(/read .*hosts|cached|started/)
  }

  /** From now on. */
  say(address?: string): void {
    writeFileSync(this.#hosts, address ? `${address} ${NAME}\n` : '')
    this.#server?.kill('SIGHUP')
  }

  /** Leaves questions waiting; they are answered when it goes on. */
  pause(): void {
    this.#server.kill('SIGSTOP')
  }

  goOn(): void {
    this.#server.kill('SIGCONT')
  }

  [Symbol.dispose](): void {
    this.mesh.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function errorOf(answer: Promise<unknown>): Promise<string> {
  const error = await answer.then(
    () => undefined,
    (error) => error,
  )
  return error ? `${error.code}: ${error.message}` : 'no error'
}

together('a remote that is renamed to another address is followed while TCP runs', async () => {
  using named = new Named(new Mesh(2))
  const { mesh } = named
  const [first, second] = [mesh.address('h2'), '192.168.56.77']
  await named.serve(first)
  let B = await mesh.daemon(2, '--remote', mesh.address('h1'))
  const A = await mesh.daemon(1, '--remote', NAME, '--keepalive', '1,2')
  // Whoever never answered cannot be missed: the name would be asked for again after half a minute.
  await A.waitFor(/192\.168\.56\.12 answers/)
  await mesh.reach('c1', 'c2')
  assert.equal((await mesh.status(1)).peers[0].asked, NAME)
  const transfer = mesh.transfer('c1', 'c2', 150_000_000, { timeoutMs: 90_000 })
  transfer.catch(() => {}) // it may fail while something else is awaited
  await sleep(300)
  // B leaves its address for another one.
  await B.stop('SIGKILL')
  mesh.ip('h2', `address del ${first}/24 dev eth1`)
  mesh.ip('h2', `address add ${second}/24 dev eth1`)
  named.say(second)
  B = await mesh.daemon(2, '--remote', mesh.address('h1'), '--local', second)
  await transfer
  const [peer] = (await mesh.status(1)).peers
  assert.equal([peer.asked, peer.remote], [NAME, second])
  await A.waitFor((line) => line.includes(`${NAME} is ${second} now (was ${first})`))
  assert.ok(A.running && B.running)
})

together('a name that is answered when the tunnel is long up becomes a remote of it', async () => {
  using named = new Named(new Mesh(2), 30)
  const { mesh } = named
  await named.serve(mesh.address('h2'))
  await mesh.daemon(2, '--remote', mesh.address('h1'))
  named.pause()
  const A = await mesh.daemon(1, '--remote', '192.168.56.99', '--remote', NAME)
  assert.equal(
    (await mesh.status(1)).peers.map(({ resolved }: { resolved: boolean }) => resolved),
    [true, false],
  )
  named.goOn()
  await A.waitFor(/hostb\.example is 192\.168\.56\.12 now/)
  await mesh.reach('c1', 'c2')
  assert.is((await A.stop('SIGTERM')).code, 0)
})

together('the end does not wait for a name server that does not answer, in the middle of a reload either', async () => {
  using named = new Named(new Mesh(2), 20)
  const { mesh } = named
  await named.serve()
  named.pause()
  const file = mesh.file('waiting.yaml')
  const write = (...more: string[]) =>
    writeFileSync(file, `tap: tap0\nbridge: br0\nremotes: [${['192.168.56.99', ...more].join()}]\n`)
  write()
  const A = mesh.spawn('h1', tsgreArgv(['--config', file]))
  await A.waitFor(/^tsgre: tap0 up/)
  write(NAME)
  A.kill('SIGHUP')
  await sleep(500)
  const since = Date.now()
  assert.is((await A.stop('SIGTERM', 30_000)).code, 0)
  assert.ok(Date.now() - since < 10_000, `${Date.now() - since} ms`)
})

together('a remote that falls silent while its name is being asked for is asked for once, and moves once', async () => {
  using named = new Named(new Mesh(2), 30)
  const { mesh } = named
  const [first, second] = [mesh.address('h2'), '192.168.56.77']
  await named.serve(first)
  const A = await mesh.daemon(1, '--remote', NAME, '--keepalive', '1,2')
  const isNow = async (liveness: string) => {
    while ((await mesh.status(1)).peers[0].liveness !== liveness) await sleep(50)
  }
  named.pause()
  for (const _ of ['the first question', 'another one beside it']) {
    const B = await mesh.daemon(2, '--remote', mesh.address('h1'))
    await isNow('up')
    await B.stop('SIGKILL')
    await isNow('down')
  }
  mesh.ip('h2', `address add ${second}/24 dev eth1`)
  await mesh.daemon(2, '--remote', mesh.address('h1'), '--local', second)
  named.say(second)
  named.goOn()
  await A.waitFor(new RegExp(`${NAME} is ${second} now \\(was ${first}\\)`))
  await mesh.reach('c1', 'c2')
  assert.not.match(A.stderr, 'no remote of this tunnel')
  const [peer] = (await mesh.status(1)).peers
  assert.equal([peer.remote, peer.resolved], [second, true])
})

together('a name without an address is waited for, and told of', async () => {
  using named = new Named(new Mesh(2))
  const { mesh } = named
  await named.serve()
  const A = mesh.spawn('h1', tsgreArgv(['--tap', 'tap0', '--bridge', 'br0', '--remote', NAME]))
  await A.waitFor(/hostb\.example: the name has no address/)
  await mesh.daemon(2, '--remote', mesh.address('h1'))
  for (;;) {
    // biome-ignore lint/suspicious/noExplicitAny: the JSON of status
    const status = await mesh.status(1).catch(() => undefined as any)
    if (status?.problems.length > 0) {
      assert.equal([status.state, status.peers[0].resolved], ['starting', false])
      assert.match(status.problems[0].text, NAME)
      break
    }
    await sleep(100)
  }
  // It has to wait for something.
  for (const remote of [NAME, '192.0.2.9']) {
    const refused = await errorOf(mesh.ask(1, { method: 'DELETE', path: '/v1/peers', body: { remote } }))
    assert.match(refused, /^TSGRE_NOT_NOW: tap0 is not up yet/)
  }
  named.say(mesh.address('h2'))
  await A.waitFor(/^tsgre: tap0 up/, 60_000)
  await mesh.reach('c1', 'c2')
  const add = (remote: string) => mesh.ask(1, { method: 'POST', path: '/v1/peers', body: { remote } })
  assert.equal(JSON.parse(await add('nosuch.example')), { address: null })
  for (const twin of ['nosuch.example', 'NOSUCH.example.'])
    assert.match(
      await errorOf(add(twin)),
      /^TSGRE_CONFLICT: --remote .*: is a remote of this tunnel already; give it once/,
    )
  assert.is((await mesh.status(1)).peers.length, 2)
  const remove = (remote: string) => mesh.ask(1, { method: 'DELETE', path: '/v1/peers', body: { remote } })
  assert.match(await errorOf(remove('192.0.2.9')), /tap0 has no such peer; it has .*nosuch\.example/)
  await remove('NOSUCH.example.')
  assert.is((await mesh.status(1)).peers.length, 1)
  assert.is((await A.stop('SIGTERM')).code, 0)
})

for (const options of [[], ['--encap', 'udp', '--ignore-df', '--mtu', '1500']])
  together(`an address of this host that changes is followed: ${options.join(' ') || 'no options'}`, () =>
    followed(options),
  )

async function followed(options: readonly string[]): Promise<void> {
  using mesh = new Mesh(2)
  const [before, after] = [mesh.address('h1'), '192.168.56.66']
  const A = await mesh.daemon(1, '--remote', mesh.address('h2'), ...options)
  await mesh.daemon(2, '--remote', before, '--remote', after, ...options)
  await mesh.reach('c1', 'c2')
  mesh.ip('h1', `address del ${before}/24 dev eth1`)
  mesh.ip('h1', `address add ${after}/24 dev eth1`)
  await A.waitFor(new RegExp(`this host's address is ${after.replaceAll('.', '\\.')} now`))
  await mesh.reach('c1', 'c2')
  await mesh.reach('c2', 'c1')
  assert.is((await mesh.status(1)).local, after)
  // With --ignore-df as one that is fragmented outside.
  if (options.length > 0) assert.is((await mesh.ping('c1', 'c2', { size: 1472, dontFragment: true })).loss, 0)
  await mesh.transfer('c1', 'c2', 5_000_000)
  await mesh.transfer('c2', 'c1', 5_000_000)
  assert.is((await A.stop('SIGTERM')).code, 0)
}

test.run()
