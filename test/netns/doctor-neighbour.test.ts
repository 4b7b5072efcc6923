// The doctor where the first host on the way does not answer for its address: on a dead link nothing comes, neither an answer nor ICMP.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { codes, doctorOn, told } from '../rig/doctor.js'
import { Hosts } from '../rig/hosts.js'
import { together } from '../rig/together.js'

for (const how of ['on the link', 'behind a gateway'])
  together(`a neighbour that does not answer ARP is told as the problem, of a remote ${how}`, async () => {
    using rig = new Hosts({ overlay: 'none' })
    const remote = how === 'on the link' ? '192.168.56.77' : '192.0.2.77'
    rig.ip('A', 'route add 192.0.2.0/24 via 192.168.56.77')
    const { code, findings } = await doctorOn(rig, 'A', ['--remote', remote])
    const { text, level, remedy } = told(findings, 'unreachable')
    assert.is(level, 'problem')
    const who = remote === '192.168.56.77' ? remote : `192.168.56.77, the gateway to ${remote},`
    assert.ok(text.startsWith(`${who} does not answer ARP on eth1: `), text)
    assert.match(remedy, /ip neigh show 192\.168\.56\.77 dev eth1$/)
    assert.not.ok(codes(findings).includes('no-answer'))
    assert.is(code, 1)
  })

together('a link that is cut under a tunnel is told, over IPv6 too, and not what ICMP said before', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  await rig.tsgre('A', ['--keepalive', '1'])
  const status = async () => (await rig.exec('A', tsgreArgv(['status']))).stdout
  for (const deadline = Date.now() + 20_000; !/protocol unreachable/.test(await status()); await sleep(200))
    assert.ok(Date.now() < deadline)
  rig.ip('B', 'link set eth1 down')
  rig.ip('A', 'neighbour flush dev eth1')
  const four = await doctorOn(rig, 'A', [])
  assert.match(told(four.findings, 'unreachable').text, /^192\.168\.56\.5 does not answer ARP on eth1/)
  assert.equal(
    four.findings.filter(({ text }) => /protocol unreachable/.test(text)),
    [],
  )
  assert.is(four.code, 1)
  const six = await doctorOn(rig, 'A', ['--remote', rig.address('B', 6)])
  assert.match(told(six.findings, 'unreachable').text, /does not answer neighbour discovery on eth1/)
})

together('a neighbour that answered ARP before, and does no more, is waited for', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const args = ['--remote', '192.168.56.5']
  told((await doctorOn(rig, 'A', args)).findings, 'no-gre-there')
  for (const family of ['arp', 'inet'])
    rig.execSync('B', ['nft', `table ${family} t { chain c { type filter hook output priority 0; policy drop; }; }`])
  rig.ip('A', 'neighbour change 192.168.56.5 dev eth1 nud stale')
  const { code, findings } = await doctorOn(rig, 'A', args)
  assert.match(told(findings, 'unreachable').text, /^192\.168\.56\.5 does not answer ARP on eth1/)
  assert.is(code, 1)
})

test.run()
