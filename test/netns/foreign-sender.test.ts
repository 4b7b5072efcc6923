// Packets of a sender that is not ours, made by hand on npm raw-socket: the good ones reach the container and are
// answered, each odd one is counted under its reason, and what has to be ignored is.

import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { DropReason } from '#tsgre/drops.js'
import { closeBooks, happened } from '../rig/accounts.js'
import type { Daemon } from '../rig/daemon.js'
import type { Came, Gre } from '../rig/gre-peer.js'
import { Hosts } from '../rig/hosts.js'
import { arpRequest, echoReply, echoRequest, isArpReply, type Node } from '../rig/inner-frames.js'
import type { Family } from '../rig/topology.js'

const PEER = fileURLToPath(new URL('../rig/gre-peer.js', import.meta.url))
const PORTS = ['mmsg', 'raw-socket']
const FAMILIES: readonly Family[] = [4, 6]
/** Where every case is a test of its own; elsewhere, where only the way to the same code differs, they go together. */
const inFull = (family: Family, io: string) => family === 4 && io === 'mmsg'

const US: Node = { mac: '0200000000b2', address: '10.103.0.77' }

const C = 0x8000
const R = 0x4000
const K = 0x2000
const S = 0x1000

/** Sends the packets from host B to the daemon in A; returns what came back, as GRE. */
async function send(rig: Hosts, family: Family, packets: readonly Gre[], wait?: (came: Came[]) => boolean) {
  const argv = [process.execPath, PEER, rig.address('A', family)]
  const peer = rig.spawn('B', argv, { input: JSON.stringify(packets) })
  const came = () => peer.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Came)
  await peer.waitFor(/^sent/)
  if (wait) await peer.waitFor(() => wait(came()))
  return { came: came(), stop: () => peer.stop() }
}

function container(rig: Hosts): Node {
  const mac = rig.ipJson('cA', 'link show eth0')[0].address.replaceAll(':', '')
  return { mac, address: rig.address('cA') }
}

async function summaryOf(daemon: Daemon) {
  const { summary, full } = await closeBooks(daemon)
  assert.is(full, 0)
  return summary
}

// ——— good ones ———

type Good = readonly [how: string, args: string[], gre: Omit<Gre, 'payload'>]

const GOOD: readonly Good[] = [
  ['a plain header', [], { flags: 0 }],
  ['a good checksum where none is sent', [], { flags: C, checksum: 'good' }],
  ['the key', ['--key', '42'], { flags: K, key: 42 }],
  ['key 0', ['--key', '0'], { flags: K, key: 0 }],
  ['the largest key', ['--key', '4294967295'], { flags: K, key: 0xffffffff }],
  ['the key it expects, and not the one it sends', ['--ikey', '1', '--okey', '2'], { flags: K, key: 1 }],
  ['a sequence number nobody asked for', [], { flags: S, sequence: 7 }],
  ['all three', ['--key', '42', '--csum', '--seq'], { flags: C | K | S, checksum: 'good', key: 42, sequence: 0 }],
  ['neither checksum nor number, though it sends both', ['--csum', '--seq'], { flags: 0 }],
  ...Array.from({ length: 7 }, (_, i): Good => [`bit ${6 + i}, which says nothing`, [], { flags: 0x0200 >> i }]),
  ['all the bits that say nothing', ['--key', '42'], { flags: K | 0x03f8, key: 42 }],
]

for (const family of FAMILIES) {
  for (const io of PORTS) {
    for (const [how, args, gre] of GOOD) {
      if (!inFull(family, io) && !['a plain header', 'the key', 'all three'].includes(how)) continue
      test(`takes ${how} from a foreign sender, and answers, over IPv${family}, --io ${io}`, async () => {
        using rig = new Hosts({ overlay: 'flat' })
        const daemon = await rig.tsgre('A', ['--io', io, ...args], { family })
        const them = container(rig)
        const again = gre.sequence === undefined ? gre : { ...gre, sequence: gre.sequence + 1 }
        const packets = [
          { ...gre, payload: arpRequest(US, them.address) },
          { ...again, payload: echoRequest(US, them, 5) },
        ]
        const { came, stop } = await send(rig, family, packets, (came) => came.length >= 2)
        const header = came[0].rest.length - 2 * 42
        const frames = came.map(({ rest }) => rest.slice(header))
        assert.ok(isArpReply(frames[0], US))
        assert.is(echoReply(frames[1], US), 5)
        assert.is(came[0].protocol, 0x6558)
        await stop()
        const summary = await summaryOf(daemon)
        assert.equal(happened(summary), {})
        assert.is(summary.rxFrames, 2)
      })
    }
  }
}

