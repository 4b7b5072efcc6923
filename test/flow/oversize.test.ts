// Whole pumps whose underlay is narrower than their overlay: what comes out at the far end, and what the sender is told.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { receive, send } from '../rig/batches.js'
import { dropsOf, oneEnd, pair } from '../rig/ends.js'
import { ACK, type Inner, innerFrame, neighbours, PSH, RST, SYN, UDP, URG } from '../rig/flows.js'
import { DOT1Q, ethernet, ipv4, ipv6, plainFrame } from '../rig/frames.js'
import { naiveReassemble } from '../rig/naive/naive-reassemble.js'
import { naiveTransport, naiveVerify, naiveVerifyIp } from '../rig/naive/naive-transport.js'
import { random } from '../rig/random.js'

/** What arrives at the far end, and what the sender is told, of frames that enter a tunnel of `tunnelMtu`. */
async function through(frames: readonly Uint8Array[], given: object = {}) {
  const { a, b, settle, close } = await pair({ tunnelMtu: 1000, ...given })
  send(a.overlay, frames)
  await settle()
  const came = receive(b.overlay)
  const told = receive(a.overlay)
  const drops = { ...dropsOf(a), ...dropsOf(b) }
  await close()
  return { came, told, drops }
}

test('a stream of TCP segments of 1500 arrives byte for byte, each piece right and none too large', async () => {
  const dice = random(1)
  for (const version of [4, 6] as const) {
    for (const tags of [[], [DOT1Q]]) {
      const fields = neighbours({ version, tags, sequence: 0xffff_f000, flags: ACK }, Array(20).fill(1448))
      const frames = fields.map((inner) => innerFrame({ ...inner, payload: dice.bytes(1448) }))
      const { came, told, drops } = await through(frames)
      assert.equal([told, drops], [[], {}])
      let next = 0xffff_f000
      const stream = came.map((frame) => {
        assert.ok(frame.length <= 1014)
        const at = naiveTransport(frame)
        if (typeof at === 'string') throw new Error(at)
        assert.ok(naiveVerify(frame, at) && naiveVerifyIp(frame, at))
        assert.is(Buffer.from(frame).readUInt32BE(at.transport + 4), next)
        next = (next + at.stop - at.payload) >>> 0
        return frame.slice(at.payload, at.stop)
      })
      const sent = frames.map((frame) => frame.slice(-1448))
      assert.is(Buffer.compare(Buffer.concat(stream), Buffer.concat(sent)), 0)
    }
  }
})

const UNSPLIT: readonly (readonly [what: string, inner: Inner])[] = [
  ['SYN', { flags: SYN }],
  ['RST', { flags: RST | ACK }],
  ['urgent data', { flags: ACK | URG, urgent: 5 }],
  ['an MD5 signature', { options: [1, 1, 19, 18, ...Array(16).fill(7)] }],
  ['an authentication option', { options: [29, 16, ...Array(14).fill(7), 1, 1, 1, 0] }],
]
for (const [what, inner] of UNSPLIT) {
  test(`TCP with ${what} is answered where it has DF, fragmented where it has not`, async () => {
    const payload = random(2).bytes(1300)
    const answered = await through([innerFrame({ ...inner, df: true, payload })])
    assert.equal([answered.came.length, answered.told.length, answered.drops], [0, 1, { answered: 1 }])
    assert.equal([...answered.told[0]!.slice(34, 36)], [3, 4])
    assert.is(Buffer.from(answered.told[0]!).readUInt16BE(40), 1000)
    const frame = innerFrame({ ...inner, df: false, payload })
    const { came, told, drops } = await through([frame])
    assert.equal([told, drops], [[], {}])
    assert.equal(naiveReassemble(came.map((piece) => piece.slice(14))).data, frame.slice(34))
  })
}

test('a corrupt segment never becomes a right one, and a corrupt IPv4 header ends unanswered', async () => {
  const payload = random(3).bytes(1400)
  for (const df of [true, false]) {
    const wrong = innerFrame({ df, flags: ACK | PSH, payload })
    wrong[100]! ^= 4
    const { came, told } = await through([wrong])
    assert.is(told.length, df ? 1 : 0)
    if (!df) assert.equal(naiveReassemble(came.map((piece) => piece.slice(14))).data, wrong.slice(34))
    const header = innerFrame({ df, protocol: UDP, payload })
    header[24]! ^= 1
    assert.equal(await through([header]), { came: [], told: [], drops: { 'too-big': 1 } })
  }
})

