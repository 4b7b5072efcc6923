// The layers of a frame found, as is done for each that is taken apart or put together.

import { findLayers, layers } from '#tsgre/offload/layers.js'
import { type Inner, innerFrame, TIMESTAMPS, UDP } from '../../test/rig/flows.js'
import { DOT1Q, ETH_P_ARP, ethernet } from '../../test/rig/frames.js'
import { naiveTransport } from '../../test/rig/naive/naive-transport.js'
import { compare } from '../measure.js'

export function bench(): void {
  const payload = new Uint8Array(1410)
  const whole = (inner: Inner) => innerFrame({ ...inner, payload })
  measure('TCP over IPv4', whole({ options: TIMESTAMPS }))
  measure('TCP over IPv6 behind a tag', whole({ version: 6, tags: [DOT1Q] }))
  measure('UDP over IPv4', whole({ protocol: UDP }))
  measure('ARP', ethernet(ETH_P_ARP, Array(28).fill(1)))
}

function measure(title: string, frame: Uint8Array): void {
  const at = layers()
  compare(`parse: ${title}`, [
    { name: 'naive', run: (times) => repeat(times, () => (typeof naiveTransport(frame) === 'string' ? 1 : 2)) },
    { name: 'tsgre', run: (times) => repeat(times, () => findLayers(frame, 0, frame.length, at)) },
  ])
}

function repeat(times: number, work: () => number): number {
  let total = 0
  for (let i = 0; i < times; i++) total += work()
  return total
}
