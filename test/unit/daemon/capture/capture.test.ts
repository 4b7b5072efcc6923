// From the pump's batches to what tshark reads: directions, comments, outer headers made up where the kernel has them, filters,
// and what happens to who reads too slowly.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compileFilter } from '#tsgre/cli/compile-filter.js'
import { Captures, MOST_CAPTURES } from '#tsgre/daemon/capture/captures.js'
import type { Underlay } from '#tsgre/daemon/capture/outer-headers.js'
import { type CaptureWanted, fieldsOf, wantedOf } from '#tsgre/daemon/capture/wanted.js'
import { DROP, dropCounters } from '#tsgre/drops.js'
import { ConfigError, StateError } from '#tsgre/errors.js'
import { Batch, SLOT_BYTES } from '#tsgre/io/batch.js'
import { CaptureHook } from '#tsgre/tunnel/capture-hook.js'
import { emitIpv4, ipv4Header } from '#tsgre/wire/ipv4.js'
import { fill } from '../../../rig/batches.js'
import { innerFrame, UDP } from '../../../rig/flows.js'
import { plainFrame } from '../../../rig/frames.js'
import { naiveEmitGre } from '../../../rig/naive/naive-gre.js'
import { settings } from '../../../rig/settings.js'
import { sendingSide } from '../../../rig/sides.js'
import { fillSuperframes } from '../../../rig/superframes.js'
import { output, tsharkFields, withFile } from '../../../rig/tshark.js'

const PEERS4 = [
  { remote: '192.168.56.5', bytes: Uint8Array.of(192, 168, 56, 5) },
  { remote: '192.168.56.6', bytes: Uint8Array.of(192, 168, 56, 6) },
]
const v6 = (last: number) => Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last)
const PEERS6 = [5, 6].map((last) => ({ remote: `2001:db8::${last}`, bytes: v6(last) }))

function underlay(family: 4 | 6, udpPort?: number): Underlay {
  const peers = family === 4 ? PEERS4 : PEERS6
  const local = family === 4 ? Uint8Array.of(192, 168, 56, 4) : v6(4)
  return { local, udpPort, ttl: 33, peer: (index) => peers[index] }
}

/** A tunnel without a pump: the test does what the pump would. */
class Tunnel {
  hook: CaptureHook | undefined
  readonly captures: Captures

  constructor(where: Underlay = underlay(4)) {
    const attach = (ring: SharedArrayBuffer) => {
      this.hook ??= new CaptureHook()
      this.hook.now[0] = performance.now()
      this.hook.add(ring)
    }
    const detach = () => {
      if (!this.hook?.prune()) this.hook = undefined
    }
    const peers = [0, 1].map((index) => where.peer(index)!.remote)
    const list = peers.map((address, index) => ({ asked: { remote: `host${index}.example` }, address }))
    const nowhere = { asked: { remote: 'nowhere.example' }, address: undefined }
    this.captures = new Captures('tap0', { attach, detach }, where, () => [...list, nowhere])
  }

  /** A whole capture during which `work` is done. */
  async capture(wanted: CaptureWanted, work: (hook: CaptureHook) => void): Promise<Uint8Array> {
    const ended = new AbortController()
    const chunks = this.captures.start(wanted, ended.signal)[Symbol.asyncIterator]()
    const all = [(await chunks.next()).value]
    work(this.hook!)
    ended.abort()
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) all.push(next.value)
    return Buffer.concat(all)
  }
}

const frames = (...bytes: Uint8Array[]) => fill(new Batch(bytes.length), bytes)
const sentTo = (hook: CaptureHook, batch: Batch, peer = 0, drop = 0) =>
  hook.sent(batch, new Uint8Array(batch.count).fill(drop), new Int16Array(batch.count).fill(peer))

/** Writes frames as packets, and everything sent. */
function write(hook: CaptureHook, batch: Batch, given = {}, peer = 1): void {
  const packets = Batch.over(batch, 128, true)
  const drops = dropCounters()
  const { encapsulator } = sendingSide(settings({ keyOut: 42, tos: 0xb8, ...given }), 1476)
  encapsulator.begin(batch)
  encapsulator.fill(packets, drops)
  packets.peer.fill(peer)
  hook.writing(packets, drops)
  while (packets.head < packets.count) packets.advance()
  hook.written(packets, drops)
}

