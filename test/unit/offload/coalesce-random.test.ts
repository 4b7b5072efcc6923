// Random traffic through the coalescer and a naive kernel: what comes out must be what came, in the order in which it
// came as far as a flow can tell, corrupt frames with their faults.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { flowHash } from '#tsgre/offload/flow-hash.js'
import { findLayers, layers } from '#tsgre/offload/layers.js'
import { coalesce } from '../../rig/coalesced.js'
import { innerFrame } from '../../rig/flows.js'
import { naiveCoalesce } from '../../rig/naive/naive-coalesce.js'
import { naiveKernel } from '../../rig/naive/naive-kernel.js'
import { naiveSegments } from '../../rig/naive/naive-segment.js'
import { type NaiveTransport, naiveIsPartial, naiveTransport, naiveVerifyIp } from '../../rig/naive/naive-transport.js'
import { random } from '../../rig/random.js'
import { FLOWS, Traffic } from '../../rig/traffic.js'

const LONGEST = 300

/** What an end without offload would deliver for this frame. */
function without(frame: Uint8Array): Uint8Array[] {
  const at = naiveTransport(frame)
  if (typeof at === 'string' || !naiveIsPartial(frame, at) || !naiveVerifyIp(frame, at)) return [frame]
  const size = at.protocol === 6 ? Math.max(1, LONGEST - at.payload) : 65535
  if (at.payload === at.stop) return [completed(frame, at)]
  return naiveSegments(frame, size, Number.POSITIVE_INFINITY)!
}

/** A packet without payload, its checksum filled in. */
function completed(frame: Uint8Array, { transport, protocol, stop }: NaiveTransport): Uint8Array {
  const columns = { gsoType: 0, gsoSize: 0, csumStart: transport, csumOffset: protocol === 17 ? 6 : 16 }
  return naiveKernel({ frame: frame.slice(0, stop), ...columns })[0]
}

/** The ids that stood still are counted by the kernel: RFC 6864 §4.1 lets it. They are compared as 0. */
function comparable(frame: Uint8Array): string {
  const at = naiveTransport(frame)
  const copy = Buffer.from(frame)
  if (typeof at !== 'string' && at.version === 4 && naiveVerifyIp(frame, at) && copy.readUInt16BE(at.ip + 4) < 64) {
    copy.fill(0, at.ip + 4, at.ip + 6)
    copy.fill(0, at.ip + 10, at.ip + 12)
  }
  return copy.toString('hex')
}

/** Addresses and ports; what cannot be told belongs to every flow. */
function flowOf(frame: Uint8Array): string {
  const at = naiveTransport(frame)
  if (typeof at === 'string') return at
  const addresses = at.version === 4 ? frame.slice(at.ip + 12, at.ip + 20) : frame.slice(at.ip + 8, at.ip + 40)
  return `${addresses} ${frame.slice(at.transport, at.transport + 4)}`
}

/** The frames of each flow, in order, those that cannot be told among all of them. */
function byFlow(frames: readonly Uint8Array[]): Record<string, string[]> {
  const marked = frames.map((frame) => ({ flow: flowOf(frame), text: comparable(frame) }))
  const flows = [...new Set(marked.map(({ flow }) => flow))].sort()
  return Object.fromEntries(
    flows.map((flow) => {
      const mine = marked.filter((one) => one.flow === flow || (flow !== 'other' && one.flow === 'unclear'))
      return [flow, mine.map(({ text }) => text)]
    }),
  )
}

/** Lists of random lengths through the coalescer; returns how many frames there were and how many went with others. */
function deliver(seed: number, lists: number, faults: { every: number; anywhere: boolean }, udp = true) {
  const dice = random(seed)
  const traffic = new Traffic(dice, faults)
  let frames = 0
  let joined = 0
  for (let round = 0; round < lists; round++) {
    const list = traffic.list(1 + dice.below(dice.oneIn(8) ? 250 : 64))
    const delivered = coalesce(list, { udp, longest: LONGEST, canary: dice.below(256), simd: dice.oneIn(2) })
    const out = delivered.flatMap(naiveKernel)
    assert.equal(byFlow(out), byFlow(list.flatMap(without)), `seed ${seed}, list ${round}`)
    frames += list.length
    joined += list.length - delivered.length
  }
  return { frames, joined }
}

test('delivers traffic with every kind of fault as an end without offload does', () => {
  const { frames, joined } = deliver(21, 400, { every: 6, anywhere: true })
  assert.ok(joined > frames / 10, `${joined} of ${frames} joined`)
})

test('delivers traffic with few faults as an end without offload does', () => {
  const { frames, joined } = deliver(22, 200, { every: 60, anywhere: true })
  assert.ok(joined > frames / 3, `${joined} of ${frames} joined`)
})

test('delivers traffic as an end without offload does where UDP is left alone', () => {
  const { frames, joined } = deliver(23, 100, { every: 20, anywhere: true }, false)
  assert.ok(joined > frames / 10, `${joined} of ${frames} joined`)
})

test('delivers nothing but faults as an end without offload does', () => {
  assert.ok(deliver(24, 150, { every: 1, anywhere: true }).frames > 1000)
})

test('joins exactly the frames that the naive twin joins', () => {
  // Two flows in one place would keep each other from being joined.
  const at = layers()
  const places = FLOWS.map((inner) => {
    const frame = innerFrame(inner)
    findLayers(frame, 0, frame.length, at)
    return flowHash(frame, at) >>> 26
  })
  assert.is(new Set(places).size, FLOWS.length, 'flows of the rig in one place: give one another port')
  for (const every of [10, 40, 200]) {
    const dice = random(every)
    const traffic = new Traffic(dice, { every, anywhere: false })
    for (let round = 0; round < 100; round++) {
      const list = traffic.list(1 + dice.below(150))
      const udp = !dice.oneIn(4)
      const groups = coalesce(list, { udp, longest: LONGEST }).map(({ members }) => members)
      assert.equal(groups, naiveCoalesce(list, udp), `one in ${every}, list ${round}`)
    }
  }
})

test.run()
