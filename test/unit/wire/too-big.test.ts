import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { octets } from '#tsgre/wire/octets.js'
import { answerTooBig, MOST_ANSWER_BYTES } from '#tsgre/wire/too-big.js'
import { type Inner, innerFrame, UDP } from '../../rig/flows.js'
import { DOT1Q, ETH_P_ARP, ethernet, ipv4, ipv6, QINQ } from '../../rig/frames.js'
import { naiveSum } from '../../rig/naive/naive-checksum.js'
import { random } from '../../rig/random.js'

const MAC = { a: [2, 0, 0, 0, 0, 0xa1], b: [2, 0, 0, 0, 0, 0xb2] }

/** The answer, or undefined; `split` lets the frame lie in two pieces. Nothing beside it may be written. */
function answer(frame: Uint8Array, mtu = 1462, split = frame.length): Uint8Array | undefined {
  const out = octets(new Uint8Array(MOST_ANSWER_BYTES + 100).fill(0xa5))
  const head = octets(Uint8Array.from([1, 2, 3, 4, ...frame.slice(0, split)]))
  const rest = octets(frame.slice(split))
  const length = answerTooBig(out, 8, head, 4, 4 + split, rest, 0, frame.length - split, mtu)
  assert.ok([...out.bytes.slice(0, 8), ...out.bytes.slice(8 + length)].every((octet) => octet === 0xa5))
  return length === 0 ? undefined : out.bytes.slice(8, 8 + length)
}

/** The same, built plainly. */
function naiveAnswer(frame: Uint8Array, mtu: number, tags: number, version: 4 | 6): Uint8Array {
  const ip = 14 + 4 * tags
  const packet = frame.slice(ip)
  const two = (value: number) => [value >> 8, value & 0xff]
  const sealed = (bytes: number[], pseudo: number[], at: number) => {
    const all = Uint8Array.from([...pseudo, ...bytes, ...(bytes.length % 2 ? [0] : [])])
    const sum = 65535 - naiveSum(all, 0, all.length)
    return [...bytes.slice(0, at), ...two(sum), ...bytes.slice(at + 2)]
  }
  const layer2 = [...frame.slice(6, 12), ...frame.slice(0, 6), ...frame.slice(12, ip)]
  if (version === 4) {
    const icmp = sealed([3, 4, 0, 0, 0, 0, ...two(mtu), ...packet.slice(0, 548)], [], 2)
    const addresses = [...packet.slice(16, 20), ...packet.slice(12, 16)]
    const header = sealed([0x45, 0xc0, ...two(20 + icmp.length), 0, 0, 0x40, 0, 64, 1, 0, 0, ...addresses], [], 10)
    return Uint8Array.from([...layer2, ...header, ...icmp])
  }
  const addresses = [...packet.slice(24, 40), ...packet.slice(8, 24)]
  const told = Math.max(1280, mtu)
  const body = [2, 0, 0, 0, 0, 0, ...two(told), ...packet.slice(0, 1232)]
  const icmp = sealed(body, [...addresses, 0, 0, ...two(body.length), 0, 0, 0, 58], 2)
  return Uint8Array.from([...layer2, 0x60, 0, 0, 0, ...two(icmp.length), 58, 64, ...addresses, ...icmp])
}

function randomFrame(dice: ReturnType<typeof random>): { frame: Uint8Array; version: 4 | 6; tags: number } {
  const version = dice.oneIn(2) ? 4 : 6
  const tags = [[], [DOT1Q], QINQ][dice.below(3)]!
  const ipOptions = version === 4 && dice.oneIn(4) ? [1, 1, 0, 0] : []
  const protocol = dice.oneIn(2) ? UDP : 6
  const inner: Inner = {
    version,
    tags,
    ipOptions,
    protocol,
    tos: dice.below(256),
    payload: dice.bytes(1 + dice.below(2000)),
  }
  return { frame: innerFrame({ ...inner, destinationMac: MAC.a, sourceMac: MAC.b }), version, tags: tags.length }
}

test('the answer is what a plain builder makes of it: random frames, tags, sizes, in one piece or two', () => {
  const dice = random(1)
  for (let round = 0; round < 2000; round++) {
    const { frame, version, tags } = randomFrame(dice)
    const mtu = 68 + dice.below(9000)
    const split = dice.oneIn(2) ? frame.length : Math.min(frame.length, 100 + dice.below(100))
    assert.equal(answer(frame, mtu, split), naiveAnswer(frame, mtu, tags, version))
  }
})

const icmp = (type: number) => ipv4({ protocol: 1, payload: [type, 0, 0, 0, 0, 0, 0, 0] })
const icmp6 = (type: number) => ipv6({ protocol: 58, payload: [type, 0, 0, 0, 0, 0, 0, 0] })
const changed = (packet: number[], at: number, value: number) => packet.map((octet, i) => (i === at ? value : octet))
const SOME = [1, 2, 3, 4, 5, 6, 7, 8]