// ——— odd ones ———

type Odd = readonly [how: string, reason: DropReason, args: string[], Gre[]]

/** A frame for nobody: nothing answers it. */
const FRAME = `0200000000990200000000b288b5${'00'.repeat(50)}`
const KEYED = ['--key', '42']
const ALL = ['--key', '42', '--csum', '--seq']
const ODD: readonly Odd[] = [
  ['another key', 'key-mismatch', KEYED, [41, 43, 0, 0x2a000000].map((key) => ({ flags: K, key, payload: FRAME }))],
  ['no key where one is expected', 'key-mismatch', KEYED, [{ flags: 0, payload: FRAME }]],
  ['no key, and key 0 expected', 'key-mismatch', ['--key', '0'], [{ flags: 0, payload: FRAME }]],
  ['a key where none is expected', 'key-mismatch', [], [42, 0].map((key) => ({ flags: K, key, payload: FRAME }))],
  [
    'another key behind a checksum, good or bad',
    'key-mismatch',
    KEYED,
    [1, 'good'].map((checksum) => ({ flags: C | K, checksum, key: 43, payload: FRAME }) as Gre),
  ],
  ['a version', 'bad-version', [], [1, 2, 7].map((version) => ({ flags: version, payload: FRAME }))],
  ['version 1 as PPTP sends it', 'bad-version', KEYED, [{ flags: 0x3081, protocol: 0x880b, key: 42, payload: FRAME }]],
  ['a routing bit', 'reserved-bits', [], [R, R | C, 0x0800, 0x0400].map((flags) => ({ flags, payload: FRAME }))],
  ['a routing bit beside the key', 'reserved-bits', KEYED, [{ flags: R | K, key: 42, payload: FRAME }]],
  [
    'another protocol',
    'unknown-protocol',
    [],
    [0x0800, 0x86dd, 0x88be, 0x6559, 0].map((protocol) => ({ flags: 0, protocol, payload: FRAME })),
  ],
  [
    'a wrong checksum',
    'checksum',
    [],
    [0, 1, 0xffff].map((checksum) => ({ flags: C, checksum, payload: FRAME.replace('00', '02') })),
  ],
  ['a wrong checksum with the right key', 'checksum', KEYED, [{ flags: C | K, checksum: 1, key: 42, payload: FRAME }]],
  [
    'an end inside the header',
    'truncated',
    ALL,
    [1, 2, 3, 4, 8, 12, 15].map((cut) => ({
      flags: C | K | S,
      checksum: 'good',
      key: 42,
      sequence: 1,
      payload: FRAME,
      cut,
    })),
  ],
  ['an end inside a plain header', 'truncated', [], [1, 2, 3].map((cut) => ({ flags: 0, payload: FRAME, cut }))],
  ['an end inside the frame', 'truncated', [], [4, 5, 16, 17].map((cut) => ({ flags: 0, payload: FRAME, cut }))],
  [
    'an end inside the frame, keyed',
    'truncated',
    KEYED,
    [8, 21].map((cut) => ({ flags: K, key: 42, payload: FRAME, cut })),
  ],
  [
    'a number older than the newest',
    'out-of-sequence',
    ['--seq', '--reorder', '0'],
    [100, 99, 100, 98].map((sequence) => ({ flags: S, sequence, payload: FRAME })),
  ],
]

type Odds = readonly [how: string, args: string[], odds: readonly Odd[]]

function alone(odd: Odd): Odds {
  const [how, reason, args] = odd
  return [`${how} as ${reason}`, args, [odd]]
}

