// npm run demo:docker: containers of two real Docker engines reach each other, by the commands one would type.
// Invariant: the exit code is 0 only if everything it shows has happened, and nothing stays behind.

import { type Daemon, tsgreArgv } from './rig/daemon.js'
import { DockerHosts } from './rig/docker-hosts.js'
import { dockerChanges, settledDockerSnapshot } from './rig/docker-snapshot.js'
import { bold, dim, green, must, say, step, tell } from './rig/story.js'
import { type HostName, otherHost } from './rig/topology.js'

const HOSTS = ['A', 'B'] as const
const BIP = { A: '10.103.100.1/24', B: '10.103.200.1/24' }
const BYTES = 50_000_000

function indented(text: string): void {
  for (const line of text.trimEnd().split('\n')) say(dim(`   ${line}`))
}

/** Shows a command, runs it on the host, shows what it printed. */
async function type(rig: DockerHosts, host: HostName, argv: readonly string[], shown = argv): Promise<string> {
  say(`${host}# ${shown.join(' ')}`)
  const { code, stdout, stderr } = await rig.exec(host, argv, { anyCode: true, timeoutMs: 60_000 })
  indented(stdout + stderr)
  must(code === 0, `\`${shown.join(' ')}\` ended with ${code}`)
  return stdout
}

async function tsgre(rig: DockerHosts, host: HostName, words: readonly string[]): Promise<string> {
  return await type(rig, host, tsgreArgv(words), ['tsgre', ...words])
}

function intro(): void {
  console.log(`
${bold('Two Docker engines, containers that reach each other')}

   Two hosts, each with a dockerd of its own. They are namespaces of this machine, joined by a cable; the engines
   are real. Every command is shown as you would type it on your own hosts, with what it printed.`)
}

async function begin(rig: DockerHosts): Promise<void> {
  step('Docker as it comes: both engines use the same network')
  for (const host of HOSTS) say(`${host}  docker0 ${await rig[host].address()}, underlay ${rig.address(host)}`)
  say(dim('No route can tell the two apart. So first each engine gets a network of its own.'))
}

async function apply(rig: DockerHosts): Promise<void> {
  step('A network for each engine')
  for (const host of HOSTS) {
    const words = ['docker', 'apply', '--bip', BIP[host], '--restart']
    await tsgre(rig, host, words)
    must((await rig[host].address()) === BIP[host], `docker0 of ${host} is not ${BIP[host]}`)
  }
}

async function containers(rig: DockerHosts): Promise<void> {
  step('A container on each, and no way between them yet')
  for (const host of HOSTS) {
    await rig.container(host)
    say(`container ${host}: ${rig.address(host === 'A' ? 'cA' : 'cB')}`)
  }
  const { received } = await rig.ping('cA', 'cB', { count: 2, wait: 1 })
  must(received === 0, 'the containers reach each other without a tunnel')
  say(`container A → container B: ${received} of 2 replies`)
}

async function start(rig: DockerHosts): Promise<Record<HostName, Daemon>> {
  step('What tsgre would change on A, before it does')
  const words = (host: HostName, route: string) => [
    '--remote',
    rig.address(otherHost(host)),
    '--tap',
    'tap0',
    '--route',
    route,
  ]
  await tsgre(rig, 'A', [...words('A', await rig.network('B')), '--dry-run'])
  step('The tunnel, on both')
  const daemon = async (host: HostName) => {
    const args = words(host, await rig.network(otherHost(host)))
    say(`${host}# tsgre ${args.join(' ')}`)
    const started = await rig.tsgre(host, args, { json: false })
    indented(started.lines.join('\n'))
    return started
  }
  return { A: await daemon('A'), B: await daemon('B') }
}

async function across(rig: DockerHosts): Promise<void> {
  step('Across')
  await rig.reach('cA', 'cB')
  await type(rig, 'A', ['docker', 'exec', 'cA', '/busybox', 'ping', '-c', '3', rig.address('cB')])
  say(dim('ttl 63: one router on the way, host B. The cable between the hosts does not count.'))
  const capture = rig.spawn('B', ['tcpdump', '-lni', 'docker0', '-c', '1', 'icmp[icmptype] == icmp-echo'])
  await new Promise((resolve) => setTimeout(resolve, 700))
  await rig.ping('cA', 'cB', { count: 1 })
  const [, source] = / IP (\S+) > /.exec(await capture.waitFor(/ICMP echo request/)) ?? []
  must(source === rig.address('cA'), `container B sees ${source}`)
  say(`container B sees who speaks: ${green(source!)}, container A itself, not its host`)
  for (const [from, to] of [
    ['cA', 'cB'],
    ['cB', 'cA'],
  ] as const) {
    const { sha256, seconds } = await rig.transfer(from, to, BYTES)
    const rate = `${((BYTES * 8) / seconds / 1e6).toFixed(0)} Mbit/s`
    say(
      `${BYTES / 1e6} MB container ${from[1]} → container ${to[1]}: ${green(rate)}, SHA-256 the same at both ends (${sha256.slice(0, 12)}…)`,
    )
  }
}

async function stop(daemons: Record<HostName, Daemon>): Promise<void> {
  step('Ctrl-C on both hosts')
  for (const host of HOSTS) {
    const { code, summary, stderr } = await daemons[host].stop('SIGINT')
    must(code === 0, `tsgre on host ${host} ended with ${code}: ${stderr}`)
    say(`${host}: ${summary}`)
  }
}

async function demo(): Promise<void> {
  intro()
  using rig = await DockerHosts.start()
  await begin(rig)
  await apply(rig)
  await containers(rig)
  const before = { A: await settledDockerSnapshot(rig.A), B: await settledDockerSnapshot(rig.B) }
  const daemons = await start(rig)
  await across(rig)
  await stop(daemons)
  for (const host of HOSTS) {
    const left = await dockerChanges(rig[host], before[host])
    must(left.length === 0, `host ${host} is not as it was: ${left.join('\n')}`)
  }
  say(dim('Addresses, routes, firewall and settings of both hosts are byte for byte what they were before the tunnel.'))
  step('And Docker as it was')
  for (const host of HOSTS) {
    await tsgre(rig, host, ['docker', 'undo', '--restart'])
    must(rig[host].file === undefined, `daemon.json of ${host} is still there`)
  }
  say(dim('The engines and their hosts are being removed.'))
}

await tell(demo, 'The README says how to do the same on two real hosts.')