const SILENT: readonly (readonly [what: string, frame: Uint8Array])[] = [
  ...[3, 4, 5, 11, 12, 99].map((type) => [`an ICMP error, type ${type}`, ethernet(0x0800, icmp(type))] as const),
  ...[1, 2, 3, 4, 127, 137].map(
    (type) => [`an ICMPv6 error or redirect, type ${type}`, ethernet(0x86dd, icmp6(type))] as const,
  ),
  ['a later fragment', ethernet(0x0800, changed(ipv4({ payload: SOME }), 7, 5))],
  ['a later fragment of IPv6', ethernet(0x86dd, ipv6({ protocol: 44, payload: [17, 0, 0, 8, 0, 0, 0, 1, ...SOME] }))],
  ['a group', ethernet(0x0800, ipv4({ destination: [224, 0, 0, 5], payload: SOME }))],
  ['the broadcast address', ethernet(0x0800, ipv4({ destination: [255, 255, 255, 255], payload: SOME }))],
  ['one who has no address yet', ethernet(0x0800, ipv4({ source: [0, 0, 0, 0], payload: SOME }))],
  ['loopback', ethernet(0x0800, ipv4({ source: [127, 0, 0, 1], payload: SOME }))],
  ['a group as source', ethernet(0x0800, ipv4({ source: [239, 1, 1, 1], payload: SOME }))],
  ['an IPv6 group', ethernet(0x86dd, ipv6({ destination: [0xff, 2, ...Array(13).fill(0), 1], payload: SOME }))],
  ['the unspecified IPv6 address', ethernet(0x86dd, ipv6({ source: Array(16).fill(0), payload: SOME }))],
  [
    'a group address of Ethernet',
    ethernet(0x0800, ipv4({ payload: SOME })).map((octet, i) => (i === 0 ? octet | 1 : octet)),
  ],
  ['ARP', ethernet(ETH_P_ARP, Array(28).fill(0))],
  ['a packet that is cut short', ethernet(0x0800, ipv4({ payload: SOME })).slice(0, 40)],
  ['an IPv6 packet that is cut short', ethernet(0x86dd, ipv6({ payload: [...SOME, ...SOME] })).slice(0, 64)],
  [
    'an IPv6 packet without end of extensions',
    ethernet(0x86dd, ipv6({ protocol: 0, payload: [0, 200, 0, 0, 0, 0, 0, 0] })),
  ],
]
for (const [what, frame] of SILENT) test(`does not answer ${what}`, () => assert.is(answer(frame), undefined))

test('does answer an echo request, a first fragment, and a packet behind extensions', () => {
  assert.ok(answer(ethernet(0x0800, icmp(8))))
  assert.ok(answer(ethernet(0x86dd, icmp6(128))))
  assert.ok(answer(ethernet(0x0800, changed(ipv4({ payload: SOME }), 6, 0x20))))
  assert.ok(answer(ethernet(0x86dd, ipv6({ protocol: 44, payload: [17, 0, 0, 1, 0, 0, 0, 1, ...SOME] }))))
  assert.ok(answer(ethernet(0x86dd, ipv6({ protocol: 60, payload: [17, 0, 1, 4, 0, 0, 0, 0, ...SOME] }))))
})

test('random octets are answered or not, and nothing is written beside the answer', () => {
  const dice = random(2)
  for (let round = 0; round < 5000; round++) {
    const frame = Uint8Array.from(ethernet([0x0800, 0x86dd][dice.below(2)]!, [...dice.bytes(dice.below(120))]))
    if (frame.length > 14 && dice.oneIn(2)) frame[14] = frame[13] === 0 ? 0x45 : 0x60
    answer(frame)
  }
})

test('tshark reads forty of them without a complaint', () => {
  const dice = random(3)
  const folder = mkdtempSync(join(tmpdir(), 'tsgre-answers-'))
  try {
    const words = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer)
    const records = Array.from({ length: 40 }, () => {
      const packet = answer(randomFrame(dice).frame, 1280 + dice.below(200))!
      return Buffer.concat([words(0, 0, packet.length, packet.length), packet])
    })
    const file = join(folder, 'answers.pcap')
    writeFileSync(file, Buffer.concat([words(0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1), ...records]))
    const told = execFileSync('tshark', ['-r', file, '-o', 'ip.check_checksum:TRUE', '-V'], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
    assert.is([...told.matchAll(/Fragmentation needed|Packet Too Big/g)].length >= 40, true)
    const complaints = told
      .split('\n')
      .filter((line) => /Malformed|Expert Info \((Warning|Error)|incorrect|Bad\)/i.test(line))
    assert.equal(complaints, [])
    assert.ok([...told.matchAll(/Checksum Status: Good/g)].length >= 40)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
