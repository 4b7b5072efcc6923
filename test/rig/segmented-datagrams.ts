// Datagrams that a container has its kernel cut (UDP_SEGMENT), from one node to another, each of them compared.

import { fileURLToPath } from 'node:url'
import type { Rig } from './rig.js'
import type { Family, NodeName } from './topology.js'

const PROGRAM = fileURLToPath(new URL('./udp-segments.js', import.meta.url))
const PORT = '9001'

export interface DatagramsReport {
  sent: number
  came: { good: number; bad: number; reordered: number; last: number }
}

export async function segmentedDatagrams(
  rig: Rig,
  from: NodeName,
  to: NodeName,
  options: { family?: Family; size?: number; messages?: number } = {},
): Promise<DatagramsReport> {
  const { family = 4, size = 1200, messages = 100 } = options
  const address = rig.address(to, family)
  const receiver = rig.spawn(to, [process.execPath, PROGRAM, 'receive', address, PORT])
  try {
    await receiver.waitFor(/^ready/)
    const argv = [process.execPath, PROGRAM, 'send', address, PORT, `${size}`, `${messages}`]
    const { stdout } = await rig.exec(from, argv)
    const came = JSON.parse(await receiver.waitFor(/^\{/))
    return { sent: Number(stdout.split(' ')[1]), came }
  } finally {
    await receiver.stop('SIGKILL')
  }
}
