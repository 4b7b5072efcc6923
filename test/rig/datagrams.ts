// UDP datagrams of any size between containers, with or without DF: how many of those sent have come, whole.

import type { Rig } from './rig.js'
import { fileOf } from './root.js'
import type { Family, NodeName } from './topology.js'

const PROGRAM = fileOf('test/rig/datagrams.py')

export interface Datagrams {
  size: number
  family?: Family
  /** False: never DF. True, unless given: as the kernel does it, with DF until it has learnt what fits. */
  discover?: boolean
  times?: number
}

/** Sends them; returns how many came as they were sent. */
export async function datagrams(rig: Rig, from: NodeName, to: NodeName, given: Datagrams): Promise<number> {
  const { size, family = 4, discover = true, times = 1 } = given
  const address = rig.address(to, family)
  const listener = rig.spawn(to, ['python3', PROGRAM, 'listen', address])
  try {
    const port = (await listener.waitFor(/^listening \d+/)).split(' ')[1]!
    const argv = ['python3', PROGRAM, 'send', address, port, `${size}`, discover ? '1' : '0', `${times}`]
    const { stdout } = await rig.exec(from, argv)
    const line = `${size} ${stdout.split('\n')[0]}`
    await listener.waitFor(/^0 /) // the last one: nothing on the way changes their order
    return listener.lines.filter((came) => came === line).length
  } finally {
    await listener.stop('SIGKILL')
  }
}
