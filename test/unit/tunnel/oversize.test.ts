// Superframes whose segments, as their sender wants them, do not fit the tunnel. Whole frames are flow/oversize.test.ts's.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dropCounters, dropsByReason } from '#tsgre/drops.js'
import { Batch } from '#tsgre/io/batch.js'
import type { OversizeRule } from '#tsgre/tunnel/settings.js'
import { contents } from '../../rig/batches.js'
import { type Inner, innerFrame, UDP } from '../../rig/flows.js'
import { DOT1Q } from '../../rig/frames.js'
import { naiveReassemble } from '../../rig/naive/naive-reassemble.js'
import { naiveSegments } from '../../rig/naive/naive-segment.js'
import { random } from '../../rig/random.js'
import { settings } from '../../rig/settings.js'
import { sendingSide } from '../../rig/sides.js'
import { fillSuperframes } from '../../rig/superframes.js'

const TUNNEL_MTU = 1000
const GRE_BYTES = 4
const RULES: readonly OversizeRule[] = ['answer', 'outer', 'drop']
const frames = new Batch()
const batch = Batch.over(frames, 256, true)

interface Case {
  inner: Inner
  gsoSize: number
  rule?: OversizeRule
  tunnelMtu?: number
}

/** What a superframe of 20 000 octets of payload becomes, and what its segments would be if they fitted. */
function encapsulated({ inner, gsoSize, rule = 'answer', tunnelMtu = TUNNEL_MTU }: Case) {
  const drops = dropCounters()
  const bytes = innerFrame({ ...inner, payload: random(1).bytes(20_000), checksum: 'partial' })
  const tags = 4 * (inner.tags?.length ?? 0)
  const { encapsulator, answers } = sendingSide(settings({ oversize: rule }), GRE_BYTES + 14 + tags + tunnelMtu)
  encapsulator.begin(fillSuperframes(frames, [{ bytes, gsoSize }]))
  frames.gsoType[0] ||= 1
  encapsulator.fill(batch, drops)
  assert.not(encapsulator.more)
  return {
    came: contents(batch).map((packet) => packet.slice(GRE_BYTES)),
    outside: [...batch.fragment.subarray(0, batch.count)],
    told: contents(answers.batch),
    answered: dropsByReason(drops).answered,
    tooBig: dropsByReason(drops)['too-big'],
    segments: naiveSegments(bytes, gsoSize, Number.POSITIVE_INFINITY) ?? [],
  }
}

test('a superframe whose headers leave no room, or that says 0 of its segments, ends as one drop', () => {
  const inner = { ipOptions: Array(40).fill(1), options: Array(40).fill(1), df: true } as const
  for (const [gsoSize, drops] of [
    [0, [0, 1]],
    [900, [1, 0]],
  ] as const) {
    const { came, answered, tooBig } = encapsulated({ inner, gsoSize, tunnelMtu: 100 })
    assert.equal([came, [answered, tooBig]], [[], drops])
  }
})

for (const tags of [[], [DOT1Q]]) {
  const where = tags.length > 0 ? ' behind a VLAN tag' : ''
  const ip = 14 + 4 * tags.length

  test(`datagrams without DF${where}: each goes in fragments of its own, which are it again`, () => {
    const { came, outside, told, segments } = encapsulated({
      inner: { protocol: UDP, df: false, id: 65530, tags },
      gsoSize: 1400,
    })
    assert.equal([told, new Set(outside)], [[], new Set([0])])
    for (const frame of came) assert.ok(frame.length <= ip + TUNNEL_MTU)
    const ids = came.map((frame) => Buffer.from(frame).readUInt16BE(ip + 4))
    assert.is(new Set(ids).size, segments.length)
    for (const segment of segments) {
      const id = Buffer.from(segment).readUInt16BE(ip + 4)
      const pieces = came.filter((_, i) => ids[i] === id).map((frame) => frame.slice(ip))
      assert.equal(naiveReassemble(pieces).data, segment.slice(ip + 20))
    }
  })

  for (const version of [4, 6] as const) {
    test(`IPv${version} datagrams that may not be cut${where}: one answer, which quotes the first of them`, () => {
      const { came, told, answered, segments } = encapsulated({
        inner: { version, protocol: UDP, df: true, tags },
        gsoSize: 1400,
      })
      assert.equal([came, answered, told.length], [[], 1, 1])
      const icmp = ip + (version === 4 ? 20 : 40)
      const quoted = told[0]!.slice(icmp + 8)
      assert.equal(quoted, segments[0]!.slice(ip, ip + quoted.length))
      assert.is(told[0]!.length, version === 4 ? ip + 576 : ip + 1280)
      const mtu =
        version === 4 ? Buffer.from(told[0]!).readUInt16BE(icmp + 6) : Buffer.from(told[0]!).readUInt32BE(icmp + 4)
      assert.is(mtu, version === 4 ? TUNNEL_MTU : 1280)
    })
  }

  for (const rule of RULES) {
    test(`IPv6 datagrams of 1280${where} go in outer fragments with --oversize ${rule}`, () => {
      const inner = { version: 6, protocol: UDP, tags } as const
      const { came, outside, told, segments } = encapsulated({ inner, gsoSize: 1280 - 48, rule })
      assert.equal([came, told, new Set(outside)], [segments, [], new Set([1])])
      const more = encapsulated({ inner, gsoSize: 1280 - 47, rule })
      assert.equal([more.answered, more.tooBig], [rule === 'answer' ? 1 : 0, rule === 'drop' ? 1 : 0])
      assert.is(more.came.length > 0, rule === 'outer')
    })

    test(`TCP${where} is cut to what fits with --oversize ${rule}`, () => {
      for (const version of [4, 6] as const) {
        const { came, outside, told } = encapsulated({ inner: { version, df: true, tags }, gsoSize: 1400, rule })
        assert.equal([told, new Set(outside)], [[], new Set([0])])
        assert.is(Math.max(...came.map(({ length }) => length)), ip + TUNNEL_MTU)
      }
    })
  }
}

test.run()
