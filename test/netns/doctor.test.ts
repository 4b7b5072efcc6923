// The doctor on two hosts: every finding is produced for real and found by its code, and where all is well nothing is found.

import { mkdirSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { codes, doctorOn, type Told, told } from '../rig/doctor.js'
import { Hosts } from '../rig/hosts.js'
import type { HostsOptions } from '../rig/topology.js'

const REMOTE = ['--remote', '192.168.56.5']
const TAP = ['--tap', 'tap0']

function doctor(
  rig: Hosts,
  args: readonly string[] = [...REMOTE, ...TAP],
): Promise<{ code: number | null; findings: Told[] }> {
  return doctorOn(rig, 'A', args)
}

async function isWell(rig: Hosts, args?: readonly string[]): Promise<void> {
  const { code, findings } = await doctor(rig, args)
  assert.equal(codes(findings), [], JSON.stringify(findings, null, 1))
  assert.is(code, 0)
}

/** Two hosts with a tunnel between them. */
async function pair(args: readonly string[] = [], options: HostsOptions = { overlay: 'flat' }): Promise<Hosts> {
  const rig = new Hosts(options)
  await rig.tunnel(args)
  return rig
}

function nft(rig: Hosts, ruleset: string): void {
  rig.execSync('A', ['nft', '-f', '-'], ruleset)
}

function iptables(rig: Hosts, ...lines: string[]): void {
  for (const line of lines) rig.execSync('A', line.split(' '))
}

test('a healthy pair has nothing wrong, and the other tsgre answers', async () => {
  using rig = await pair([], { overlay: 'routed' })
  await isWell(rig, [...REMOTE, ...TAP, '--route', rig.network('B')])
  const { findings } = await doctor(rig)
  assert.match(findings.find(({ check }) => check === 'answer')!.text, /a tsgre answers at 192\.168\.56\.5 in /)
  assert.match(findings.find(({ check }) => check === 'path-mtu')!.text, /packets of 1500 pass/)
})

test('over IPv6, with a key and checksums, a healthy pair has nothing wrong', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tunnel(['--key', '7', '--csum'], { family: 6 })
  await isWell(rig, ['--remote', rig.address('B', 6), ...TAP, '--key', '7', '--csum', '--checksum', 'require'])
})

test('in UDP nothing is wrong either, also where a ping is lost; that the other end answers its own tsgre knows', async () => {
  using rig = await pair(['--encap', 'udp'])
  const first = 'icmp type echo-request numgen inc mod 1000 == 0 drop'
  rig.execSync('B', ['nft', `table inet t { chain c { type filter hook input priority 0; ${first}; }; }`])
  await isWell(rig, [...REMOTE, ...TAP, '--encap', 'udp'])
  await isWell(rig, [])
})

test('in UDP without a tsgre here, the one there answers; where nobody takes the port, ICMP says so', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const args = [...REMOTE, '--encap', 'udp']
  told((await doctor(rig, args)).findings, 'no-tunnel-there')
  await rig.tsgre('B', ['--encap', 'udp'])
  await isWell(rig, args)
})

