// The machine that filters captures, against tcpdump itself: the programs it compiles, and its verdict on the same frames. And
// what it makes of programs that mean harm.

import { execFileSync } from 'node:child_process'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compileFilter } from '#tsgre/cli/compile-filter.js'
import { bpfProgram, type Instruction, MOST_INSTRUCTIONS } from '#tsgre/daemon/capture/bpf.js'
import { ConfigError } from '#tsgre/errors.js'
import { greFilter } from '#tsgre/io/gre-filter.js'
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from '#tsgre/wire/pcapng.js'
import { runFilter } from '../../../rig/bpf.js'
import { innerFrame, RST, SYN, TCP, UDP } from '../../../rig/flows.js'
import { DOT1Q, ETH_P_ARP, ethernet, ipv4, ipv6, plainFrame, QINQ, taggedFrame } from '../../../rig/frames.js'
import { random } from '../../../rig/random.js'
import { withFile } from '../../../rig/tshark.js'

const arp = [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 0xa1, 10, 103, 0, 1, 0, 0, 0, 0, 0, 0, 10, 103, 0, 2]
const icmp = (type: number, size: number) => ipv4({ protocol: 1, payload: [type, 0, ...Array(size).fill(type)] })

const FRAMES: Uint8Array[] = [
  ...[1, 40, 1400].map((size) => innerFrame({ payload: new Uint8Array(size) })),
  innerFrame({ flags: SYN, destinationPort: 22, ipOptions: [1, 1, 1, 1] }),
  innerFrame({ flags: RST, sourcePort: 443, tags: [DOT1Q] }),
  innerFrame({ version: 6, protocol: TCP, destinationPort: 80 }),
  innerFrame({ version: 6, protocol: UDP, sourcePort: 53, payload: new Uint8Array(99) }),
  innerFrame({ protocol: UDP, destinationPort: 53, payload: new Uint8Array(700), ttl: 1 }),
  innerFrame({ protocol: UDP, destinationPort: 67, tags: QINQ }),
  ethernet(0x0800, icmp(8, 56)),
  ethernet(0x0800, icmp(0, 900)),
  ethernet(0x0800, ipv4({ source: [192, 0, 2, 1], protocol: 47, payload: [0, 0, 0x65, 0x58] })),
  ethernet(0x86dd, ipv6({ protocol: 58, payload: [128, 0, 0, 0] })),
  ethernet(ETH_P_ARP, arp),
  ethernet(ETH_P_ARP, arp, [DOT1Q]),
  plainFrame(60),
  taggedFrame(1518),
  ethernet(0x0026, Array(46).fill(0x42)),
  ethernet(0x0800, []), // cut inside its header
  ethernet(0x0800, ipv4().slice(0, 12)),
  Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...plainFrame(60).subarray(6)]),
  Uint8Array.from([0x01, 0x80, 0xc2, 0, 0, 0, ...plainFrame(64).subarray(6)]),
]

const EXPRESSIONS = [
  'arp',
  'ip or ip6',
  'not ip',
  'icmp[icmptype] == icmp-echo',
  'tcp[tcpflags] & (tcp-syn|tcp-rst) != 0',
  'tcp port 22 or udp port 53',
  'ip6 and tcp portrange 70-90',
  'host 10.103.0.1 and not arp',
  'net 192.0.2.0/24',
  'src net 10.0.0.0/8 and greater 500',
  'less 64',
  'vlan',
  'vlan 100 and arp',
  'vlan 7 and vlan 100 and udp',
  'ether broadcast or ether multicast',
  'ether src 02:00:00:00:00:b2 and ether proto 0x88b5',
  'ip[8] < 5',
  'ip[2:2] - ((ip[0] & 0xf) << 2) > 100',
  '(ip[2:2] * 3 + 7) % 5 = 1 or (len >> 4) ^ 2 = 5',
  'ip[ip[0] & 3:1] / (ip[9] - 17) >= 0', // divides by zero for UDP
  'ether[0] & 1 = 0 and ip[0:4] != 0 and -ip[8] < 4294967290',
  'ip proto 47 or icmp6',
  'llc',
  'tcp and ether[len - 1] = 0',
]

/** A pcap (not ng) of the frames, for tcpdump -r. */
function pcap(linkType: number, frames: readonly Uint8Array[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(24))
  header.setUint32(0, 0xa1b2c3d4, true)
  header.setUint16(4, 2, true)
  header.setUint16(6, 4, true)
  header.setUint32(16, 262144, true)
  header.setUint32(20, linkType, true)
  const records = frames.flatMap((frame, i) => {
    const record = new DataView(new ArrayBuffer(16))
    record.setUint32(0, 1000 + i, true)
    record.setUint32(8, frame.length, true)
    record.setUint32(12, frame.length, true)
    return [new Uint8Array(record.buffer), frame]
  })
  return Buffer.concat([new Uint8Array(header.buffer), ...records])
}

