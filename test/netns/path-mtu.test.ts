// A router between the hosts whose way on is narrower than the hosts know: it says so by ICMP, or it says nothing.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { happened } from '../rig/accounts.js'
import type { Daemon } from '../rig/daemon.js'
import { datagrams } from '../rig/datagrams.js'
import { Hosts } from '../rig/hosts.js'
import type { Family } from '../rig/topology.js'

const MB = 1_000_000
const HEADERS = { 4: 38, 6: 58 } as const
/** Of a receiver that waits for what never comes. */
const STALLED_MS = 3000

function hosts(): Hosts {
  return new Hosts({ overlay: 'flat', containerMtu: 1500, middle: true })
}

/** The middle drops what is larger, and tells nobody. */
function swallow(rig: Hosts, mtu: number): void {
  rig.middleRules([`meta length > ${mtu} drop`])
}

async function tells(daemon: Daemon, tunnelMtu: number): Promise<void> {
  await daemon.child.waitFor(
    (line) => line.includes('"event":"tunnelMtu"') && line.includes(`"tunnelMtu":${tunnelMtu},`),
    20_000,
  )
}

/** Transfers while `happens` after the first bytes have come; returns the longest time in which none came, from the first on. */
async function stallOf(rig: Hosts, bytes: number, happens: () => void): Promise<number> {
  const received = () => rig.ipJson('cB', '-s link show eth0')[0].stats64.rx.bytes as number
  let done = false
  const transfer = rig.transfer('cA', 'cB', bytes, { timeoutMs: 120_000 }).finally(() => {
    done = true
  })
  transfer.catch(() => {})
  const first = received()
  let last = first
  let since = Date.now()
  let longest = 0
  for (let happened = false; !done; await sleep(50)) {
    const now = received()
    if (!happened && now > bytes / 10) {
      happened = true
      happens()
    }
    // Before the first packet the programs have yet to start.
    if (now === first || now - last > 3000) since = Date.now()
    longest = Math.max(longest, Date.now() - since)
    last = now
  }
  await transfer
  return longest
}

const CASES: readonly (readonly [how: string, args: string[], family: Family, headers: number])[] = [
  ['over IPv4', [], 4, HEADERS[4]],
  ['over IPv6', [], 6, HEADERS[6]],
  ['in UDP', ['--encap', 'udp'], 4, HEADERS[4] + 8],
  ['in UDP over IPv6', ['--encap', 'udp'], 6, HEADERS[6] + 8],
]

for (const [how, args, family, headers] of CASES) {
  test(`${how}: an ICMP of the router makes the tunnel narrower, and TCP hardly notices; later it is wide again`, async () => {
    using rig = hosts()
    const { A } = await rig.tunnel(args, { family })
    await rig.reach('cA', 'cB')
    const stall = await stallOf(rig, 200 * MB, () => rig.middleMtu(1400))
    assert.ok(stall < STALLED_MS, `${stall} ms`)
    await tells(A, 1400 - headers)
    rig.middleMtu(1500)
    rig.ip('A', `-${family} route flush cache`) // what the kernel does by itself after ten minutes
    await tells(A, 1500 - headers)
    await A.stop()
  })

  test(`${how}: --probe finds the size that a silent box lets through, while TCP runs`, async () => {
    using rig = hosts()
    const { A, B } = await rig.tunnel([...args, '--probe'], { family })
    // What passes as one message would be dropped as one, whatever it is cut to later.
    for (const host of ['A', 'B'] as const) rig.offloadsOff(host, 'eth1')
    await rig.reach('cA', 'cB')
    const stall = await stallOf(rig, 200 * MB, () => swallow(rig, 1400))
    assert.ok(stall < STALLED_MS, `${stall} ms`)
    await tells(A, 1400 - headers)
    await tells(B, 1400 - headers)
    await Promise.all([A.stop(), B.stop()])
  })
}