test('firewalls that let GRE pass are no finding: docker’s chains, Debian’s ruleset, a default of deny with an exception', async () => {
  using rig = await pair([], { overlay: 'routed' })
  nft(
    rig,
    'table inet filter { chain input { type filter hook input priority 0; }; chain forward { type filter hook forward priority 0; }; chain output { type filter hook output priority 0; }; }',
  )
  await isWell(rig)
  nft(
    rig,
    `flush ruleset
     table inet fw { set peers { type ipv4_addr; elements = { 192.168.56.5, 192.168.56.6 } }
       chain input { type filter hook input priority 0; policy drop;
         ct state vmap { established : accept, related : accept, invalid : drop }
         iifname "lo" accept
         tcp dport 22 accept
         ip saddr @peers meta l4proto gre accept
         log prefix "no "
       }
       chain output { type filter hook output priority 0; policy drop;
         ip daddr 192.168.56.0/24 accept
       }
     }`,
  )
  await isWell(rig)
  nft(rig, 'flush ruleset')
  iptables(
    rig,
    'iptables -P FORWARD DROP',
    'iptables -N DOCKER',
    'iptables -N DOCKER-USER',
    'iptables -N DOCKER-FORWARD',
    'iptables -N DOCKER-CT',
    'iptables -A DOCKER ! -i docker0 -o docker0 -j DROP',
    'iptables -A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    'iptables -A DOCKER-FORWARD -j DOCKER-CT',
    'iptables -A DOCKER-FORWARD -o docker0 -j DOCKER',
    'iptables -A DOCKER-FORWARD -i docker0 -j ACCEPT',
    'iptables -A FORWARD -j DOCKER-USER',
    'iptables -A FORWARD -j DOCKER-FORWARD',
    'iptables -P INPUT DROP',
    'iptables -N ufw-before-input',
    'iptables -N ufw-user-input',
    'iptables -A INPUT -j ufw-before-input',
    'iptables -A ufw-before-input -i lo -j ACCEPT',
    'iptables -A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    'iptables -A ufw-before-input -m conntrack --ctstate INVALID -m limit --limit 3/min -j LOG',
    'iptables -A ufw-before-input -m conntrack --ctstate INVALID -j DROP',
    'iptables -A ufw-before-input -p udp --sport 67 --dport 68 -j ACCEPT',
    'iptables -A ufw-before-input -j ufw-user-input',
    'iptables -A ufw-user-input -p tcp -m multiport --dports 22,80:90 -j ACCEPT',
    'iptables -A ufw-user-input -s 192.168.56.0/24 -p gre -j ACCEPT',
    'iptables -A INPUT -p gre -j DROP',
  )
  await isWell(rig)
})

/** What drops protocol 47, the code it is found by, and the command that lets it pass again. */
const DROPS = [
  ['nft, output', 'nft add rule inet t o ip protocol 47 drop', 'firewall-output', /^nft insert rule inet t o ip daddr/],
  [
    'nft, a chain one jumps to',
    'nft add rule inet t c jump later',
    'firewall-input',
    /^nft insert rule inet t c ip saddr 192\.168\.56\.5 meta l4proto gre accept$/,
  ],
  [
    'iptables, input',
    'iptables -A INPUT -p gre -j DROP',
    'firewall-input',
    /^iptables -I INPUT -p gre -s 192\.168\.56\.5 -j ACCEPT$/,
  ],
  [
    'iptables, output',
    'iptables -A OUTPUT -p 47 -d 192.168.56.0/24 -j REJECT',
    'firewall-output',
    /^iptables -I OUTPUT -p gre -d 192/,
  ],
  [
    'iptables, table raw',
    'iptables -t raw -A PREROUTING -p gre -j DROP',
    'firewall-input',
    /^iptables -t raw -I PREROUTING /,
  ],
  ['iptables-legacy, input', 'iptables-legacy -A INPUT -p gre -j DROP', 'firewall-input', /^iptables-legacy -I INPUT /],
  ['iptables, a policy', 'iptables -P INPUT DROP', 'firewall-input', /^iptables -I INPUT /],
] as const

test('what drops protocol 47 is found wherever it stands, and the remedy mends it', async () => {
  using rig = await pair()
  for (const [how, drop, code, remedy] of DROPS) {
    iptables(rig, 'iptables -P INPUT ACCEPT', 'iptables -F', 'iptables -t raw -F', 'iptables-legacy -F')
    nft(
      rig,
      `flush ruleset
       table inet t {
         chain later { drop; }
         chain c { type filter hook input priority 5; }
         chain o { type filter hook output priority 0; }
       }`,
    )
    iptables(rig, drop)
    const [{ code: exit, findings }, ping] = await Promise.all([
      doctor(rig),
      rig.ping('cA', 'cB', { count: 1, wait: 0.5 }),
    ])
    assert.is(ping.received, 0, how)
    const found = told(findings, code)
    assert.match(found.remedy, remedy, how)
    assert.is(exit, 1)
    iptables(rig, found.remedy)
    await rig.reach('cA', 'cB')
  }
  assert.not.ok(codes((await doctor(rig)).findings).some((name) => name.startsWith('firewall')))
})

