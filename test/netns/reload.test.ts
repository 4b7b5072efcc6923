// A configuration that changes while its tunnels run: what need not be ended for it goes on without losing a frame, and a file with
// a mistake in it changes nothing.

import { writeFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Child } from '../rig/child.js'
import { type Daemon, tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { streamWhile } from '../rig/numbered.js'

/** A's configuration, as objects; JSON is YAML too. */
interface Tunnel {
  tap: string
  bridge?: string
  remotes: (string | object)[]
  [key: string]: unknown
}

const FIRST: Tunnel = { tap: 'tap0', remotes: ['192.168.56.5'] }
const SECOND: Tunnel = { tap: 'tap1', bridge: 'none', remotes: [{ address: '192.168.56.5', key: 9 }] }

class Configured {
  readonly rig = new Hosts({ overlay: 'flat' })
  readonly file = this.rig.file('yaml')
  child!: Child
  other!: Daemon

  /** B's one tunnel says nothing but its remote. */
  static start(...tunnels: Tunnel[]): Promise<Configured> {
    return Configured.facing([], ...tunnels)
  }

  static async facing(b: readonly string[], ...tunnels: Tunnel[]): Promise<Configured> {
    const made = new Configured()
    made.write(...tunnels)
    made.other = await made.rig.tsgre('B', b)
    made.child = made.rig.spawn('A', tsgreArgv(['--config', made.file]))
    for (const { tap } of tunnels) await made.child.waitFor(new RegExp(`^tsgre: ${tap} up`))
    // What waits while a busy machine keeps a tunnel from running is not lost.
    for (const host of ['A', 'B'] as const) made.rig.ip(host, 'link set tap0 txqueuelen 10000')
    await made.rig.reach('cA', 'cB')
    return made
  }

  write(...tunnels: Tunnel[]): void {
    writeFileSync(this.file, JSON.stringify({ tunnels }))
  }

  reload() {
    return this.rig.exec('A', tsgreArgv(['reload']), { anyCode: true })
  }

  // biome-ignore lint/suspicious/noExplicitAny: the JSON of status
  async tunnels(): Promise<any[]> {
    return JSON.parse((await this.rig.exec('A', tsgreArgv(['status', '--json']))).stdout).tunnels
  }

  /** The remotes of each tunnel with their keys. */
  async remotes(): Promise<Record<string, string[]>> {
    const entries = (await this.tunnels()).map(({ name, peers }) => [
      name,
      peers.map(({ remote, asked, keyIn }: Record<string, unknown>) => `${asked ?? remote} ${keyIn}`),
    ])
    return Object.fromEntries(entries)
  }

  index(tap: string): number {
    return this.rig.ipJson('A', `link show ${tap}`)[0].ifindex
  }

  /** Every frame that is sent while `body` runs must come, both ways, and come once. */
  async whileCarrying(body: () => Promise<void>): Promise<void> {
    const pings = this.rig.ping('cA', 'cB', { count: 500, interval: 0.005, wait: 2 })
    const there = await streamWhile(this.rig, 'cA', 'cB', body)
    const { sent, replies } = await pings
    // For the very last ones ping does not wait long.
    const numbers = replies.map(({ seq }) => seq)
    assert.ok(sent === 500 && numbers.length >= 400, `${numbers.length} of ${sent} replies`)
    const all = numbers.map((_, i) => i + 1)
    assert.equal(numbers, all, 'frames were lost')
    assert.ok(there.sent > 1000, `only ${there.sent} datagrams were sent`)
    assert.equal([there.came, there.most], [there.sent, 1], 'datagrams were lost, or came twice')
  }

  [Symbol.dispose](): void {
    this.rig.close()
  }
}

test('remotes come, change and go while frames are carried, and none is lost', async () => {
  using host = await Configured.start(FIRST)
  const index = host.index('tap0')
  await host.whileCarrying(async () => {
    host.write({ ...FIRST, remotes: ['192.168.56.5', '192.168.56.77,key=7'] })
    assert.match((await host.reload()).stdout, /tap0: remote changed/)
    let [{ peers }] = await host.tunnels()
    assert.equal(
      peers.map(({ remote, keyIn }: { remote: string; keyIn: number | null }) => [remote, keyIn]),
      [
        ['192.168.56.5', null],
        ['192.168.56.77', 7],
      ],
    )
    host.write({ ...FIRST, remotes: ['192.168.56.5', { address: '192.168.56.77', key: 8 }] })
    host.child.kill('SIGHUP')
    await host.child.waitFor(/reloaded: tap0: remote changed/)
    for (;;) {
      ;[{ peers }] = await host.tunnels()
      if (peers[1].keyIn === 8) break
    }
    host.write(FIRST)
    await host.reload()
    assert.is((await host.tunnels())[0].peers.length, 1)
    assert.match((await host.reload()).stdout, /nothing/)
  })
  assert.is(host.index('tap0'), index)
})

test('what was said of all remotes goes with its lines, and a remote that is added later has what is said now', async () => {
  const keyed = { ...FIRST, key: 7, csum: true, seq: true, checksum: 'require' }
  using host = await Configured.facing(['--key', '7', '--csum'], keyed)
  const index = host.index('tap0')
  const add = async (spec: string) => host.rig.exec('A', tsgreArgv(['peers', 'add', spec]))
  host.write({ ...keyed, key: 8 })
  assert.match((await host.reload()).stdout, /tap0: remote, key changed/)
  await add('192.168.56.77')
  assert.equal((await host.remotes()).tap0, ['192.168.56.5 8', '192.168.56.77 8'])
  host.write({ ...keyed, key: 8, remotes: [...keyed.remotes, '192.168.56.77'] })
  assert.match((await host.reload()).stdout, /nothing changed/, 'the file says what was added by hand')
  host.write(FIRST)
  assert.match((await host.reload()).stdout, /tap0: remote, key, csum, checksum, seq changed/)
  await add('192.168.56.78')
  assert.equal((await host.remotes()).tap0, ['192.168.56.5 null', '192.168.56.78 null'])
  // B takes neither a key nor a checksum now, and A no longer asks for one.
  await host.other.stop()
  await host.rig.tsgre('B', ['--checksum', 'forbid'])
  await host.rig.reach('cA', 'cB')
  assert.is(host.index('tap0'), index)
})

test('a file that says every default besides changes nothing', async () => {
  using host = await Configured.start(FIRST, SECOND)
  const [indexes, counted] = [[host.index('tap0'), host.index('tap1')], (await host.tunnels())[0].peers[0].rxFrames]
  assert.ok(counted > 0)
  const which = await host.rig.exec('A', tsgreArgv(['peers', 'add', '192.168.56.77']), { anyCode: true })
  assert.match(which.stderr, /has several tunnels: say which, as in --tap tap0; it has tap0, tap1$/m)
  const { stdout } = await host.rig.exec('A', tsgreArgv(['config', 'show', host.file]))
  writeFileSync(host.file, stdout)
  assert.match((await host.reload()).stdout, /nothing changed/)
  assert.equal([host.index('tap0'), host.index('tap1')], indexes)
  assert.ok((await host.tunnels())[0].peers[0].rxFrames >= counted, 'counted anew')
})

test('a file with a mistake changes nothing, says where it is, and loses no frame', async () => {
  using host = await Configured.start(FIRST)
  const before = JSON.stringify((await host.tunnels()).map(({ name, peers }) => [name, peers.length]))
  await host.whileCarrying(async () => {
    writeFileSync(host.file, 'tunnels:\n  - tap: tap0\n    remotes: [192.168.56.5]\n    ttl: 300\n')
    const bad = await host.reload()
    assert.is(bad.code, 2)
    assert.match(bad.stderr, `${host.file}:4:`)
    assert.match(bad.stderr, /ttl/)
    writeFileSync(host.file, 'tunnels: [')
    assert.is((await host.reload()).code, 2)
    // Good to read, and refused by the host: the second tunnel, which must not hinder the first.
    host.write(FIRST, { ...SECOND, bridge: 'nosuch' })
    const refused = await host.reload()
    assert.is(refused.code, 2)
    assert.match(refused.stderr, /nosuch/)
    host.write({ ...FIRST, remotes: ['192.168.56.5', 'fd56::5'] })
    assert.is((await host.reload()).code, 2)
  })
  assert.is(JSON.stringify((await host.tunnels()).map(({ name, peers }) => [name, peers.length])), before)
})

test('what this host refuses is told with file, line, key and tunnel, at a reload, at the start and by a dry run', async () => {
  using host = await Configured.start(FIRST)
  const first = 'tunnels:\n  tap0: {remotes: [192.168.56.5]}\n'
  const cases: [text: string, words: RegExp][] = [
    [
      `${first}  tap1:\n    remote: 192.168.56.6\n    bridge: brX\n`,
      /:5:13: tunnels\.tap1\.bridge: brX: there is no such device; name/,
    ],
    [
      'tunnels:\n  - tap: tap1\n    remotes: [h, 192.168.56.4]\n',
      /:3:18: tunnels\[0\]\.remotes\[1\] of tap1: 192\.168\.56\.4: that is an address of/,
    ],
    [
      'tap: tap0\nremote: 192.168.56.5\nlocal: 192.168.56.9\n',
      /:3:8: local of tap0: 192\.168\.56\.9: not an address of this/,
    ],
    [
      'bridge: none\ntunnels:\n  eth1: {remote: 192.168.56.5}\n',
      /:3:3: tunnels\.eth1: "eth1": a device of that name exists/,
    ],
  ]
  for (const [text, words] of cases) {
    writeFileSync(host.file, text)
    const dry = ['--config', host.file, '--dry-run']
    const told = await Promise.all([host.reload(), host.rig.exec('A', tsgreArgv(dry), { anyCode: true })])
    for (const { code, stderr } of told) {
      assert.is(code, 2, stderr)
      assert.match(stderr, new RegExp(`^tsgre: ${host.file}${words.source}`))
      assert.not.match(stderr, / --/)
    }
  }
  // What the file alone does not say: which address of this host each has.
  host.rig.ip('A', 'address add 192.168.56.44/24 dev eth1')
  writeFileSync(host.file, `${first}  tap1: {bridge: none, remotes: ['192.168.56.66', 192.168.56.5]}\n`)
  const shared = await host.reload()
  assert.is(shared.code, 2)
  assert.match(
    shared.stderr,
    `${host.file}:3:51: tunnels.tap1.remotes[1]: 192.168.56.5: tap0 takes the packets without a key`,
  )
  await host.child.stop('SIGTERM')
  writeFileSync(host.file, cases[0]![0])
  const start = await host.rig.exec('A', tsgreArgv(['--config', host.file, '--json']), { anyCode: true })
  const { code, option, value, message } = JSON.parse(start.stderr)
  assert.equal([start.code, code, option, value], [2, 'TSGRE_BAD_BRIDGE', 'bridge', 'brX'])
  assert.match(message, `${host.file}:5:13: tunnels.tap1.bridge: brX: `)
})

test('what cannot be changed live starts that tunnel anew, and no other; tunnels come and go', async () => {
  using host = await Configured.start(FIRST, SECOND)
  const [first, second] = [host.index('tap0'), host.index('tap1')]
  await host.whileCarrying(async () => {
    host.write(FIRST, { ...SECOND, ttl: 9 })
    assert.match((await host.reload()).stdout, /tap1 is started anew: ttl changed/)
    assert.is.not(host.index('tap1'), second)
    host.write(FIRST)
    assert.match((await host.reload()).stdout, /tap1 is ended/)
    assert.equal(
      (await host.tunnels()).map(({ name }) => name),
      ['tap0'],
    )
    host.write(FIRST, SECOND)
    assert.match((await host.reload()).stdout, /tap1 is started/)
  })
  assert.is(host.index('tap0'), first)
  assert.is((await host.child.stop('SIGTERM')).code, 0)
})

test('what two tunnels would take is refused, what comes to light only when it is done is taken back: all run as before', async () => {
  using host = await Configured.start(FIRST, SECOND)
  const [before, indexes] = [await host.remotes(), [host.index('tap0'), host.index('tap1')]]
  host.rig.ip('A', 'tuntap add tap6 mode tap multi_queue') // opening it fails, which nobody asks beforehand
  await host.whileCarrying(async () => {
    host.write(FIRST, { ...SECOND, remotes: FIRST.remotes })
    const shared = await host.reload()
    assert.is(shared.code, 2)
    assert.match(shared.stderr, /tap0 takes the packets without a key from it.*give one of them its own key/)
    assert.equal([host.index('tap0'), host.index('tap1')], indexes)
    host.write({ ...FIRST, remotes: [...FIRST.remotes, '192.168.56.77'] }, { ...SECOND, tap: 'tap6' })
    const { code, stderr } = await host.reload()
    assert.is(code, 2)
    assert.match(
      stderr,
      /tap6.*; tap1 ended for it, and runs again as before; 192\.168\.56\.77 added for a moment, and is as before/,
    )
    assert.equal(await host.remotes(), before)
    host.write(FIRST, SECOND)
    assert.match((await host.reload()).stdout, /nothing changed/)
  })
  // A remote may go from one tunnel to another.
  const second = host.index('tap1')
  host.write({ ...FIRST, remotes: ['192.168.56.77'] }, { ...SECOND, remotes: FIRST.remotes })
  assert.is((await host.reload()).code, 0)
  assert.equal(await host.remotes(), { tap0: ['192.168.56.77 null'], tap1: ['192.168.56.5 null'] })
  assert.equal([host.index('tap0'), host.index('tap1')], [indexes[0], second])
})

test('a new tunnel waits for the name of its remote, and is mended by a reload; a running one is not ended for a name', async () => {
  using host = await Configured.start(FIRST)
  const unknown = { ...SECOND, remotes: ['nosuch.invalid'] }
  host.write(FIRST, unknown)
  assert.match((await host.reload()).stdout, /tap1 starts, as soon as one of its remotes has an address/)
  assert.equal((await host.remotes()).tap1, ['nosuch.invalid null'])
  host.write(FIRST, SECOND)
  assert.match((await host.reload()).stdout, /tap1 is started anew: remote changed/)
  assert.equal((await host.remotes()).tap1, ['192.168.56.5 9'])
  const index = host.index('tap1')
  host.write(FIRST, { ...unknown, ttl: 9 })
  const { code, stderr } = await host.reload()
  assert.is(code, 2)
  assert.match(stderr, /nosuch\.invalid: the name has no address, and tap1, which runs, would be left without/)
  assert.is(host.index('tap1'), index)
  // The end overtakes a reload, and nothing is left behind.
  host.write(FIRST, SECOND, { ...SECOND, tap: 'tap2', remotes: ['192.168.56.66'] })
  host.child.kill('SIGHUP')
  assert.is((await host.child.stop('SIGTERM')).code, 0)
  assert.not.match(host.rig.ip('A', '-oneline link show'), /tap\d/)
})

test('a tunnel of the command line alone has nothing to reload', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('A')
  const { code, stderr } = await rig.exec('A', tsgreArgv(['reload']), { anyCode: true })
  assert.is(code, 1)
  assert.match(stderr, /without a configuration file/)
})

test.run()
