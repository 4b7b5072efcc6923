import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clampMss, maybeSyn } from '#tsgre/offload/clamp-mss.js'
import { octets } from '#tsgre/wire/octets.js'
import { ACK, type Inner, innerFrame, PSH, SYN } from '../../rig/flows.js'
import { DOT1Q, QINQ } from '../../rig/frames.js'
import { naiveIsPartial, naiveTransport, naiveVerify } from '../../rig/naive/naive-transport.js'
import { random } from '../../rig/random.js'

const mss = (bytes: number) => [2, 4, bytes >> 8, bytes & 0xff]

/** The frame after clamping; what lies around it must stay. */
function clamped(frame: Uint8Array, longest: number): Uint8Array {
  const memory = octets(new Uint8Array(frame.length + 128).fill(0xa5))
  memory.bytes.set(frame, 64)
  if (maybeSyn(memory.bytes, 64, 64 + frame.length)) clampMss(memory, 64, 64 + frame.length, longest)
  const around = [...memory.bytes.slice(0, 64), ...memory.bytes.slice(64 + frame.length)]
  assert.ok(around.every((octet) => octet === 0xa5))
  return memory.bytes.slice(64, 64 + frame.length)
}

/** The MSS written down plainly: the value of the first option of kind 2. */
function mssOf(frame: Uint8Array): number | undefined {
  const at = naiveTransport(frame)
  if (typeof at === 'string') return undefined
  let options = [...frame.slice(at.transport + 20, at.payload)]
  while (options.length > 0 && options[0] !== 0) {
    if (options[0] === 1) options = options.slice(1)
    else if (options[0] === 2) return options[2]! * 256 + options[3]!
    else options = options.slice(options[1])
  }
  return undefined
}

test('lowers what is too large and never raises: random frames, sizes and places of the option', () => {
  const dice = random(1)
  for (let round = 0; round < 3000; round++) {
    const tags = [[], [DOT1Q], QINQ][dice.below(3)]!
    const version = dice.oneIn(2) ? 4 : 6
    const before = Array.from({ length: dice.below(4) }, () => 1)
    const asked = dice.below(65536)
    const options = [...before, ...mss(asked), ...Array(4 - (before.length % 4)).fill(1)]
    const checksum = (['right', 'partial'] as const)[dice.below(2)]!
    const flags = SYN | (dice.oneIn(2) ? ACK : 0)
    const frame = innerFrame({
      version,
      tags,
      options,
      checksum,
      flags,
      sequence: dice.word(),
      sourcePort: dice.below(65536),
    })
    const longest = 200 + dice.below(9000)
    const after = clamped(frame, longest)
    const fits = longest - 14 - 4 * tags.length - (version === 4 ? 20 : 40) - 20
    assert.is(mssOf(after), Math.min(asked, fits))
    const at = naiveTransport(after)
    if (typeof at === 'string') throw new Error(at)
    if (checksum === 'right') assert.ok(naiveVerify(after, at), `${round}`)
    else if (asked > fits) assert.ok(naiveIsPartial(after, at))
    const changed = [...after].flatMap((octet, i) => (octet === frame[i] ? [] : [i]))
    assert.ok(asked > fits ? changed.length <= 4 : changed.length === 0)
  }
})

test('a wrong checksum stays wrong', () => {
  const frame = innerFrame({ flags: SYN, options: mss(1460) })
  frame[50]! ^= 0x10
  const after = clamped(frame, 1476)
  const at = naiveTransport(after)
  assert.is(mssOf(after), 1422)
  assert.ok(typeof at !== 'string' && !naiveVerify(after, at))
})

const UNTOUCHED: readonly (readonly [what: string, inner: Inner])[] = [
  ['no SYN', { flags: ACK | PSH, options: mss(1460) }],
  ['no option', { flags: SYN, options: [1, 1, 1, 1] }],
  ['an option of another length', { flags: SYN, options: [2, 3, 5, 1] }],
  ['one that ends behind the header', { flags: SYN, options: [1, 1, 2, 4] }],
  ['one behind the end of options', { flags: SYN, options: [0, 0, 0, 0, ...mss(1460)] }],
  ['one behind a malformed option', { flags: SYN, options: [8, 0, 1, 1, ...mss(1460)] }],
]
for (const [what, inner] of UNTOUCHED) {
  test(`leaves ${what} as it is`, () => {
    const frame = innerFrame({ ...inner, payload: new Uint8Array(20).fill(2) })
    assert.equal(clamped(frame, 500), frame)
  })
}

test('leaves what is cut short, a later fragment, and random octets in peace', () => {
  const whole = innerFrame({ flags: SYN, options: mss(1460) })
  for (let size = 14; size < whole.length; size++)
    assert.equal(clamped(whole.slice(0, size), 500), whole.slice(0, size))
  const fragment = innerFrame({ flags: SYN, options: mss(1460) })
  fragment[21] = 1
  assert.equal(clamped(fragment, 500), fragment)
  const dice = random(2)
  for (let round = 0; round < 5000; round++) {
    const frame = dice.bytes(17 + dice.below(100))
    if (dice.oneIn(2)) frame.set([8, 0, 0x45], 12)
    clamped(frame, 100)
  }
})

test.run()