test('a firewall that lets pass only what answers is a warning; one that cannot be read to the end is left open', async () => {
  using rig = await pair()
  iptables(rig, 'iptables -A INPUT -m state --state ESTABLISHED -j ACCEPT', 'iptables -A INPUT -p gre -j DROP')
  const only = await doctor(rig)
  assert.is(told(only.findings, 'firewall-only-answers').level, 'warning')
  assert.is(only.code, 0)
  iptables(rig, 'iptables -F', 'iptables -A INPUT -m recent --rcheck --name bad -j DROP')
  assert.is(told((await doctor(rig)).findings, 'firewall-unclear').level, 'unknown')
})

test('a FORWARD that drops is found where br_netfilter shows it the bridge’s frames, and not where it does not', async () => {
  using rig = await pair()
  iptables(rig, 'iptables -P FORWARD DROP')
  rig.execSync('A', ['sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=1'])
  assert.is((await rig.ping('cA', 'cB', { count: 1, wait: 0.5 })).received, 0)
  const { code, findings } = await doctor(rig)
  const { text, remedy } = told(findings, 'firewall-forward')
  assert.match(text, /iptables, table filter, chain FORWARD/)
  assert.is(code, 1)
  iptables(rig, remedy.split(',')[0]!)
  await rig.reach('cA', 'cB')
  await isWell(rig)
  iptables(rig, 'iptables -F')
  rig.execSync('A', ['sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=0'])
  await isWell(rig)
})

/** Frames from the container behind B, all the time. */
async function talking(rig: Hosts): Promise<void> {
  rig.spawn('cB', ['ping', '-i', '0.2', '10.103.0.77'])
}

test('another key than the one expected is found and named, and a name without an address; the words of a tunnel are taken as they are', async () => {
  using rig = await pair(['--key', '42'])
  await talking(rig)
  const { code, findings } = await doctor(rig, [...REMOTE, ...TAP, '--key', '7'])
  assert.is(told(findings, 'wrong-key').text, 'packets from 192.168.56.5 come with key 42, this tunnel wants key 7')
  assert.is(code, 1)
  const words = ['--remote', '192.168.56.5,key=42', '--remote', 'nobody.invalid', '--keepalive', '5', '--no-offload']
  const named = await doctor(rig, [...words, ...TAP, '--mtu', '1500', '--metrics', '9747'])
  assert.equal(codes(named.findings), ['no-address'])
  assert.is(named.code, 1)
})

test('what a running tunnel is told wrong is known from it', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('A', ['--key', '42'])
  await rig.tsgre('B', ['--key', '7'])
  await rig.ping('cB', 'cA', { count: 2, wait: 0.3 })
  const { code, findings } = await doctor(rig, [])
  assert.is(told(findings, 'wrong-key').text, 'packets from 192.168.56.5 come with key 7, this tunnel wants key 42')
  assert.is(code, 1)
})

test('of a running tunnel it knows the device, and which checksums are sent and wanted', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  rig.ip('A', 'link add other type bridge')
  rig.ip('A', 'link set other up')
  rig.ip('A', 'route add 192.168.56.5 dev other src 192.168.56.4')
  await Promise.all([
    rig.tsgre('A', ['--dev', 'eth1', '--csum', '--checksum', 'require']),
    rig.tsgre('B', ['--checksum', 'require']),
  ])
  const { code, findings } = await doctor(rig, [])
  assert.equal(codes(findings), ['checksum-missing']) // and not that B wants them
  assert.match(findings.find(({ check }) => check === 'route')!.text, /^192\.168\.56\.5 through eth1, /)
  assert.is(code, 1)
})

