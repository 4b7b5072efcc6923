// Several daemons between the same two hosts, told apart by their keys alone: each carries its own frames and counts the
// packets of all the others as key-mismatch, exactly.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { closeBooks, happened, type Pair } from '../rig/accounts.js'
import { Hosts } from '../rig/hosts.js'
import { type Family, type HostName, otherHost } from '../rig/topology.js'

interface Lane {
  keys: Pair<string[]>
  /** What the packets of each host carry. */
  sent: Pair<number | 'none'>
}

const LANES: readonly Lane[] = [
  { keys: { A: [], B: [] }, sent: { A: 'none', B: 'none' } },
  { keys: { A: ['--key', '0'], B: ['--key', '0'] }, sent: { A: 0, B: 0 } },
  { keys: { A: ['--key', '42'], B: ['--key', '42'] }, sent: { A: 42, B: 42 } },
  {
    keys: { A: ['--ikey', '1', '--okey', '2'], B: ['--ikey', '2', '--okey', '1'] },
    sent: { A: 2, B: 1 },
  },
]
const HOSTS: readonly HostName[] = ['A', 'B']

function address(host: HostName, lane: number): string {
  return `10.103.${lane}.${host === 'A' ? 1 : 2}`
}

function mac(host: HostName, lane: number): string {
  return `02:00:00:00:0${lane}:0${host.toLowerCase()}`
}

/**
 * A bridge for a lane in a host, with an address: no container is needed to speak on it. It knows its neighbour, so that
 * nothing is sent but what the test sends, in the test's order.
 */
function addBridge(rig: Hosts, host: HostName, lane: number): void {
  const other = otherHost(host)
  rig.ip(host, `link add br${lane} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`)
  rig.ip(host, `link set br${lane} address ${mac(host, lane)} addrgenmode none mtu 1400 up`)
  rig.ip(host, `address add ${address(host, lane)}/24 dev br${lane}`)
  rig.ip(host, `neigh add ${address(other, lane)} lladdr ${mac(other, lane)} dev br${lane}`)
}

for (const family of [4, 6] as Family[]) {
  for (const io of ['mmsg', 'raw-socket']) {
    test(`tunnels without key, with 0, 42 and two keys share two hosts over IPv${family}, --io ${io}`, async () => {
      using rig = new Hosts({ overlay: 'none' })
      const start = (host: HostName) =>
        Promise.all(
          LANES.map(({ keys }, lane) => {
            addBridge(rig, host, lane)
            const own = ['--tap', `tap${lane}`, '--bridge', `br${lane}`, ...keys[host]]
            return rig.tsgre(host, ['--io', io, ...own], { family })
          }),
        )
      const [A, B] = await Promise.all(HOSTS.map(start))
      for (const lane of LANES.keys()) {
        assert.is((await rig.ping('A', address('B', lane), { count: 2 + lane })).loss, 0, `lane ${lane}`)
        assert.is((await rig.ping('B', address('A', lane), { size: 1000 })).loss, 0, `lane ${lane}`)
      }
      const books = { A: await Promise.all(A.map(closeBooks)), B: await Promise.all(B.map(closeBooks)) }
      for (const [here, there] of [
        ['A', 'B'],
        ['B', 'A'],
      ] as const) {
        for (const lane of LANES.keys()) {
          const theirs = books[there].map(({ summary }) => summary.txFrames)
          const foreign = theirs.reduce((a, b) => a + b) - theirs[lane]
          const { summary, full } = books[here][lane]
          assert.is(full, 0)
          assert.is(summary.rxFrames, theirs[lane])
          assert.equal(happened(summary), { 'key-mismatch': foreign })
          const last = lane === LANES.length - 1 ? LANES.length - 2 : LANES.length - 1
          assert.is(summary.lastWrongKey, LANES[last].sent[there])
        }
      }
    })
  }
}

test('two tunnels with each other’s keys swapped do not hear each other', async () => {
  using rig = new Hosts({ overlay: 'flat' })
  const keys = ['--ikey', '1', '--okey', '2']
  const { A, B } = await rig.tunnel(keys)
  assert.is((await rig.ping('cA', 'cB', { count: 2, wait: 0.2 })).received, 0)
  for (const node of ['cA', 'cB'] as const) rig.ip(node, 'link set eth0 down')
  const [{ summary: a }, { summary: b }] = await Promise.all([closeBooks(A), closeBooks(B)])
  assert.is(a.rxFrames + b.rxFrames, 0)
  assert.is(b.lastWrongKey, 2)
  assert.is(b.drops['key-mismatch'], a.txFrames)
})

test.run()
