// The doctor beside tunnels that run: what it takes from them, what it asks for itself, and what it says where the two differ.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { codes, doctorOn, told } from '../rig/doctor.js'
import { Hosts } from '../rig/hosts.js'
import { Mesh } from '../rig/mesh.js'
import { together } from '../rig/together.js'

const REMOTE = ['--remote', '192.168.56.5']

together(
  'a wrong key that was mended is told no more, by the doctor and by the status, once right packets came for some seconds',
  async () => {
    using rig = new Hosts({ overlay: 'flat' })
    await rig.tsgre('A', ['--key', '7', '--keepalive', '1'])
    const B = await rig.tsgre('B', ['--key', '8', '--keepalive', '1'])
    await rig.ping('cB', 'cA', { count: 2, wait: 0.3 })
    assert.is(told((await doctorOn(rig, 'A', [])).findings, 'wrong-key').level, 'problem')
    await B.stop()
    await rig.tsgre('B', ['--key', '7', '--keepalive', '1'])
    await rig.reach('cA', 'cB')
    await sleep(4000)
    const { code, findings } = await doctorOn(rig, 'A', [])
    assert.equal(codes(findings), [])
    assert.is(code, 0)
    assert.not.match(await rig.exec('A', tsgreArgv(['status'])).then(({ stdout }) => stdout), /arrive with key/)
  },
)

for (const encap of [[], ['--encap', 'udp']]) {
  together(
    `a remote that has stopped is told before the tunnel has noticed (${encap[1] ?? 'gre'}); what the tunnel last knew is not repeated`,
    async () => {
      using rig = new Hosts({ overlay: 'flat' })
      await rig.tsgre('A', [...encap, '--keepalive', '60'])
      const B = await rig.tsgre('B', [...encap, '--keepalive', '60'])
      await rig.reach('cA', 'cB')
      const isUp = async () => (await rig.exec('A', tsgreArgv(['status', '--json']))).stdout.includes('"liveness":"up"')
      for (const deadline = Date.now() + 20_000; !(await isUp()); await sleep(100)) assert.ok(Date.now() < deadline)
      const well = await doctorOn(rig, 'A', [])
      assert.equal(codes(well.findings), [])
      await B.stop()
      // No ICMP: as a host that is switched off.
      rig.execSync('B', ['nft', 'table inet t { chain c { type filter hook output priority 0; policy drop; }; }'])
      assert.ok(await isUp())
      const { code, findings } = await doctorOn(rig, 'A', [])
      assert.is(told(findings, 'peer-down').level, 'problem')
      assert.is(code, 1)
    },
  )
}

together('a key other than the one that the tunnel here has is tried, and that it is another is told', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('A', ['--key', '8', '--keepalive', '1'])
  await rig.tsgre('B', ['--key', '8', '--keepalive', '1'])
  await rig.reach('cA', 'cB')
  const other = await doctorOn(rig, 'A', [...REMOTE, '--key', '7'])
  const differs = told(other.findings, 'tunnel-differs')
  assert.is(differs.level, 'warning')
  assert.match(differs.text, /on tap0 has key 8 for 192\.168\.56\.5; the doctor asks with key 7/)
  assert.not.ok(other.findings.some(({ text }) => / answers at /.test(text)))
  told(other.findings, 'wrong-key')
  assert.is(other.code, 1)
  assert.equal(codes((await doctorOn(rig, 'A', ['--remote', '192.168.56.5,key=8'])).findings), [])
})

together('a key that the tunnel here has wrong is found right by asking with it', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('A', ['--key', '7'])
  await rig.tsgre('B', ['--key', '8'])
  const { findings } = await doctorOn(rig, 'A', [...REMOTE, '--key', '8'])
  told(findings, 'tunnel-differs')
  assert.match(findings.find(({ check }) => check === 'answer')!.text, /a tsgre answers at 192\.168\.56\.5/)
})

together(
  'a loop that the guard has cut is told with its remote, and frames dropped by --flood-limit with what to do',
  async () => {
    using mesh = new Mesh(2)
    await Promise.all([1, 2].map((i) => mesh.host(i, '--flood-limit', '5')))
    await mesh.reachAll()
    const until = async (code: string): Promise<number> => {
      for (const deadline = Date.now() + 40_000; ; await sleep(200)) {
        const statuses = await Promise.all([1, 2].map((i) => mesh.status(i)))
        const at = statuses.findIndex(({ problems }) => problems.some((one: { code: string }) => one.code === code))
        if (at >= 0) return at + 1
        assert.ok(Date.now() < deadline, `no ${code}`)
      }
    }
    mesh.spawn('c1', ['ping', '-b', '-i', '0.02', '10.103.255.255'])
    const flooded = await doctorOn(mesh, `h${await until('drops-flood-limit')}`, [])
    assert.match(told(flooded.findings, 'dropped').text, /dropped of late as flood-limit/)
    assert.match(told(flooded.findings, 'dropped').remedy, /--flood-limit/)
    mesh.join('h1', 'h2')
    const host = await until('loop')
    const { code, findings } = await doctorOn(mesh, `h${host}`, [])
    const loop = told(findings, 'loop')
    assert.is(loop.level, 'problem')
    assert.is(loop.remote, mesh.address(`h${3 - host}`))
    assert.match(loop.text, /^a loop runs through 192\.168\.56\.1[12]: a second path joins the two LANs/)
    assert.match(loop.remedy, /cut it/)
    assert.is(code, 1)
  },
)

together('who may open no socket is told what the tunnel knows, and how old it is', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tunnel()
  await rig.reach('cA', 'cB')
  const bare = ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all', ...tsgreArgv(['doctor', '--json'])]
  const { stdout } = await rig.exec('A', bare, { anyCode: true })
  const { text, level } = told(JSON.parse(stdout).findings, 'no-answer')
  assert.match(text, /cannot be asked without CAP_NET_RAW; the tsgre that runs here heard it last \d+ s ago$/)
  assert.is(level, 'unknown')
})

together(
  'with several remotes no line of the text is without one, and what is the same of all is told once',
  async () => {
    using mesh = new Mesh(3)
    await mesh.all()
    mesh.execSync('h1', ['iptables', '-P', 'INPUT', 'DROP'])
    const { stdout } = await mesh.exec('h1', tsgreArgv(['doctor']), { anyCode: true, env: { LC_ALL: 'C.UTF-8' } })
    const lines = stdout.split('\n')
    const about = lines.filter((line) => /^. (firewall|rp-filter|kernel-gre|answer|match|path-mtu) /.test(line))
    assert.equal(
      about.filter((line) => !/192\.168\.56\.1[23]/.test(line)),
      [],
      stdout,
    )
    const dropped = lines.filter((line) => line.includes('[firewall-input]'))
    assert.is(dropped.length, 1, stdout)
    assert.match(dropped[0]!, /192\.168\.56\.12, 192\.168\.56\.13: protocol 47/)
    assert.is(lines.filter((line) => line.includes('→ iptables -I INPUT -p gre')).length, 2)
    assert.match(stdout, /\n1 problem, /)
  },
)

test.run()