test('checksums that a profile drops are found, either way', async () => {
  using rig = await pair()
  const without = await doctor(rig, [...REMOTE, ...TAP, '--checksum', 'require'])
  told(without.findings, 'checksum-missing')
  assert.is(without.code, 1)
  await isWell(rig, [...REMOTE, ...TAP, '--checksum', 'forbid'])
  using other = await pair(['--csum'])
  told((await doctor(other, [...REMOTE, ...TAP, '--checksum', 'forbid'])).findings, 'checksum-unwanted')
})

test('a box that drops large packets without a word is found, with the size that passes; one that says so by ICMP is none', async () => {
  using rig = await pair([], { overlay: 'flat', middle: true })
  rig.middleRules(['meta length > 1400 drop'])
  const { code, findings } = await doctor(rig)
  const { text, remedy } = told(findings, 'path-mtu-silent')
  assert.match(text, /packets of 1500 do not pass, 1400 do/)
  assert.match(remedy, /--tunnel-mtu 1362/)
  assert.is(code, 1)
  rig.middleRules([])
  rig.middleMtu(1400)
  await isWell(rig)
})

test('no GRE at the far end, a firewall there, and nobody there are told apart', async () => {
  using rig = new Hosts({ overlay: 'flat', middle: true })
  const no = await doctor(rig, REMOTE)
  assert.match(told(no.findings, 'no-gre-there').text, /^192\.168\.56\.5 answers "protocol unreachable"/)
  assert.is(no.code, 1)
  told((await doctor(rig, ['--remote', rig.address('B', 6)])).findings, 'no-gre-there')
  rig.middleRules(['ip protocol gre reject with icmp type admin-prohibited'])
  assert.match(told((await doctor(rig, REMOTE)).findings, 'firewall-there').text, /^192\.168\.56\.1 answers/)
  rig.middleRules(['ip protocol gre reject with icmp type port-unreachable'])
  told((await doctor(rig, REMOTE)).findings, 'no-tunnel-there')
  rig.middleRules(['ip daddr 192.168.56.5 drop'])
  const { findings } = await doctor(rig, REMOTE)
  assert.equal(codes(findings), ['no-answer', 'nothing-received', 'path-mtu-unknown'])
  assert.is(told(findings, 'path-mtu-unknown').remedy, '', 'where nobody answers there is nothing to probe')
})

test('a TAP that is down, in no bridge, held by nobody or not there is found', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const A = await rig.tsgre('A')
  A.child.kill('SIGSTOP') // it would set it up again
  rig.ip('A', 'link set tap0 down')
  const down = told((await doctor(rig, TAP)).findings, 'tap-down')
  assert.is(down.remedy, 'ip link set tap0 up')
  rig.ip('A', 'link set tap0 up')
  rig.ip('A', 'link add br9 type bridge')
  rig.ip('A', 'link set br9 up')
  const elsewhere = await doctor(rig, [...TAP, '--bridge', 'br9'])
  assert.match(told(elsewhere.findings, 'tap-not-in-bridge').text, /tap0 is a port of docker0, not of br9/)
  rig.ip('A', 'tuntap add tap5 mode tap')
  rig.ip('A', 'link set tap5 master docker0 up')
  for (const [tap, code] of [
    ['tap5', 'tap-not-held'],
    ['tap6', 'tap-missing'],
    ['veth0', 'not-a-tap'],
  ] as const)
    assert.equal(codes((await doctor(rig, ['--tap', tap])).findings), [code, 'nothing-asked'])
})

