// Open vSwitch's user-space datapath at the other end: a GRE that shares no code with ours.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { happened, type Summary } from '../rig/accounts.js'
import { Hosts } from '../rig/hosts.js'
import { Ovs, type OvsOptions } from '../rig/ovs.js'

const MB = 1_000_000
const BYTES = (process.env.TSGRE_LONG ? 64 : 2) * MB

const VARIANTS: readonly (readonly [how: string, theirs: OvsOptions, ours: string[]])[] = [
  ['plain', {}, []],
  ['with a key', { key: 42 }, ['--key', '42']],
  ['with checksums', { csum: true }, ['--csum']],
  ['with a key and checksums', { key: 42, csum: true }, ['--key', '42', '--csum']],
  // Theirs verifies what comes, and does not ask for it.
  ['with checksums from one side only', { csum: true }, []],
  ['with sequence numbers from our side', {}, ['--seq']],
  ['over IPv6', { family: 6 }, []],
]

/**
 * Open vSwitch takes our packets and, since its bridge floods, hands them to the kernel of its host too, which answers that
 * nobody takes GRE there: `peer-refused` counts answers to packets that arrived.
 */
function unexplained(summary: Summary) {
  const { 'peer-refused': _, ...others } = happened(summary)
  return others
}

for (const io of ['mmsg', 'raw-socket']) {
  for (const [how, theirs, ours] of VARIANTS) {
    test(`joins containers with Open vSwitch ${how}, --io ${io}`, async () => {
      using rig = new Hosts({ overlay: 'flat' })
      const [daemon] = await Promise.all([
        rig.tsgre('A', ['--io', io, ...ours], { family: theirs.family ?? 4 }),
        Ovs.start(rig, 'B', theirs),
      ])
      const longer = theirs.csum && !ours.includes('--csum') ? 4 : 0
      for (const node of ['cA', 'cB'] as const) rig.ip(node, `link set eth0 mtu ${daemon.up.tunnelMtu - longer}`)
      await rig.reach('cA', 'cB')
      for (const size of [1, 1000, 1448]) {
        assert.is((await rig.ping('cA', 'cB', { size })).loss, 0, `${size} bytes from tsgre`)
        assert.is((await rig.ping('cB', 'cA', { size })).loss, 0, `${size} bytes from Open vSwitch`)
      }
      assert.is((await rig.transfer('cA', 'cB', BYTES, { timeoutMs: 240_000 })).bytes, BYTES)
      assert.is((await rig.transfer('cB', 'cA', BYTES, { timeoutMs: 240_000 })).bytes, BYTES)
      const { summary } = await daemon.stop()
      assert.equal(unexplained(summary), {})
    })
  }
}

test('Open vSwitch with another key is seen as a key mismatch, and named', async () => {
  using rig = new Hosts({ overlay: 'flat', containerMtu: 1400 })
  const [daemon] = await Promise.all([rig.tsgre('A', ['--key', '42']), Ovs.start(rig, 'B', { key: 43 })])
  // Nobody answers ARP here, and Open vSwitch loses what comes before it has asked for the other host.
  rig.ip('cB', `neigh replace ${rig.address('cA')} lladdr 02:00:00:00:00:a1 dev eth0`)
  await rig.ping('cB', 'cA', { count: 30, wait: 0.2 })
  const { summary } = await daemon.stop()
  assert.is(summary.rxFrames, 0)
  assert.ok(summary.drops['key-mismatch'] > 0)
  assert.is(summary.lastWrongKey, 43)
})

test.run()