/** All odd packets for one set of options at once. */
function together(): Odds[] {
  const sets = new Map<string, Odd[]>()
  for (const odd of ODD) sets.set(odd[2].join(' '), [...(sets.get(odd[2].join(' ')) ?? []), odd])
  return [...sets].map(([options, odds]) => [`odd packets, with ${options || 'no options'}`, odds[0][2], odds])
}

function expected(odds: readonly Odd[], good: number): Partial<Record<DropReason, number>> {
  const counts: Partial<Record<DropReason, number>> = {}
  for (const [, reason, , packets] of odds) counts[reason] = (counts[reason] ?? 0) + packets.length - good
  return counts
}

for (const family of FAMILIES) {
  for (const io of PORTS) {
    for (const [how, args, odds] of inFull(family, io) ? ODD.map(alone) : together()) {
      test(`counts ${how}, over IPv${family}, --io ${io}`, async () => {
        using rig = new Hosts({ overlay: 'flat' })
        const daemon = await rig.tsgre('A', ['--io', io, ...args], { family })
        const packets = odds.flatMap(([, , , packets]) => packets)
        await (await send(rig, family, packets)).stop()
        const summary = await summaryOf(daemon)
        const good = args.includes('--reorder') ? 1 : 0 // the first of them is in order
        assert.equal(happened(summary), expected(odds, good))
        assert.is(summary.rxFrames, good)
        const wrong = odds.filter(([, reason]) => reason === 'key-mismatch').at(-1)?.[3]
        assert.is(summary.lastWrongKey, wrong ? (wrong.at(-1)!.key ?? 'none') : null)
      })
    }

    test(`numbers out of order are waited for and none is dropped, over IPv${family}, --io ${io}`, async () => {
      using rig = new Hosts({ overlay: 'flat' })
      const daemon = await rig.tsgre('A', ['--io', io, '--seq', '--reorder', '64,1000'], { family })
      const packets = [0, 3, 2, 1, 4].map((sequence) => ({ flags: S, sequence, payload: FRAME }))
      await (await send(rig, family, packets)).stop()
      const summary = await summaryOf(daemon)
      assert.equal([summary.rxFrames, happened(summary)], [packets.length, {}])
    })

    test(`a frame of 14 bytes is the shortest that is taken, over IPv${family}, --io ${io}`, async () => {
      using rig = new Hosts({ overlay: 'flat' })
      const daemon = await rig.tsgre('A', ['--io', io], { family })
      const capture = await rig.capture('cA', 'eth0')
      await (await send(rig, family, [{ flags: 0, payload: FRAME.slice(0, 28) }])).stop()
      await capture.waitFor(/02:00:00:00:00:b2 > 02:00:00:00:00:99.*length 14/)
      const summary = await summaryOf(daemon)
      assert.equal([summary.rxFrames, happened(summary)], [1, {}])
    })

    test(`what another host sends ${io === 'mmsg' ? 'never gets here' : 'is unknown-peer'}, over IPv${family}, --io ${io}`, async () => {
      using rig = new Hosts({ overlay: 'flat' })
      const daemon = await rig.tsgre('A', ['--io', io], { family })
      const other = family === 4 ? '192.168.56.77' : 'fd56::77'
      rig.ip('B', `address add ${other} dev eth1 nodad`)
      rig.ip('B', `route add ${rig.address('A', family)} dev eth1 src ${other}`)
      const capture = await rig.capture('A', 'eth1', `src host ${other} and proto 47`)
      const packets = [{ flags: 0 }, { flags: K, key: 42 }, { flags: 1 }].map((gre) => ({ ...gre, payload: FRAME }))
      await (await send(rig, family, packets)).stop()
      await capture.stop()
      assert.is(capture.packets().length, packets.length)
      const summary = await summaryOf(daemon)
      assert.equal(happened(summary), io === 'mmsg' ? {} : { 'unknown-peer': packets.length })
      assert.equal([summary.rxFrames, summary.lastWrongKey], [0, null])
    })
  }
}

test.run()