test('without rights a TAP is not taken for one that nobody holds, and a tsgre that may not be asked is no reason to end', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('A')
  rig.ip('A', 'tuntap add tap5 mode tap')
  rig.ip('A', 'link set tap5 master docker0 up')
  const shut = rig.file('run')
  mkdirSync(shut, { mode: 0 })
  const env = { TSGRE_RUN_DIR: shut }
  const codesOf = async (tap: string) => {
    const argv = ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all', ...tsgreArgv(['doctor'])]
    const { stdout, stderr } = await rig.exec('A', [...argv, '--json', '--tap', tap], { anyCode: true, env })
    assert.ok(stdout !== '', stderr)
    return codes(JSON.parse(stdout).findings).filter((code) => /^tap|instances/.test(code))
  }
  assert.equal(await codesOf('tap0'), ['instances-not-asked'])
  assert.equal(await codesOf('tap5'), ['instances-not-asked', 'tap-holder-unknown'])
})

test('a bridge that is down, missing or none is found, and a TAP smaller than its neighbours', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tunnel()
  rig.ip('A', 'link set tap0 mtu 1400')
  const small = await doctor(rig, TAP)
  assert.is(told(small.findings, 'tap-mtu-small').level, 'warning')
  assert.is(small.code, 0)
  rig.ip('A', 'link set docker0 down')
  for (const [bridge, code] of [
    ['docker0', 'bridge-down'],
    ['br7', 'bridge-missing'],
    ['eth1', 'not-a-bridge'],
  ] as const)
    told((await doctor(rig, ['--bridge', bridge])).findings, code)
})

test('a TAP that spanning tree keeps shut is found', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('A')
  rig.ip('A', 'link set docker0 type bridge stp_state 1 forward_delay 3000')
  rig.ip('A', 'link set tap0 nomaster')
  rig.ip('A', 'link set tap0 master docker0')
  assert.match(told((await doctor(rig, TAP)).findings, 'tap-blocked').text, /listening|learning/)
})

test('a route that leads into the tunnel, refuses, or is not there is found', async () => {
  using rig = new Hosts({ overlay: 'routed' })
  rig.ip('A', 'route add 192.168.56.5 dev docker0')
  const loop = await doctor(rig, REMOTE)
  assert.match(told(loop.findings, 'route-loop').text, /leads into docker0/)
  assert.is(loop.code, 1)
  rig.ip('A', 'route replace prohibit 192.168.56.5')
  told((await doctor(rig, REMOTE)).findings, 'no-route')
  told((await doctor(rig, ['--remote', '203.0.113.9'])).findings, 'no-route')
  told((await doctor(rig, ['--remote', '192.168.56.4'])).findings, 'remote-is-local')
})

test('networks that overlap are found: containers and underlay, a part of them routed elsewhere, those behind the other host', async () => {
  using rig = new Hosts({ overlay: 'routed' })
  rig.ip('A', 'link add br9 type bridge')
  rig.ip('A', 'address add 10.103.200.129/25 dev br9')
  const behind = await doctor(rig, ['--route', rig.network('B')])
  assert.match(
    told(behind.findings, 'overlap-network').text,
    /10\.103\.200\.0\/24, behind the other host, overlaps 10\.103\.200\.128\/25 on br9/,
  )
  assert.is(behind.code, 1)
  assert.equal(codes((await doctor(rig, [])).findings), ['nothing-asked'])
  rig.ip('A', 'route add 10.103.100.64/26 via 192.168.56.5')
  told((await doctor(rig, [])).findings, 'overlap-route')
  rig.ip('A', 'route del 10.103.100.64/26')
  rig.ip('A', 'address add 10.103.0.9/16 dev eth1')
  assert.match(
    told((await doctor(rig, [])).findings, 'overlap-network').text,
    /10\.103\.100\.0\/24 of docker0 overlaps 10\.103\.0\.0\/16 on eth1/,
  )
  rig.ip('A', 'address del 10.103.0.9/16 dev eth1')
  rig.ip('A', 'address add 192.168.56.200/26 dev docker0')
  told((await doctor(rig, ['--remote', '192.168.56.201'])).findings, 'overlap-remote')
})