test('is a file that tshark opens before anything came', async () => {
  const file = await new Tunnel().capture({ side: 'inner' }, () => {})
  assert.equal(tsharkFields(file, ['frame.number']), [])
  assert.match(
    withFile(file, (path) => output('capinfos', [path])),
    /Number of packets: *0/,
  )
})

test('tells direction, peer and fate of frames', async () => {
  const file = await new Tunnel().capture({ side: 'inner' }, (hook) => {
    sentTo(hook, frames(plainFrame(60)), -1)
    sentTo(hook, frames(innerFrame({ protocol: UDP })), 1)
    sentTo(hook, frames(plainFrame(1600)), 0, DROP['too-big'])
    sentTo(hook, frames(plainFrame(61)), -1, DROP.loop)
    hook.received(frames(naiveEmitGre({ payload: plainFrame(62) })), 0, 0)
    hook.received(fill(new Batch(1), [naiveEmitGre({ payload: plainFrame(63), key: 7 })], -1), 0, DROP['key-mismatch'])
  })
  assert.equal(tsharkFields(file, ['frame.packet_flags_direction', 'frame.len', 'frame.comment']), [
    ['0x00000002', '60', 'tx to all'],
    ['0x00000002', '42', 'tx to 192.168.56.6'],
    ['0x00000002', '1600', 'tx to 192.168.56.5; dropped: too-big'],
    ['0x00000002', '61', 'tx; dropped: loop'],
    ['0x00000001', '62', 'rx from 192.168.56.5'],
    ['0x00000001', '63', 'rx; dropped: key-mismatch'],
  ])
})

test('has the time of day', async () => {
  const before = Date.now() / 1000
  const file = await new Tunnel().capture({ side: 'inner' }, (hook) => sentTo(hook, frames(plainFrame(60))))
  const [[epoch]] = tsharkFields(file, ['frame.time_epoch']) as [[string]]
  assert.ok(Number(epoch) > before - 1 && Number(epoch) < Date.now() / 1000 + 1, epoch)
})

test('shows a superframe of 64 KiB whole, and says what becomes of it', async () => {
  const big = innerFrame({ payload: new Uint8Array(65_495) })
  const file = await new Tunnel().capture({ side: 'inner' }, (hook) =>
    sentTo(hook, fillSuperframes(new Batch(1), [{ bytes: big, gsoSize: 1448 }])),
  )
  const [found] = tsharkFields(file, ['frame.cap_len', 'frame.comment', 'ip.len', 'tcp.len'])
  assert.equal(found, [String(big.length), 'tx to 192.168.56.5; superframe, segments of 1448 octets', '65535', '65495'])
})

test('keeps what snaplen says, with the length there was', async () => {
  const file = await new Tunnel().capture({ side: 'inner', snaplen: 50 }, (hook) =>
    sentTo(hook, frames(plainFrame(1000), plainFrame(40))),
  )
  assert.equal(tsharkFields(file, ['frame.cap_len', 'frame.len']), [
    ['50', '1000'],
    ['40', '40'],
  ])
})

