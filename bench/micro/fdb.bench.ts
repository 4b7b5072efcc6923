// What a frame costs in the forwarding database: its sender learnt, its receiver looked up. 64 ports, 10 000 addresses.

import { Fdb } from '#tsgre/tunnel/fdb.js'
import { NaiveFdb } from '../../test/rig/naive/naive-fdb.js'
import { random } from '../../test/rig/random.js'

import { compare } from '../measure.js'

const PORTS = 64
const ADDRESSES = 10_000
const FRAMES = 1 << 16

/** `run`: frames in a row between the same two. */
function frames(run: number): { bytes: Uint8Array; ports: Int8Array; macs: Uint8Array[] } {
  const source = random(7)
  const bytes = new Uint8Array(12 * FRAMES)
  const ports = new Int8Array(FRAMES)
  const view = new DataView(bytes.buffer)
  let [from, to] = [0, 0]
  for (let i = 0; i < FRAMES; i++) {
    if (i % run === 0) [from, to] = [source.below(ADDRESSES), source.below(ADDRESSES)]
    bytes[12 * i] = bytes[12 * i + 6] = 2
    view.setUint32(12 * i + 2, Math.imul(to, 0x9e3779b1))
    view.setUint32(12 * i + 8, Math.imul(from, 0x9e3779b1))
    ports[i] = from % PORTS
  }
  return { bytes, ports, macs: Array.from({ length: 2 * FRAMES }, (_, i) => bytes.subarray(6 * i, 6 * i + 6)) }
}

export function bench(): void {
  measure('each frame between other two', 1)
  measure('16 frames in a row between the same two', 16)
}

function measure(title: string, run: number): void {
  const { bytes, ports, macs } = frames(run)
  const naive = new NaiveFdb()
  const fdb = new Fdb()
  compare(`fdb: learn and lookup, ${PORTS} ports, ${ADDRESSES} addresses, ${title}`, [
    {
      name: 'naive',
      run: (times) => {
        let total = 0
        for (let i = 0; i < times; i++) {
          const frame = i % FRAMES
          naive.learn(macs[2 * frame + 1], ports[frame], i / 1000)
          total += naive.lookup(macs[2 * frame], i / 1000) ?? -2
        }
        return total
      },
    },
    {
      name: 'tsgre',
      run: (times) => {
        let total = 0
        for (let i = 0; i < times; i++) {
          const frame = i % FRAMES
          fdb.learn(bytes, 12 * frame + 6, ports[frame], i / 1000)
          total += fdb.lookup(bytes, 12 * frame, i / 1000)
        }
        return total
      },
    },
  ])
}
