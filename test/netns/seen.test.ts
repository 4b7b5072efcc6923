// What running tunnels show of themselves, real daemons in two hosts: status and its problems in words, capture, metrics, top.

import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { parsePrometheus } from '../rig/prometheus.js'
import { Terminal } from '../rig/terminal.js'

const DEADLINE_MS = 15_000

// biome-ignore lint/suspicious/noExplicitAny: the JSON of status
async function statusOf(rig: Hosts, host: 'A' | 'B' = 'A'): Promise<any> {
  return JSON.parse((await rig.exec(host, tsgreArgv(['status', '--json']))).stdout)
}

/** The first problem of A's tunnel, once there is one of that code. */
async function problem(rig: Hosts, code: string): Promise<{ text: string; remedy: string }> {
  let seen = ''
  for (const deadline = Date.now() + DEADLINE_MS; Date.now() < deadline; await sleep(100)) {
    const { problems } = (await statusOf(rig)).tunnels[0]
    const found = problems.find((one: { code: string }) => one.code === code)
    if (found) return found
    seen = JSON.stringify(problems)
  }
  throw new Error(`no problem ${code} in ${seen}`)
}

test('status tells peers, counters and capabilities, for people and as JSON, and no problem where there is none', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const daemon = await rig.tsgre('A', ['--keepalive', '2'])
  await rig.tsgre('B')
  await rig.reach('cA', 'cB')
  await rig.ping('cA', 'cB', { count: 3 })
  for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(100)) {
    if ((await statusOf(rig)).tunnels[0].peers[0].liveness === 'up') break
    assert.ok(Date.now() < deadline, 'the peer is not up')
  }
  const { name, pid, capabilities, noNewPrivileges, tunnels } = await statusOf(rig)
  assert.equal([name, pid, noNewPrivileges], ['tap0', daemon.pid, true])
  assert.equal(capabilities.effective, ['cap_net_admin', 'cap_net_raw'])
  const [{ state, peers, problems, txFrames, fdb }] = tunnels
  assert.equal([state, problems], ['up', []])
  const [peer] = peers
  assert.equal([peer.asked, peer.remote, peer.resolved], ['192.168.56.5', '192.168.56.5', true])
  assert.ok(peer.rtt > 0 && peer.loss === 0 && peer.lastReceived > Date.now() - 60_000)
  assert.ok(peer.txFrames === txFrames && txFrames > 0)
  assert.ok(peer.fdbEntries >= 1 && fdb.entries > peer.fdbEntries)
  const { stdout } = await rig.exec('A', tsgreArgv(['status']))
  assert.match(stdout, /^tsgre tap0: up /m)
  assert.match(stdout, /^ {2}192\.168\.56\.5 +up +/m)
  // Another network namespace has another tsgre of that name.
  assert.is.not((await statusOf(rig, 'B')).pid, pid)
  const fdbLines = (await rig.exec('A', tsgreArgv(['fdb']))).stdout
  assert.match(fdbLines, /^[\da-f:]{17} +here +/m)
  assert.match(fdbLines, /^[\da-f:]{17} +192\.168\.56\.5 +/m)
})

test('the addresses behind one remote are found by any spelling of it; a stranger is refused, to list and to flush', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await Promise.all([rig.tsgre('A', [], { family: 6 }), rig.tsgre('B', [], { family: 6 })])
  await rig.reach('cA', 'cB')
  const fdb = (...words: string[]) => rig.exec('A', tsgreArgv(['fdb', ...words, '--json']), { anyCode: true })
  const remote = rig.address('B', 6)
  const long = remote.replace('::', ':0:0:0:0:0:0:').toUpperCase()
  assert.is.not(long, remote)
  for (const words of [remote, long]) {
    const entries = JSON.parse((await fdb('--remote', words)).stdout)
    assert.ok(entries.length > 0)
    for (const entry of entries) assert.is(entry.remote, remote)
  }
  for (const words of [[], ['flush']]) {
    const { code, stderr } = await fdb(...words, '--remote', 'hoste.example')
    assert.equal([code, JSON.parse(stderr).code, JSON.parse(stderr).option], [2, 'TSGRE_BAD_OPTION', 'remote'])
    assert.match(stderr, `tap0 has no such peer; it has ${remote}`)
  }
  assert.is((await fdb('flush', '--remote', long)).code, 0)
})

test('a host without GRE, one with another key, and a path narrower than it says are told in words', async () => {
  {
    using rig = new Hosts({ overlay: 'flat' })
    await rig.tsgre('A')
    await rig.ping('cA', 'cB', { count: 2, wait: 0.2 })
    const { text } = await problem(rig, 'no-gre-there')
    assert.is(text, "host 192.168.56.5 answers 'protocol unreachable': no GRE there")
  }
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('A', ['--key', '42'])
  await rig.tsgre('B', ['--key', '7'])
  await rig.ping('cB', 'cA', { count: 2, wait: 0.2 })
  const { text } = await problem(rig, 'key-mismatch')
  assert.is(text, 'packets from 192.168.56.5 arrive with key 7, this tunnel wants 42')
  // Two more ends, with that key: now such packets have somebody who wants them.
  await rig.tsgre('A', ['--tap', 'tap1', '--key', '7', '--bridge', 'none'])
  const { problems } = (await rig.exec('A', tsgreArgv(['status', 'tap0', '--json']))).stdout
    ? JSON.parse((await rig.exec('A', tsgreArgv(['status', 'tap0', '--json']))).stdout).tunnels[0]
    : { problems: undefined }
  assert.equal(problems, [])
})