for (const oversize of ['answer', 'drop'] as const) {
  test(`IPv6 is carried up to 1280 in outer fragments with --oversize ${oversize}, what is larger is not`, async () => {
    const end = await oneEnd({ tunnelMtu: 1000, oversize })
    const packet = (size: number) => ethernet(0x86dd, ipv6({ payload: [...random(4).bytes(size - 40)] }))
    send(end.overlay, [packet(1280), packet(1281)])
    end.turn()
    assert.equal(
      receive(end.underlay).map(({ length }) => length),
      [4 + 14 + 1280],
    )
    assert.equal(dropsOf(end), { [oversize === 'answer' ? 'answered' : 'too-big']: 1 })
  })
}

for (const version of [4, 6] as const) {
  test(`of an IPv${version} frame with a trailer the packet counts`, async () => {
    const followed = (frame: Uint8Array) => Uint8Array.from([...frame, ...Array(1500 - frame.length).fill(9)])
    for (const inner of [
      { protocol: UDP, payload: random(7).bytes(800) },
      { flags: ACK },
      { payload: new Uint8Array(9) },
    ]) {
      const frame = innerFrame({ version, df: true, ...inner })
      const { came, told, drops } = await through([followed(frame)])
      assert.equal([came, told, drops], [[frame], [], {}])
    }
    const empty = version === 4 ? ethernet(0x0800, ipv4({ payload: [] })) : ethernet(0x86dd, ipv6({ payload: [] }))
    const { came, drops } = await through([followed(empty)])
    assert.is(came.length + (drops.answered ?? 0), 1, 'nothing vanishes')
  })
}

test('a trailer does not take from IPv6 what it takes for granted', async () => {
  const end = await oneEnd({ tunnelMtu: 1000 })
  const frame = ethernet(0x86dd, ipv6({ payload: [...random(4).bytes(1240)] }))
  send(end.overlay, [Uint8Array.from([...frame, 1, 2, 3, 4])])
  end.turn()
  assert.equal([receive(end.underlay).map(({ length }) => length), dropsOf(end)], [[4 + 14 + 1280 + 4], {}])
})

test('TCP whose headers leave no room for a payload: told, carried in outer fragments, or dropped, and the tunnel lives', async () => {
  const options: Inner = { extensions: [[60, Array(254).fill(0)]], payload: random(8).bytes(900) }
  for (const oversize of ['answer', 'outer', 'drop'] as const) {
    for (const tunnelMtu of [68, 200, 300]) {
      for (const inner of [options, { options: [8, 10, ...Array(8).fill(1), 1, 1], payload: random(9).bytes(200) }]) {
        const { came, told, drops } = await through([innerFrame({ version: 6, ...inner })], { tunnelMtu, oversize })
        assert.is(came.length > 0, true, `${tunnelMtu} ${oversize}: IPv6 up to 1280 passes`)
        assert.equal([told, drops], [[], {}])
      }
      const large = innerFrame({
        ipOptions: Array(40).fill(1),
        options: Array(40).fill(1),
        df: true,
        payload: random(9).bytes(400),
      })
      const { came, told, drops } = await through([large], { tunnelMtu: Math.min(tunnelMtu, 100), oversize })
      const one = { answer: [0, 1, 'answered'], outer: [1, 0, undefined], drop: [0, 0, 'too-big'] }[oversize]
      assert.equal([came.length, told.length, Object.keys(drops)[0]], one)
    }
  }
})

test('IPv6 is told 1280 where less fits', async () => {
  const underlay = await oneEnd({ tunnelMtu: 1000 })
  send(underlay.overlay, [ethernet(0x86dd, ipv6({ payload: [...random(4).bytes(1300)] }))])
  underlay.turn()
  const [told] = receive(underlay.overlay)
  assert.equal(
    [...told!.slice(54, 62)].map((octet, i) => (i === 2 || i === 3 ? 0 : octet)),
    [2, 0, 0, 0, 0, 0, 5, 0],
  )
})