/** The frames tcpdump shows, by their time. */
function shownByTcpdump(bytes: Uint8Array, expression: string): number[] {
  const argv = (path: string) => ['-r', path, '-nn', '-tt', '-q', '--', expression]
  const said = withFile(bytes, (path) => execFileSync('tcpdump', argv(path), { encoding: 'utf8', stdio: 'pipe' }))
  return [...said.matchAll(/^(\d{4})\./gm)].map(([, seconds]) => Number(seconds) - 1000)
}

test(`takes and leaves what tcpdump does, by ${EXPRESSIONS.length} expressions`, async () => {
  const file = pcap(LINKTYPE_ETHERNET, FRAMES)
  for (const expression of EXPRESSIONS) {
    const program = bpfProgram(await compileFilter(expression, 'inner'))
    const shown = FRAMES.flatMap((frame, i) => (program.accepts(frame) ? [i] : []))
    assert.equal(shown, shownByTcpdump(file, expression), expression)
  }
})

test('does so with packets that begin with IP', async () => {
  const packets = FRAMES.filter((frame) => [0x0800, 0x86dd].includes((frame[12]! << 8) | frame[13]!)).map((frame) =>
    frame.slice(14),
  )
  const file = pcap(LINKTYPE_RAW, packets)
  for (const expression of ['ip proto 47', 'ip6', 'udp port 53', 'tcp[13] & 2 != 0', 'greater 300']) {
    const program = bpfProgram(await compileFilter(expression, 'outer'))
    const shown = packets.flatMap((packet, i) => (program.accepts(packet) ? [i] : []))
    assert.equal(shown, shownByTcpdump(file, expression), expression)
  }
})

test('agrees with the plain machine of the rig on the filter of the raw socket', () => {
  const source = random(11)
  const address = Uint8Array.of(192, 0, 2, 2)
  for (const program of [greFilter(4, [{ address, keyIn: 42 }]), greFilter(4, [{ address, keyIn: undefined }])]) {
    const ours = bpfProgram(program)
    for (let round = 0; round < 5000; round++) {
      const packet = source.bytes(1 + source.below(60)) // of nothing the other one shows nothing
      if (source.oneIn(2)) packet[0] = 0x45
      if (source.oneIn(2) && packet.length >= 16) packet.set(address, 12)
      assert.is(ours.accepts(packet), runFilter(program, packet) !== 0)
    }
  }
})

test('goes by the length there was, not by what was kept of it', async () => {
  const program = bpfProgram(await compileFilter('greater 1000', 'inner'))
  assert.ok(program.accepts(plainFrame(60), 1000))
  assert.not.ok(program.accepts(plainFrame(60)))
})

const RETURN: Instruction = [0x06, 0, 0, 1]

const HARMFUL: readonly (readonly [what: string, program: unknown])[] = [
  ['nothing', undefined],
  ['text', 'arp'],
  ['no instruction', []],
  ['too many', Array.from({ length: MOST_INSTRUCTIONS + 1 }, () => RETURN)],
  ['no numbers', [['6', 0, 0, 1]]],
  ['fractions', [[6, 0, 0, 0.5]]],
  ['negative numbers', [[0x05, 0, 0, -2], RETURN]],
  ['numbers beyond 32 bits', [[0x06, 0, 0, 2 ** 32]]],
  ['a jump beyond 8 bits', [[0x15, 256, 0, 0], RETURN]],
  ['three numbers', [[6, 0, 0]]],
  ['five numbers', [[6, 0, 0, 1, 1]]],
  ['an instruction that is none', [null]],
  ['an unknown code', [[0xffff, 0, 0, 0], RETURN]],
  ['a jump behind the end', [[0x05, 0, 0, 1], RETURN]],
  ['a jump around 2^32', [[0x05, 0, 0, 0xffff_ffff], RETURN]],
  ['a condition behind the end', [[0x15, 0, 1, 0], RETURN]],
  ['no return at the end', [RETURN, [0x00, 0, 0, 1]]],
  ['a division by zero', [[0x34, 0, 0, 0], RETURN]],
  ['a remainder by zero', [[0x94, 0, 0, 0], RETURN]],
  ['a shift by 32', [[0x64, 0, 0, 32], RETURN]],
  ['a cell there is not', [[0x02, 0, 0, 16], RETURN]],
  ['a load of a cell there is not', [[0x61, 0, 0, 16], RETURN]],
]