test('of two tunnels to a host the one whose key is wrong is told of, and the other is not', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const pair = (host: 'A' | 'B', key: string) => [
    rig.tsgre(host, ['--key', '12', '--keepalive', '1']),
    rig.tsgre(host, ['--tap', 'tap1', '--bridge', 'none', '--key', key, '--keepalive', '1']),
  ]
  await Promise.all([...pair('A', '77'), ...pair('B', '78')])
  const seen = async (name: string) =>
    JSON.parse((await rig.exec('A', tsgreArgv(['status', name, '--json']))).stdout).tunnels[0]
  for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(100)) {
    const [well, ill] = await Promise.all([seen('tap0'), seen('tap1')])
    const wrong = well.peers[0].wrongKeys.map(({ key }: { key: number }) => key)
    if (well.peers[0].liveness === 'up' && wrong.includes(78) && ill.problems.length > 0) {
      assert.equal(well.problems, [])
      assert.is(ill.problems[0].text, 'packets from 192.168.56.5 arrive with key 78, this tunnel wants 77')
      return
    }
    assert.ok(Date.now() < deadline, JSON.stringify([well, ill]))
  }
})

test('capture is read by tshark while it goes on: frames with direction, drops with their reason, whole packets outside', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('A', ['--key', '42'])
  const B = await rig.tsgre('B', ['--key', '42'])
  await rig.reach('cA', 'cB')
  const capture = (...words: string[]) => {
    const file = rig.file('pcapng')
    return { file, child: rig.spawn('A', tsgreArgv(['capture', '-w', file, ...words])) }
  }
  const inner = capture()
  const outer = capture('--outer')
  const drops = capture('--drops')
  // The head of a file comes when the tunnel has begun to put packets aside for it.
  for (const { file, child } of [inner, outer, drops]) {
    for (let tries = 0; tries < 100 && !(existsSync(file) && statSync(file).size > 0); tries++) await sleep(100)
    assert.ok(existsSync(file) && statSync(file).size > 0, child.stderr)
  }
  await rig.ping('cA', 'cB', { count: 3 })
  await B.stop()
  await rig.tsgre('B', ['--key', '7'])
  await rig.ping('cB', 'cA', { count: 2, wait: 0.3 })
  for (const { child } of [inner, outer, drops]) assert.is((await child.stop('SIGINT')).code, 0)
  const fields = (file: string, filter: string, ...names: string[]) =>
    execFileSync('tshark', ['-r', file, '-Y', filter, '-T', 'fields', ...names.flatMap((name) => ['-e', name])], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split('\n')
  const directions = fields(
    inner.file,
    `icmp.type == 8 && ip.src == ${rig.address('cA')}`,
    'frame.packet_flags_direction',
  )
  assert.equal(directions.map(Number), [2, 2, 2]) // outbound; some versions print it in hexadecimal
  assert.is(fields(outer.file, 'gre.key == 42 && icmp', 'frame.number').length, 6)
  const comments = fields(drops.file, 'frame', 'frame.comment')
  assert.ok(comments.length >= 2 && comments.every((line) => line.includes('dropped: key-mismatch')), comments.join())
})

test('metrics are what a Prometheus reads, on loopback; healthz and readyz tell how it is', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('A', ['--metrics', '9747'])
  await rig.tsgre('B')
  await rig.reach('cA', 'cB')
  const get = async (path: string) => (await rig.exec('A', ['curl', '-sf', `http://127.0.0.1:9747${path}`])).stdout
  assert.match(await get('/healthz'), /^ok/)
  assert.match(await get('/readyz'), /^ok/)
  const families = parsePrometheus(await get('/metrics'))
  const { txFrames } = (await statusOf(rig)).tunnels[0]
  const value = families.get('tsgre_tunnel_transmit_frames_total')?.samples[0]?.value ?? 0
  assert.ok(value > 0 && value <= txFrames, [...families.keys()].join())
  const outside = await rig.exec('B', ['curl', '-sf', '-m', '2', 'http://192.168.56.4:9747/metrics'], { anyCode: true })
  assert.is.not(outside.code, 0)
})

test('top shows what passes, by peer, and no longer than it passes', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tunnel()
  await rig.reach('cA', 'cB')
  const run = async (argv: readonly string[]) => (await rig.exec('A', argv)).stdout
  const top = await Terminal.open(run, rig.file('tmux'), 80, 24)
  await top.start(tsgreArgv(['top']))
  const rates = (lines: string[]) =>
    lines.flatMap((line) => /^ *192\.168\.56\.5 +(?:up|-|\S+) +([\d.]+[kMG]?) +/.exec(line)?.[1] ?? [])
  const idle = await top.lines((lines) => rates(lines).length > 0)
  assert.not.match(rates(idle)[0]!, /[MG]$/)
  const flood = rig.spawn('cA', ['ping', '-f', '-q', '-s', '1400', rig.address('cB')])
  await top.lines((lines) => rates(lines).some((rate) => /[MG]$/.test(rate)))
  await flood.stop('SIGINT')
  await top.lines((lines) => rates(lines).some((rate) => !/[MG]$/.test(rate)))
  await top.press('q')
  await top.lines((lines) => lines.includes('ended with 0'))
  await top.close()
})

test('stop ends it as Ctrl-C does', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const daemon = await rig.tsgre('A')
  const { stdout } = await rig.exec('A', tsgreArgv(['stop']))
  assert.match(stdout, /tap0 has stopped/)
  assert.is((await daemon.child.ended).code, 0)
  assert.match((await rig.exec('A', tsgreArgv(['status']), { anyCode: true })).stderr, /no tsgre runs/)
})

test.run()