for (const [how, args, family, box, headers] of [
  ['over IPv4', [], 4, 1000, HEADERS[4]],
  ['over IPv6', [], 6, 1300, HEADERS[6]],
  ['in UDP', ['--encap', 'udp'], 4, 1000, HEADERS[4] + 8],
  ['in UDP over IPv6', ['--encap', 'udp', '--udp-source-port', 'flow'], 6, 1300, HEADERS[6] + 8],
] as const) {
  test(`${how}: what goes in outer fragments passes a silent box too, found by --probe or told by --tunnel-mtu`, async () => {
    for (const which of [['--probe'], ['--tunnel-mtu', `${box - headers}`]]) {
      using rig = new Hosts({ overlay: 'flat', containerMtu: 1500, containerIpv6: true, middle: true })
      for (const host of ['A', 'B'] as const) rig.offloadsOff(host, 'eth1')
      swallow(rig, box)
      const { A, B } = await rig.tunnel([...args, ...which, '--oversize', 'outer'], { family })
      if (which[0] === '--probe') for (const end of [A, B]) await tells(end, box - headers)
      await rig.reach('cA', 'cB')
      await rig.reach('cA', 'cB', { family: 6 })
      assert.is((await rig.ping('cA', 'cB', { size: 1472, dontFragment: true })).loss, 0)
      assert.is((await rig.ping('cA', 'cB', { size: 1232, family: 6 })).loss, 0)
      assert.is(await datagrams(rig, 'cB', 'cA', { size: 1472 }), 1)
      assert.equal(happened((await A.stop()).summary), {})
    }
  })
}

test('without --probe the same box stalls TCP', async () => {
  using rig = hosts()
  await rig.tunnel()
  await rig.reach('cA', 'cB')
  swallow(rig, 1400)
  const failed = await rig.transfer('cA', 'cB', MB, { timeoutMs: 5000 }).then(
    () => false,
    () => true,
  )
  assert.ok(failed)
})

test('--probe finds a box that was there first, and the way that it leaves when it is gone', async () => {
  using rig = hosts()
  swallow(rig, 1333)
  const { A, B } = await rig.tunnel(['--probe'])
  await rig.reach('cA', 'cB')
  await tells(A, 1333 - HEADERS[4])
  await tells(B, 1333 - HEADERS[4])
  assert.is((await rig.transfer('cA', 'cB', 4 * MB)).bytes, 4 * MB)
  await A.stop()
})

test('one end alone with --probe is answered by the other, at once also where nothing else happens', async () => {
  using rig = hosts()
  await rig.tsgre('B') // first: one who has not answered is asked again ten seconds later
  const A = await rig.tsgre('A', ['--probe'])
  for (const host of ['A', 'B'] as const) rig.offloadsOff(host, 'eth1')
  await rig.reach('cA', 'cB')
  const stall = await stallOf(rig, 200 * MB, () => swallow(rig, 1400))
  assert.ok(stall < STALLED_MS, `${stall} ms`)
  await tells(A, 1400 - HEADERS[4])
  await A.stop()
})

test('a box that came while nobody sent anything does not stall who begins', async () => {
  using rig = hosts()
  const { A } = await rig.tunnel(['--probe'])
  for (const host of ['A', 'B'] as const) rig.offloadsOff(host, 'eth1')
  await rig.reach('cA', 'cB')
  await sleep(3000)
  swallow(rig, 1400)
  const stall = await stallOf(rig, 20 * MB, () => {})
  assert.ok(stall < STALLED_MS, `${stall} ms`)
  await tells(A, 1400 - HEADERS[4])
  await A.stop()
})

test('to a peer that never answers, --probe sends one short frame and no more', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const capture = await rig.capture('A', 'eth1', 'ip proto gre')
  const A = await rig.tsgre('A', ['--probe', '--bridge', 'none'])
  rig.ip('A', 'link set tap0 down') // nothing of the kernel's own
  await sleep(5000)
  const lines = (await capture.stop(['-nn', '-t', '-e'])).filter((line) => /0x88b5|Unknown/.test(line))
  assert.is(lines.length, 1, lines.join('\n'))
  assert.match(lines[0]!, /length 98:/) // 14 + 20 + 4 + 60
  await A.stop()
})

test('follows the MTU of its underlay device', async () => {
  using rig = new Hosts({ overlay: 'flat', containerMtu: 1500 })
  const { A } = await rig.tunnel()
  await rig.reach('cA', 'cB')
  for (const host of ['A', 'B'] as const) rig.ip(host, 'link set eth1 mtu 1400')
  await tells(A, 1362)
  assert.is((await rig.transfer('cA', 'cB', 4 * MB)).bytes, 4 * MB)
  for (const host of ['A', 'B'] as const) rig.ip(host, 'link set eth1 mtu 9000')
  await tells(A, 8962)
  const { summary } = await A.stop()
  assert.is(summary.drops['too-big'], 0)
})

test.run()