test('outer carries everything but TCP whole, drop carries nothing that does not fit', async () => {
  const payload = random(5).bytes(1400)
  const udp = innerFrame({ protocol: UDP, df: true, payload })
  const tcp = innerFrame({ df: true, payload })
  const frames = [udp, plainFrame(1400), tcp]
  const outer = await through(frames, { oversize: 'outer' })
  assert.equal([outer.told, outer.drops], [[], {}])
  assert.equal(outer.came.slice(0, 2), frames.slice(0, 2))
  assert.is(outer.came.length, 4)
  assert.equal(await through(frames, { oversize: 'drop' }), { came: [], told: [], drops: { 'too-big': 3 } })
})

for (const [sent, given, came] of [
  [1460, {}, 960],
  [900, {}, 900],
  [1460, { clampMss: false }, 1460],
] as const) {
  test(`a SYN with ${sent} arrives with ${came}: ${JSON.stringify(given)}`, async () => {
    const syn = innerFrame({ flags: SYN, options: [2, 4, sent >> 8, sent & 255] })
    const { came: frames } = await through([syn], given)
    assert.is(Buffer.from(frames[0]!).readUInt16BE(56), came)
    // The other end alone clamps what it receives.
    const { a, b, settle, close } = await pair(
      { clampMss: false },
      { other: { tunnelMtu: 1000, clampMss: true, ...given } },
    )
    send(a.overlay, [syn])
    await settle()
    assert.is(Buffer.from(receive(b.overlay)[0]!).readUInt16BE(56), came)
    await close()
  })
}

test('what looks like a probe and comes from the overlay is not carried, others of its EtherType are', async () => {
  const forged = plainFrame(60)
  forged.set([0x01, 0x80, 0xc2, 0, 0, 3])
  assert.equal(await through([forged, plainFrame(60)]), {
    came: [plainFrame(60)],
    told: [],
    drops: { 'forged-probe': 1 },
  })
})

test('a flood is answered at the pace of a router, and each sender has a share', async () => {
  const end = await oneEnd({ tunnelMtu: 1000 })
  const from = (mac: number) =>
    innerFrame({ protocol: UDP, sourceMac: [2, 0, 0, 0, 0, mac], payload: new Uint8Array(1300) })
  const flood = Array.from({ length: 200 }, () => from(1))
  send(end.overlay, flood)
  for (let i = 0; i < 8; i++) end.turn(1000)
  assert.is(receive(end.overlay).length, 10)
  send(end.overlay, [from(2)])
  end.turn(1000)
  assert.is(receive(end.overlay).length, 1)
  send(end.overlay, [from(1)])
  end.turn(1011)
  assert.is(receive(end.overlay).length, 1, 'a hundred a second')
  assert.equal(dropsOf(end), { answered: 12, 'too-big': 190 })
})

test('garbage larger than the tunnel: no throw, and each frame ends as packets, as one answer, or as one drop', async () => {
  const dice = random(6)
  const RULES = ['answer', 'outer', 'drop'] as const
  for (let round = 0; round < 600; round++) {
    const end = await oneEnd({
      tunnelMtu: 100 + dice.below(900),
      oversize: RULES[dice.below(3)]!,
      checksum: dice.oneIn(2),
    })
    const frame = dice.oneIn(2)
      ? dice.bytes(1100 + dice.below(400))
      : innerFrame({
          version: dice.oneIn(2) ? 4 : 6,
          protocol: dice.oneIn(2) ? UDP : 6,
          df: dice.oneIn(2),
          payload: dice.bytes(1000 + dice.below(400)),
        })
    for (let i = dice.below(4); i > 0; i--) frame[12 + dice.below(60)] = dice.below(256)
    send(end.overlay, [frame])
    end.turn(round * 1000)
    const drops = Object.values(dropsOf(end)).reduce((sum, count) => sum + count, 0)
    const packets = receive(end.underlay).length
    assert.ok(
      drops <= 1 && (drops === 1) !== packets > 0,
      `${round}: ${packets} packets, ${JSON.stringify(dropsOf(end))}`,
    )
    assert.is(receive(end.overlay).length, dropsOf(end).answered ?? 0)
    await end.close()
  }
})

test.run()
