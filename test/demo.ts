// npm run demo: the tunnel shown to somebody who has never heard of GRE.
// Invariant: the exit code is 0 only if everything it shows has happened, and nothing stays behind.

import type { Daemon } from './rig/daemon.js'
import { Hosts } from './rig/hosts.js'
import type { PingReport } from './rig/ping.js'
import { bold, dim, green, must, say, step, tell } from './rig/story.js'
import { type HostName, otherHost } from './rig/topology.js'

type Node = 'cA' | 'cB'

const SECONDS = 3
/** Outer Ethernet, outer IP, GRE, inner Ethernet, inner IP, the ping: as tcpdump prints one packet. */
const ON_THE_CABLE =
  /^[0-9a-f:]+ > [0-9a-f:]+, ethertype IPv4 \S+ length (\d+): (\S+ > \S+): (GREv0.*?proto TEB \(0x6558\)), length \d+: ([0-9a-f:]+ > [0-9a-f:]+), .*?: (\S+ > \S+): (ICMP echo request)/

function intro(): void {
  console.log(`
${bold('Two hosts, one Ethernet')}

   Containers on one host talk to each other because they hang on one bridge, docker0: a switch inside
   the machine. tsgre runs a cable between the bridges of two hosts. The cable is made of ordinary
   packets: a frame that should cross over is put, as it is, into an IP packet to the other host, and
   taken out there. Putting it in with four bytes in front that say "a frame follows" is called GRE.

    host A                                                 host B
   ┌─────────────────────────────┐                       ┌─────────────────────────────┐
   │ container 10.103.100.2      │                       │      container 10.103.200.2 │
   │    │                        │                       │                        │    │
   │ docker0 ─ tap0 ─ ${green('tsgre')} ─ eth1 ═══════════════════ eth1 ─ ${green('tsgre')} ─ tap0 ─ docker0 │
   └─────────────────────────────┘                       └─────────────────────────────┘
                       192.168.56.4                     192.168.56.5

   Both hosts are network namespaces of this machine. Nothing outside them is touched.`)
}

function replies({ sent, received, rtt }: PingReport): string {
  return `${received} of ${sent} replies${rtt ? `, ${rtt.avg.toFixed(2)} ms` : ''}`
}

async function before(rig: Hosts): Promise<void> {
  step('Without a tunnel')
  const hosts = await rig.ping('A', 'B')
  say(`host A      → host B        ${replies(hosts)}`)
  must(hosts.loss === 0, 'the two hosts do not reach each other')
  const containers = await rig.ping('cA', 'cB', { wait: 0.3 })
  say(`container A → container B   ${replies(containers)}: no host knows the way to the other's containers`)
  must(containers.received === 0, 'the containers reach each other without a tunnel')
}

async function start(rig: Hosts, host: HostName): Promise<Daemon> {
  const args = ['--bridge', 'docker0', '--route', rig.network(otherHost(host))]
  say(`${host}# tsgre --remote ${rig.address(otherHost(host))} --tap tap0 ${args.join(' ')}`)
  const daemon = await rig.tsgre(host, args, { json: false })
  for (const line of daemon.lines) say(dim(`   ${line}`))
  return daemon
}

async function pingBothWays(rig: Hosts): Promise<void> {
  step('With it')
  const ways: [Node, Node][] = [
    ['cA', 'cB'],
    ['cB', 'cA'],
  ]
  // The first frames wait for ARP; shown is what comes after.
  await rig.reach('cA', 'cB')
  for (const [from, to] of ways) {
    const report = await rig.ping(from, to, { count: 5 })
    say(`container ${from[1]} → container ${to[1]}   ${green(replies(report))}, ttl ${report.ttl}`)
    must(report.loss === 0, `${report.sent - report.received} of ${report.sent} pings got no reply\n${report.output}`)
    must(report.ttl === 63, `the replies say ttl ${report.ttl}; with one router on the way it is 63`)
  }
  say(dim('Replies start with ttl 64 and every router takes one. It took one: the host of the container that answers.'))
  say(dim('What lies between the hosts took none. For the containers it is a cable.'))
}

async function showPacket(rig: Hosts): Promise<void> {
  step('One of these pings on the cable between the hosts, as tcpdump reads it')
  const capture = await rig.capture('A', 'eth1', 'ip proto 47')
  await rig.ping('cA', 'cB', { count: 1 })
  const line = await capture.waitFor(/ICMP echo request/)
  await capture.stop()
  const parts = ON_THE_CABLE.exec(line)
  must(parts, `the packet on the cable does not look like an Ethernet frame in GRE: ${line}`)
  const [, length, outer, gre, frame, inner, ping] = parts
  const part = (text: string, meaning: string) => say(`${text.padEnd(46)}${dim(meaning)}`)
  part(outer!, 'packet from host to host: all that the network in between sees')
  part(` └ ${gre}`, 'GRE: an Ethernet frame follows')
  part(`    └ ${frame}`, 'the frame, from docker0 on A to the container on B')
  part(`       └ ${inner}`, 'in it the packet of the containers, untouched')
  part(`          └ ${ping}`, `the ping. In all ${length} bytes on the cable`)
}

async function throughput(rig: Hosts): Promise<void> {
  step(`TCP from container A to container B for ${SECONDS} seconds`)
  const server = rig.spawn('cB', ['iperf3', '--server', '--one-off', '--forceflush'])
  await server.waitFor(/listening/)
  const argv = ['iperf3', '--client', rig.address('cB'), '--time', `${SECONDS}`, '--json']
  const { stdout } = await rig.exec('cA', argv, { timeoutMs: 15_000, anyCode: true })
  await server.stop()
  const report = JSON.parse(stdout)
  must(!report.error, `iperf3: ${report.error}`)
  const { bits_per_second: rate, bytes } = report.end.sum_received
  must(bytes > 0, 'not one byte of TCP arrived')
  say(
    `${green(`${(rate / 1e6).toFixed(0)} Mbit/s`)}, ${(bytes / 1e6).toFixed(0)} MB ${dim('(iperf3, both hosts on this one machine)')}`,
  )
}

async function stop(rig: Hosts, daemons: Record<HostName, Daemon>): Promise<void> {
  step('Ctrl-C on both hosts: what they carried, and what they leave')
  for (const host of ['A', 'B'] as const) {
    const { code, summary, stderr } = await daemons[host].stop('SIGINT')
    must(code === 0, `tsgre on host ${host} ended with ${code}: ${stderr}`)
    say(`${host}: ${summary}`)
    must(!rig.ip(host, '-br link').includes('tap0'), `tap0 is still there on host ${host}`)
    must(!rig.ip(host, 'route').includes(rig.network(otherHost(host))), `the route is still there on host ${host}`)
  }
  say(dim('tap0 and the routes are gone, docker0 is as it was.'))
}

async function demo(): Promise<void> {
  intro()
  using rig = new Hosts({ overlay: 'routed', containerMtu: 1500 })
  await before(rig)
  step('tsgre on both hosts')
  const daemons = { A: await start(rig, 'A'), B: await start(rig, 'B') }
  await pingBothWays(rig)
  await showPacket(rig)
  await throughput(rig)
  await stop(rig, daemons)
}

await tell(demo, 'The README says how to do the same on two real hosts.')