test('a strict rp_filter is found where packets come in by another device than they leave by', async () => {
  using rig = new Hosts({ overlay: 'none' })
  rig.ip('A', 'link add eth2 type veth peer name eth3')
  rig.ip('A', 'link set eth2 up')
  rig.execSync('A', ['sysctl', '-qw', 'net.ipv4.conf.eth1.rp_filter=1'])
  assert.equal(codes((await doctor(rig, REMOTE)).findings), ['no-gre-there'])
  rig.ip('A', 'address add 192.168.57.4/24 dev eth2')
  rig.ip('A', 'route add 192.168.56.5 via 192.168.57.1 src 192.168.56.4')
  const { code, findings } = await doctor(rig, REMOTE)
  assert.match(told(findings, 'reverse-path-filter').text, /192\.168\.56\.4 is on eth1, where rp_filter is strict/)
  assert.is(code, 1)
})

test('a host that is to route for its containers and does not is told', async () => {
  using rig = new Hosts({ overlay: 'routed' })
  await rig.tsgre('A', ['--route', rig.network('B')])
  await rig.tsgre('B', ['--route', rig.network('A')])
  await isWell(rig, TAP)
  rig.execSync('A', ['sysctl', '-qw', 'net.ipv4.ip_forward=0'])
  assert.is(told((await doctor(rig, TAP)).findings, 'forwarding-off').level, 'warning')
})

test('without a capability the doctor says which, and with a bad option exit code 2', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const caps = ['setpriv', '--bounding-set', '-net_admin,-net_raw', '--inh-caps', '-net_admin,-net_raw']
  const { stdout } = await rig.exec('A', [...caps, ...tsgreArgv(['doctor', '--json', ...REMOTE])], { anyCode: true })
  const found = codes(JSON.parse(stdout).findings)
  for (const code of ['no-net-admin', 'no-net-raw', 'tun-refuses']) assert.ok(found.includes(code), found.join(' '))
  const bad = await rig.exec('A', tsgreArgv(['doctor', '--remote', '192.168.56.5,kye=7']), { anyCode: true })
  assert.is(bad.code, 2)
})

test('where there is no ip, nft or iptables, each check that needs one tells so, and the others are made', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const bare = ['env', 'PATH=/nowhere', ...tsgreArgv(['doctor', '--json', ...REMOTE])]
  const { stdout, stderr } = await rig.exec('A', bare, { anyCode: true })
  assert.ok(stdout !== '', stderr)
  const { findings } = JSON.parse(stdout) as { findings: Told[] }
  const failed = findings.filter(({ code }) => code === 'check-failed')
  assert.equal([...new Set(failed.map(({ check }) => check))], ['bridge', 'tap', 'route', 'firewall', 'overlap'])
  for (const { text } of failed) assert.match(text, /there is no command ip in PATH/)
  assert.is(findings.find(({ check }) => check === 'tun')!.level, 'ok')
})

test('without a remote it looks at this host alone, changes nothing, and prints what it found for a person', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const before = rig.ip('A', 'link show')
  const { code, stdout } = await rig.exec('A', tsgreArgv(['doctor']), { env: { LC_ALL: 'C' } })
  assert.is(code, 0)
  assert.match(stdout, /^ok capabilities {2}CAP_NET_ADMIN and CAP_NET_RAW are there$/m)
  assert.match(stdout, /\n\? {2}tunnel {8}no tsgre runs here, and no remote was named: .* \[nothing-asked\]\n/)
  assert.match(stdout, /\n\nnothing is wrong, 1 question left open\n$/)
  assert.is(rig.ip('A', 'link show'), before)
  const utf8 = await rig.exec('A', tsgreArgv(['doctor', '--bridge', 'br7']), {
    env: { LC_ALL: 'C.UTF-8' },
    anyCode: true,
  })
  assert.match(utf8.stdout, /^✗ bridge {8}there is no device br7 \[bridge-missing\]\n {16}→ ip link add br7/m)
})

test.run()