for (const [what, program] of HARMFUL) {
  test(`refuses a program with ${what}`, () => {
    assert.throws(
      () => bpfProgram(program),
      (error: unknown) => error instanceof ConfigError && error.code === 'TSGRE_BAD_FILTER',
    )
  })
}

test('takes the longest program there may be', () => {
  const program = bpfProgram(
    Array.from({ length: MOST_INSTRUCTIONS }, (_, i) =>
      i < MOST_INSTRUCTIONS - 1 ? [0x04, 0, 0, 1] : [0x16, 0, 0, 0],
    ),
  )
  assert.ok(program.accepts(plainFrame(60)))
})

test('rejects the packet where a program would divide by zero or read outside of it', () => {
  const at = (code: number, k: number): Instruction => [code, 0, 0, k]
  const programs: Instruction[][] = [
    [at(0x3c, 0), RETURN], // X is 0
    [at(0x9c, 0), RETURN],
    [at(0x20, 57), RETURN],
    [at(0x30, 0xffff_f000), RETURN], // an extension of Linux
    [at(0x01, 0xffff_ffff), at(0x40, 0xffff_ffff), RETURN],
    [at(0xb1, 60), RETURN],
  ]
  for (const program of programs) assert.not.ok(bpfProgram(program).accepts(plainFrame(60)), JSON.stringify(program))
  assert.ok(bpfProgram([at(0x20, 56), RETURN]).accepts(plainFrame(60)))
})

test('runs whatever random program is accepted to its end, without a throw', () => {
  const codes = [
    0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x80, 0, 0x60, 1, 0x61, 0x81, 0xb1, 2, 3, 4, 0x14, 0x24, 0x34, 0x44, 0x54,
  ]
  codes.push(
    0x64,
    0x74,
    0x84,
    0x94,
    0xa4,
    0x0c,
    0x1c,
    0x2c,
    0x3c,
    0x4c,
    0x5c,
    0x6c,
    0x7c,
    0x9c,
    0xac,
    5,
    0x15,
    0x25,
    0x35,
  )
  codes.push(0x45, 0x1d, 0x2d, 0x3d, 0x4d, 6, 0x16, 7, 0x87)
  const source = random(12)
  let accepted = 0
  for (let round = 0; round < 20_000; round++) {
    const length = 1 + source.below(12)
    const program = Array.from({ length }, (_, i) => {
      const k = source.oneIn(3) ? source.word() : source.below(20)
      return [
        source.oneIn(40) ? source.below(256) : codes[source.below(codes.length)],
        source.below(length - i),
        source.below(length - i),
        k,
      ]
    })
    program.push([...RETURN])
    try {
      const bpf = bpfProgram(program)
      accepted++
      bpf.accepts(source.bytes(source.below(80)), source.word())
    } catch (error) {
      assert.instance(error, ConfigError)
    }
  }
  assert.ok(accepted > 1000, `${accepted}`)
})

test('says in tcpdump’s words what is wrong with an expression', async () => {
  for (const [expression, words] of [
    ['icmp or or', /syntax error/],
    ['host', /syntax error/],
    ['-w /nowhere', /syntax error/],
    ['ether host 1', /.+/],
    ['  ', /it is empty/],
  ] as const) {
    try {
      await compileFilter(expression, 'inner')
      assert.unreachable(expression)
    } catch (error) {
      assert.instance(error, ConfigError)
      assert.match((error as Error).message, words)
      assert.match((error as Error).message, JSON.stringify(expression))
    }
  }
})

test('compiles what names a hundred ports, and says of what is longer than a capture takes how long that is', async () => {
  const ports = Array.from({ length: 100 }, (_, at) => `udp port ${1000 + at}`).join(' or ')
  const long = await compileFilter(ports, 'inner')
  assert.ok(long.length > 300 && bpfProgram(long), `${long.length}`)
  const sum = (at: number) => `ip[${20 + at}] + ip[${at}] * ip[${at + 1}] + ip[${at + 2}] * ip[${at + 3}] = 1`
  const sums = Array.from({ length: 250 }, (_, at) => sum(at))
  try {
    await compileFilter(sums.join(' or '), 'inner')
    assert.unreachable()
  } catch (error) {
    assert.instance(error, ConfigError)
    assert.match(
      (error as Error).message,
      /it makes a program of \d+ instructions, \d+ bytes long; .*; make it shorter$/,
    )
  }
})

test('says how to get tcpdump where it is missing', async () => {
  const path = process.env.PATH
  process.env.PATH = '/nonexistent'
  try {
    await compileFilter('arp', 'inner')
    assert.unreachable()
  } catch (error) {
    assert.instance(error, ConfigError)
    assert.match((error as Error).message, /no command tcpdump in PATH.*apt-get install tcpdump/)
  } finally {
    process.env.PATH = path
  }
})

test.run()
