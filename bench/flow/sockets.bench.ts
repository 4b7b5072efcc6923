// What many peers cost where the kernel's work comes on top, as in every tunnel: frames from a real TAP through one pump into a real raw
// socket, with one peer and with 64. Root, in a network namespace that ends with the process. Timed is the pump's turn, not how the
// frames came into the TAP: another TAP's bridge brings them.

import { execFileSync, spawnSync } from 'node:child_process'
import { BATCH_ENTRIES } from '#tsgre/io/batch.js'
import { openRawSocket, openTap, parseAddress } from '#tsgre/io/index.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import type { Port } from '#tsgre/io/port.js'
import { Pump } from '#tsgre/tunnel/pump.js'
import { Counters } from '#tsgre/tunnel/stats.js'
import { naiveEmitGre } from '../../test/rig/naive/naive-gre.js'
import { settings } from '../../test/rig/settings.js'
import { type Candidate, compare } from '../measure.js'
import { carry, farPeers, frameBetween, HERE, THERE, through } from './far-addresses.js'

const MOST = 64
/** Fits a packet of 1500 octets. */
const LARGEST = 1476
const INSIDE = 'TSGRE_BENCH_INSIDE'

export function bench(): void {
  if (process.env[INSIDE] === undefined) again()
  else measure()
}

function measure(): void {
  ip('link set lo up', 'link add under0 type veth peer name under1', 'link set under1 up')
  ip('address add 192.0.2.1/24 dev under0', 'link set under0 up')
  const neighbour = (peer: number) =>
    `neighbour add 192.0.2.${peer + 2} lladdr 02:02:00:00:00:02 dev under0 nud permanent`
  ip(...Array.from({ length: MOST }, (_, peer) => neighbour(peer)))
  for (const size of [60, LARGEST]) {
    compare(`a frame of ${size} bytes from a TAP into a raw socket`, [
      { name: '1 peer', ...road(`a${size}`, size, 1, 2) },
      { name: '64 peers', ...road(`b${size}`, size, MOST, 2 * MOST) },
      { name: '64, 10000 MACs', ...road(`c${size}`, size, MOST, 10_000) },
    ])
  }
}

/** The same bench in a namespace of its own. */
function again(): void {
  const code = `(await import(${JSON.stringify(import.meta.url)})).bench()`
  const words = ['--net', process.execPath, '--input-type=module', '--eval', code]
  const { status } = spawnSync('unshare', words, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } })
  if (status !== 0) throw new Error('bench flow sockets failed; it needs root, and a network namespace of its own')
}

function ip(...lines: string[]): void {
  execFileSync('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` })
}

/** A pump between a TAP and a socket whose peers have so many addresses behind them, every one learnt beforehand. */
function road(name: string, size: number, peers: number, addresses: number): Omit<Candidate, 'name'> {
  const tap = openTap({ name: `tap${name}` })
  const lan = openTap({ name: `lan${name}` })
  ip(`link add br${name} type bridge`, `link set tap${name} master br${name}`, `link set lan${name} master br${name}`)
  ip(`link set br${name} up`)
  const given = farPeers(peers)
  const remotes = given.map((_, peer) => ({ peer, address: parseAddress(`192.0.2.${peer + 2}`)!, mtu: 1500 }))
  const raw = openRawSocket({ local: parseAddress('192.0.2.1')!, remotes })
  // Learnt is in memory.
  const [user, told] = memoryPorts()
  const [network, learnt] = memoryPorts(1560)
  const overlay = joined(tap, told)
  const counters = new Counters()
  const pump = new Pump(overlay, joined(learnt, raw), settings({ peers: given }), counters)
  const packet = naiveEmitGre({ payload: frameBetween(size, HERE, THERE) })
  const source = { entry: packet, at: packet.length - size + 6 + 4, peers, addresses }
  carry(
    source,
    network,
    through(() => pump.receive(0), user),
  )(2 * Math.max(addresses, BATCH_ENTRIES))
  let spent = 0n
  const sent = () => {
    const { txFrames } = counters.snapshot()
    const start = process.hrtime.bigint()
    while (pump.transmit(0));
    spent += process.hrtime.bigint() - start
    return counters.snapshot().txFrames - txFrames
  }
  const run = carry({ entry: frameBetween(size, THERE, HERE), at: 4, peers, addresses }, lan, sent)
  return {
    run,
    spent() {
      const nanoseconds = spent
      spent = 0n
      return nanoseconds
    },
  }
}

/** Reads from one port and writes to another. */
function joined(from: Port, to: Port): Port {
  const { rooms } = to
  return {
    fd: -1,
    mtu: to.mtu,
    ...(rooms ? { rooms } : {}),
    read: (into, drops) => from.read(into, drops),
    write: (batch, drops) => to.write(batch, drops),
    close() {},
  }
}