for (const family of [4, 6] as const) {
  for (const udpPort of [undefined, 4754]) {
    test(`makes outer headers that tshark finds right: IPv${family}${udpPort ? ', UDP' : ''}`, async () => {
      const where = underlay(family, udpPort)
      const small = innerFrame({ payload: new Uint8Array(99).fill(3) })
      const big = innerFrame({ payload: new Uint8Array(4000).fill(4) })
      const file = await new Tunnel(where).capture({ side: 'outer' }, (hook) => {
        write(hook, frames(small))
        write(hook, fillSuperframes(new Batch(1), [{ bytes: big, gsoSize: 1300 }]))
        hook.received(frames(naiveEmitGre({ payload: small, key: 42, sequence: 5 })), 0, 0)
      })
      const ip = family === 4 ? 'ip' : 'ipv6'
      const limits =
        family === 4 ? ['ip.ttl', 'ip.dsfield', 'ip.checksum.status'] : ['ipv6.hlim', 'ipv6.tclass', 'ipv6.version']
      const fields = [
        'frame.protocols',
        `${ip}.src`,
        `${ip}.dst`,
        ...limits,
        'udp.dstport',
        'udp.checksum.status',
        'gre.key',
        'tcp.len',
      ]
      // the first of each, the outer one
      const found = tsharkFields(file, fields, ['-E', 'occurrence=f', '-d', 'udp.port==4754,gre'])
      const { remote } = where.peer(1)!
      const local = family === 4 ? '192.168.56.4' : '2001:db8::4'
      const middle = udpPort ? `${ip}:udp:gre` : `${ip}:gre`
      assert.is(found.length, 6)
      found.slice(0, 5).forEach(([protocols, source, destination, ttl, tos, sum, port, udpSum, key, length], i) => {
        assert.match(protocols!, `raw:${middle}:eth:ethertype:ip:tcp`)
        assert.equal([source, destination], [local, remote])
        assert.equal([ttl, tos], ['33', family === 4 ? '0xb8' : '0x000000b8'])
        assert.is(sum, family === 4 ? '1' : '6') // good
        assert.equal([port, udpSum], udpPort ? ['4754', '1'] : ['', ''])
        assert.is(key, '0x0000002a')
        assert.is(length, ['99', '1300', '1300', '1300', '100'][i])
      })
      const [protocols, source, destination] = found[5]!
      assert.match(protocols!, middle)
      assert.equal([source, destination], [where.peer(0)!.remote, local])
      const lengths = tsharkFields(file, ['frame.len', 'frame.cap_len'])
      for (const [length, captured] of lengths) assert.is(length, captured)
    })
  }
}

test('keeps the outer header that a received packet came with', async () => {
  const gre = naiveEmitGre({ payload: innerFrame(), key: 7 })
  const batch = new Batch(1)
  batch.memory.bytes.set(gre, 20)
  const header = {
    ...ipv4Header(),
    source: 0xc0a83805,
    destination: 0xc0a83804,
    ttl: 61,
    tos: 3,
    id: 0x1234,
    protocol: 47,
  }
  emitIpv4(batch.memory, 20, header, gre.length)
  batch.count = 1
  batch.offset[0] = 20
  batch.length[0] = gre.length
  assert.ok(batch.memory.bytes.length >= SLOT_BYTES)
  const file = await new Tunnel().capture({ side: 'outer' }, (hook) => hook.received(batch, 0, DROP['key-mismatch']))
  const fields = ['ip.src', 'ip.ttl', 'ip.id', 'ip.checksum.status', 'gre.key', 'frame.comment']
  assert.equal(tsharkFields(file, fields, ['-E', 'occurrence=f']), [
    ['192.168.56.5', '61', '0x1234', '1', '0x00000007', 'rx from 192.168.56.5; dropped: key-mismatch'],
  ])
})

test('says DF where packets must not be fragmented, and where they may that they may', async () => {
  const file = await new Tunnel().capture({ side: 'outer' }, (hook) => {
    write(hook, frames(plainFrame(60)), { fragment: 'never' })
    write(hook, frames(plainFrame(60)), { fragment: 'always' })
  })
  assert.equal(tsharkFields(file, ['ip.flags.df']), [['1'], ['0']])
})

test('a sum of what was cut short is not made up', async () => {
  const file = await new Tunnel(underlay(4, 4754)).capture({ side: 'outer', snaplen: 60 }, (hook) =>
    write(hook, frames(plainFrame(900))),
  )
  assert.equal(tsharkFields(file, ['frame.cap_len', 'ip.checksum.status', 'udp.length']), [['60', '1', '916']])
})

test('filters on the whole frame, whatever is kept of it', async () => {
  const filter = await compileFilter('tcp port 22 or ether[1000] = 9', 'inner')
  const far = plainFrame(1200)
  far[1000] = 9
  const near = innerFrame({ destinationPort: 22 })
  const file = await new Tunnel().capture({ side: 'inner', filter, snaplen: 30 }, (hook) =>
    sentTo(hook, frames(plainFrame(60), near, far, innerFrame({ destinationPort: 23 }))),
  )
  assert.equal(tsharkFields(file, ['frame.cap_len', 'frame.len']), [
    ['30', String(near.length)],
    ['30', '1200'],
  ])
})

