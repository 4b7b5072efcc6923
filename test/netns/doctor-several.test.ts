// The doctor where the first thing that comes to mind is wrong: several tunnels to one remote, and a host that is itself the reason.

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { doctorOn, type Told, told } from '../rig/doctor.js'
import { Hosts } from '../rig/hosts.js'
import { together } from '../rig/together.js'

const REMOTE = ['--remote', '192.168.56.5']

function of(findings: readonly Told[], check: string): Told {
  return findings.find((finding) => finding.check === check)!
}

together(
  'a wrong key of one tunnel is told for it, and not for another one to the same remote that works',
  async () => {
    using rig = new Hosts({ overlay: 'flat' })
    const keepalive = ['--keepalive', '1']
    await rig.tunnel(['--key', '12', ...keepalive])
    await rig.reach('cA', 'cB')
    await rig.tsgre('A', ['--tap', 'tap1', '--key', '77', ...keepalive])
    await rig.tsgre('B', ['--tap', 'tap1', '--key', '78', ...keepalive])
    const status = async () => (await rig.exec('A', tsgreArgv(['status', '--json']))).stdout
    for (const deadline = Date.now() + 20_000; !(await status()).includes('"lastWrongKey":78'); await sleep(100))
      assert.ok(Date.now() < deadline)
    const [plain, one, never] = await Promise.all([
      doctorOn(rig, 'A', []),
      doctorOn(rig, 'A', [...REMOTE, '--tap', 'tap1']),
      doctorOn(rig, 'A', ['--remote', '192.168.56.5,key=5', '--tap', 'tap5']),
    ])
    for (const { code, findings } of [plain, one]) {
      const wrong = findings.filter((finding) => finding.code === 'wrong-key')
      assert.is(wrong.length, 1, JSON.stringify(findings, null, 1))
      assert.is(wrong[0]!.text, 'packets from 192.168.56.5 come with key 78, this tunnel wants key 77')
      assert.is(code, 1)
    }
    const taps = plain.findings
      .filter(({ remote }) => remote === '192.168.56.5')
      .map(({ check, tap }) => `${check} ${tap}`)
    for (const check of ['route', 'firewall', 'answer', 'match', 'path-mtu'])
      for (const tap of ['tap0', 'tap1']) assert.ok(taps.includes(`${check} ${tap}`), `${check} of ${tap}`)

    assert.is.not(of(never.findings, 'answer').level, 'ok')
    assert.is.not(of(never.findings, 'match').level, 'ok')
  },
)

together(
  'a firewall here that rejects is not taken for one there, and one that drops says nothing of the other host',
  async () => {
    using rig = new Hosts({ overlay: 'flat' })
    rig.execSync('A', 'iptables -A OUTPUT -p gre -j REJECT'.split(' '))
    const { findings } = await doctorOn(rig, 'A', REMOTE)
    told(findings, 'firewall-output')
    assert.match(told(findings, 'not-sent').text, /own firewall refuses/)
    rig.execSync('A', 'iptables -F'.split(' '))
    rig.execSync('A', 'iptables -A INPUT -p gre -j DROP'.split(' '))
    await rig.tsgre('B')
    const shut = await doctorOn(rig, 'A', REMOTE)
    told(shut.findings, 'firewall-input')
    assert.is(told(shut.findings, 'no-answer').remedy, 'see the firewall above, input')
  },
)

together('where a tsgre was killed that is told, with what it left and how to take it back', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const { child } = await rig.tsgre('A')
  child.kill('SIGKILL')
  await child.ended
  const killed = async () => {
    const { code, findings } = await doctorOn(rig, 'A', [])
    assert.is(code, 1)
    return told(findings, 'killed')
  }
  const { text, remedy } = await killed()
  assert.match(text, /^the tsgre on tap0 \(process \d+\) was killed and has left: ./)
  assert.match(remedy, /^tsgre cleanup /)
  for (const name of readdirSync(rig.runFolder('A')))
    if (name.endsWith('.journal')) rmSync(join(rig.runFolder('A'), name))
  assert.match((await killed()).text, /^no tsgre runs here, and one that was killed has left: .*\/tap0\.sock$/)
})

test.run()
