// The kernel's filter, run in a BPF machine of the rig over every shape of packet. That offset 0 is where this file has it
// is the kernel's word, and the netns tests' to prove.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP_REASONS } from '#tsgre/drops.js'
import { DROP_ALL, greFilter } from '#tsgre/io/gre-filter.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { fill } from '../../rig/batches.js'
import { isSound, runFilter } from '../../rig/bpf.js'
import { plainFrame } from '../../rig/frames.js'
import { naiveEmitGre } from '../../rig/naive/naive-gre.js'
import { settings } from '../../rig/settings.js'
import { receivingSide } from '../../rig/sides.js'

const KEYS = [undefined, 0, 42, 0x8000_0000, 0xffff_ffff]
const HEADERS_ONLY = 90

const FOUR = Uint8Array.of(192, 0, 2, 2)
const SIX = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2)

/** The filter of a tunnel with one remote, whose packets `runFrom` gives it. */
const filterOf = (family: 4 | 6, keyIn: number | undefined) =>
  greFilter(family, [{ address: addressOf(family), keyIn }])
const addressOf = (family: 4 | 6) => (family === 4 ? FOUR : SIX)

/** What the filter passes of a packet, whose IP header is in front of offset 0 on IPv6, from this address. */
function runFrom(
  program: ReturnType<typeof greFilter>,
  packet: Uint8Array,
  octets: number,
  address?: Uint8Array,
): number {
  if (octets === 0) {
    const header = new Uint8Array(40)
    header.set(address ?? SIX, 8)
    return runFilter(program, packet, header)
  }
  packet.set(address ?? FOUR, 12)
  return runFilter(program, packet)
}

/** What stands in front of GRE at offset 0 of the filter: on raw IPv4 the outer header, on raw IPv6 nothing. */
const OUTERS: readonly (readonly [name: string, family: 4 | 6, octets: number])[] = [
  ['IPv4', 4, 20],
  ['IPv4 with 4 bytes of options', 4, 24],
  ['IPv4 with 40 bytes of options', 4, 60],
  ['IPv6', 6, 0],
]

function behind(octets: number, gre: Uint8Array): Uint8Array {
  const packet = new Uint8Array(octets + gre.length)
  // options full of ones: nothing there may be taken for GRE
  packet.fill(0xff, 0, octets)
  if (octets > 0) packet[0] = 0x40 | (octets / 4)
  packet.set(gre, octets)
  return packet
}

const FRAME = plainFrame(200)

/** Every combination of C, K and S; with K every key. */
function* greShapes(): Generator<{ key: number | undefined; gre: Uint8Array }> {
  for (let bits = 0; bits < 4; bits++) {
    for (const key of KEYS) {
      const fields = {
        ...(bits & 1 && { checksum: 0 }),
        ...(key !== undefined && { key }),
        ...(bits & 2 && { sequence: 42 }),
      }
      yield { key, gre: naiveEmitGre({ ...fields, payload: FRAME }) }
    }
  }
}

/** A tunnel with `key`; making one costs more than what it is asked here. */
function tunnelOf(key: number | undefined) {
  const counters = new Counters()
  return { counters, ...receivingSide(settings({ keyIn: key }), counters) }
}
const tunnels = new Map(KEYS.map((key) => [key, tunnelOf(key)]))

/** The verdict of a tunnel with `key` on a packet that begins with GRE. */
function verdict(key: number | undefined, gre: Uint8Array): string {
  const { counters, batch, run } = tunnels.get(key)!
  counters.reset()
  fill(batch, [gre])
  run(0, () => {})
  const { drops, lastWrongKey } = counters.snapshot()
  const reason = DROP_REASONS.find((name) => drops[name] > 0)
  return `${reason ?? 'frame'} ${lastWrongKey ?? ''}`
}

test('is a sound program for every family and key', () => {
  for (const family of [4, 6] as const) for (const key of KEYS) assert.ok(isSound(filterOf(family, key)))
  assert.ok(isSound(DROP_ALL))
})

test('DROP_ALL drops everything', () => {
  for (const size of [0, 1, 20, 1500]) assert.is(runFilter(DROP_ALL, new Uint8Array(size)), 0)
})

for (const [name, family, octets] of OUTERS) {
  test(`passes our key whole and every other one shortened to its headers (${name})`, () => {
    for (const ours of KEYS) {
      const program = filterOf(family, ours)
      for (const { key, gre } of greShapes()) {
        const packet = behind(octets, gre)
        const expected = key === ours ? packet.length : HEADERS_ONLY
        assert.is(runFrom(program, packet, octets), expected, `ours ${ours}, its ${key}, flags ${gre[0].toString(16)}`)
      }
    }
  })

  test(`shortens what is no GRE of ours: versions, routing, source-route bits (${name})`, () => {
    for (const ours of KEYS) {
      const program = filterOf(family, ours)
      for (const { gre } of greShapes()) {
        for (const [at, bit] of [
          [0, 0x40],
          [0, 0x08],
          [0, 0x04],
          [1, 0x01],
          [1, 0x02],
          [1, 0x04],
        ]) {
          const odd = gre.slice()
          odd[at] |= bit
          assert.is(runFrom(program, behind(octets, odd), octets), HEADERS_ONLY)
        }
      }
    }
  })

  test(`lets the ignored bits 6 to 12 change nothing (${name})`, () => {
    for (const ours of KEYS) {
      for (const { gre } of greShapes()) {
        const odd = gre.slice()
        odd[0] |= 0x03
        odd[1] |= 0xf8
        const program = filterOf(family, ours)
        assert.is(runFrom(program, behind(octets, odd), octets), runFrom(program, behind(octets, gre), octets))
      }
    }
  })

  test(`drops nothing uncounted, wherever the packet is cut (${name})`, () => {
    for (const ours of KEYS) {
      const program = filterOf(family, ours)
      for (const { gre } of greShapes()) {
        for (let size = 0; size <= 40; size++) {
          const packet = behind(octets, gre.subarray(0, size))
          const passed = runFrom(program, packet, octets)
          const least = Math.min(packet.length, HEADERS_ONLY)
          assert.ok(passed >= least, `ours ${ours}, flags ${gre[0].toString(16)}, ${size} bytes of GRE: ${passed}`)
        }
      }
    }
  })

  test(`changes no verdict: shortened packets are counted as whole ones would be (${name})`, () => {
    const oddities: readonly (readonly [number, number])[] = [
      [0, 0],
      [0, 0x40],
      [0, 0x0c],
      [1, 1],
      [1, 0x80],
      [3, 1],
      [40, 1],
    ]
    for (const ours of KEYS) {
      const program = filterOf(family, ours)
      for (const { gre } of greShapes()) {
        for (const [at, flip] of oddities) {
          const odd = gre.slice()
          odd[at] ^= flip
          const packet = behind(octets, odd)
          const passed = packet.subarray(octets, runFrom(program, packet, octets))
          assert.is(
            verdict(ours, passed),
            verdict(ours, odd),
            `ours ${ours}, flags ${odd[0].toString(16)}, octet ${at}`,
          )
        }
      }
    }
  })
}

test.run()