test('filters packets by the outer headers that were made up', async () => {
  const filter = await compileFilter('dst host 192.168.56.6 and ip proto 47', 'outer')
  const file = await new Tunnel().capture({ side: 'outer', filter }, (hook) => {
    write(hook, frames(plainFrame(60)), {}, 0)
    write(hook, frames(plainFrame(61)), {}, 1)
  })
  assert.equal(tsharkFields(file, ['ip.dst']), [['192.168.56.6']])
})

test('a sum is filled in for what the filter has let through, which sees none', async () => {
  const filter = await compileFilter('udp[6:2] = 0', 'outer')
  const file = await new Tunnel(underlay(4, 4754)).capture({ side: 'outer', filter }, (hook) =>
    write(hook, frames(plainFrame(60))),
  )
  assert.equal(tsharkFields(file, ['udp.checksum.status']), [['1']])
})

test('where nothing is wanted of what comes, the program gets to everything else meanwhile', async () => {
  const filter = await compileFilter('greater 100', 'inner')
  const tunnel = new Tunnel()
  const ended = new AbortController()
  const chunks = tunnel.captures.start({ side: 'inner', filter }, ended.signal)[Symbol.asyncIterator]()
  await chunks.next()
  const many = frames(...Array.from({ length: 64 }, () => plainFrame(60)))
  for (let i = 0; i < 1000; i++) sentTo(tunnel.hook!, many)
  sentTo(tunnel.hook!, frames(plainFrame(200)))
  let turns = 0
  let waiting = true
  const turn = () => {
    turns++
    if (waiting) setImmediate(turn)
  }
  setImmediate(turn)
  const { value } = await chunks.next()
  waiting = false
  ended.abort()
  assert.ok(value!.length > 200)
  assert.ok(turns > 20, `the program had ${turns} turns while 64000 frames were looked at`)
})

test('at its end it has come to the end of the ring, however much of that nobody wants', async () => {
  const filter = await compileFilter('greater 100', 'inner')
  const many = frames(...Array.from({ length: 64 }, () => plainFrame(60)))
  const file = await new Tunnel().capture({ side: 'inner', filter }, (hook) => {
    for (let i = 0; i < 100; i++) sentTo(hook, many)
    sentTo(hook, frames(plainFrame(200)))
  })
  assert.equal(tsharkFields(file, ['frame.len']), [['200']])
})

for (const remote of ['192.168.56.6', 'host1.example', 'HOST1.example.']) {
  test(`of one peer (${remote}) shows what comes from it and goes to it, flooded frames too`, async () => {
    const file = await new Tunnel().capture({ side: 'inner', remote }, (hook) => {
      for (const peer of [-1, 0, 1]) {
        sentTo(hook, frames(plainFrame(60)), peer)
        hook.received(fill(new Batch(1), [naiveEmitGre({ payload: plainFrame(60) })], peer), 0, 0)
      }
    })
    const comments = tsharkFields(file, ['frame.comment']).flat()
    assert.equal(comments, ['tx to all', 'tx to 192.168.56.6', 'rx from 192.168.56.6'])
  })
}

test('a peer whose name has no address is not all peers', () => {
  assert.throws(
    () => new Tunnel().captures.start({ side: 'inner', remote: 'nowhere.example' }, AbortSignal.abort()),
    /--remote nowhere\.example: tap0 knows no address of it now/,
  )
})

test('with dropsOnly shows nothing else', async () => {
  const file = await new Tunnel().capture({ side: 'inner', dropsOnly: true }, (hook) => {
    sentTo(hook, frames(plainFrame(60)))
    sentTo(hook, frames(plainFrame(61)), 0, DROP['too-big'])
  })
  assert.equal(tsharkFields(file, ['frame.len']), [['61']])
})

test('counts in the file what a slow reader missed, and what it has is whole', async () => {
  const batch = frames(...Array.from({ length: 64 }, () => plainFrame(1500)))
  const rounds = 300 // 29 MB into 16
  const file = await new Tunnel().capture({ side: 'inner' }, (hook) => {
    for (let i = 0; i < rounds; i++) sentTo(hook, batch)
  })
  const found = tsharkFields(file, ['frame.len'])
  assert.ok(found.length > 5000 && found.length < rounds * 64, `${found.length}`)
  const statistics = withFile(file, (path) => output('tshark', ['-r', path, '-q', '-z', 'expert']))
  assert.not.match(statistics, /Malformed/)
  const view = new DataView(file.buffer, file.byteOffset + file.length - 52)
  assert.is(view.getUint32(0, true), 5) // the statistics at the end: counted, and missed
  assert.is(view.getUint32(24, true), rounds * 64)
  assert.is(view.getUint32(36, true), rounds * 64 - found.length)
})

test('comes as packets come, without waiting for more', async () => {
  const tunnel = new Tunnel()
  const ended = new AbortController()
  const chunks = tunnel.captures.start({ side: 'inner' }, ended.signal)[Symbol.asyncIterator]()
  await chunks.next()
  for (let i = 0; i < 3; i++) {
    const next = chunks.next()
    sentTo(tunnel.hook!, frames(plainFrame(60)))
    assert.ok((await next).value!.length > 60)
    await sleep(20)
  }
  ended.abort()
})

test('several go on at once, each with its own, and there is an end to that', async () => {
  const tunnel = new Tunnel()
  const ended = new AbortController()
  const readers = Array.from({ length: MOST_CAPTURES }, (_, i) =>
    tunnel.captures.start({ side: i % 2 ? 'inner' : 'outer' }, ended.signal)[Symbol.asyncIterator](),
  )
  assert.throws(
    () => tunnel.captures.start({ side: 'inner' }, ended.signal),
    (error: unknown) => error instanceof StateError && error.code === 'TSGRE_TOO_MANY_CAPTURES',
  )
  for (const reader of readers) await reader.next()
  sentTo(tunnel.hook!, frames(plainFrame(60)))
  write(tunnel.hook!, frames(plainFrame(60)))
  for (const reader of readers) assert.ok((await reader.next()).value!.length > 60)
  ended.abort()
  assert.is(tunnel.captures.running, 0)
  assert.is(tunnel.hook, undefined, 'the pump still has a hook')
})

test('is given up whoever ends it: the reader, its signal, the tunnel', async () => {
  const tunnel = new Tunnel()
  const forEver = new AbortController().signal
  for await (const _ of tunnel.captures.start({ side: 'inner' }, forEver)) break
  assert.is(tunnel.hook, undefined)
  tunnel.captures.start({ side: 'inner' }, AbortSignal.abort())
  assert.is(tunnel.captures.running, 0)
  const rest: Uint8Array[] = []
  setTimeout(() => tunnel.captures.close(), 20)
  for await (const chunk of tunnel.captures.start({ side: 'inner' }, forEver)) rest.push(chunk)
  assert.is(rest.length, 2) // header and statistics
  assert.is(tunnel.hook, undefined)
})

test('refuses a peer there is not, and names those there are', () => {
  assert.throws(
    () => new Tunnel().captures.start({ side: 'inner', remote: '192.0.2.1' }, AbortSignal.abort()),
    (error: unknown) =>
      error instanceof ConfigError && /it has host0\.example, host1\.example, nowhere/.test(error.message),
  )
})

test('a refused filter takes no place', () => {
  const { captures } = new Tunnel()
  for (let i = 0; i < 10; i++)
    assert.throws(
      () => captures.start({ side: 'inner', filter: [[5, 0, 0, 9]] }, new AbortController().signal),
      /no BPF program/,
    )
  assert.is(captures.running, 0)
})

test('what is wanted goes through the fields of a request unchanged, and what is odd there is refused', async () => {
  const filter = await compileFilter('arp', 'inner')
  const wanted = { side: 'outer', remote: 'fe80::1%eth1', dropsOnly: true, snaplen: 96, filter } as const
  assert.equal(wantedOf(fieldsOf(wanted)), wanted)
  const plain = { side: 'inner', remote: undefined, dropsOnly: false, snaplen: 0, filter: undefined }
  assert.equal(wantedOf({}), plain)
  for (const odd of [
    { side: 'both' },
    { drops: 'yes' },
    { snaplen: '-1' },
    { snaplen: '1e9' },
    { snaplen: '' },
    { filter: '' },
    { filter: '{}' },
    { filter: '[[5,0,0,9]]' },
  ])
    assert.throws(
      () => wantedOf(odd),
      (error: unknown) => error instanceof ConfigError,
      JSON.stringify(odd),
    )
})

test.run()
