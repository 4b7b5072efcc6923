// Numbered datagrams between containers: how often each came, wherever somebody listens.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from './child.js'
import type { Mesh } from './mesh.js'
import type { Rig } from './rig.js'
import { fileOf } from './root.js'
import type { NodeName } from './topology.js'

const PROGRAM = fileOf('test/rig/numbered.py')
const PORT = 5005
/** Thousands in a second, which every machine carries without a loss. */
const STREAM_GAP_MS = 0.1

/** For what is on the way when the last one has been sent. */
const IN_FLIGHT_MS = 500

export class Listeners {
  readonly #mesh: Mesh
  readonly #children: ReadonlyMap<number, Child>

  private constructor(mesh: Mesh, children: ReadonlyMap<number, Child>) {
    this.#mesh = mesh
    this.#children = children
  }

  static async start(mesh: Mesh, numbers: readonly number[] = mesh.numbers): Promise<Listeners> {
    const children = new Map(
      numbers.map((i) => [i, mesh.spawn(`c${i}`, ['python3', PROGRAM, 'listen', `${PORT}`])] as const),
    )
    for (const child of children.values()) await child.waitFor(/^listening/)
    return new Listeners(mesh, children)
  }

  /** Sends `count` numbers, from `first` on, `gapMs` apart. */
  async send(from: number, address: string, count: number, gapMs = 1, first = 0): Promise<void> {
    await this.#mesh.exec(`c${from}`, [
      'python3',
      PROGRAM,
      'send',
      address,
      `${PORT}`,
      `${first}`,
      `${count}`,
      `${gapMs}`,
    ])
  }

  /** By container: how often each number came, by sender's address and number. */
  async counts(): Promise<Map<number, Map<string, number>>> {
    await sleep(IN_FLIGHT_MS)
    const counts = new Map<number, Map<string, number>>()
    for (const [i, child] of this.#children) {
      const { stdout } = await child.stop('SIGTERM')
      counts.set(i, new Map(Object.entries(JSON.parse(stdout.split('\n')[1]!))))
    }
    return counts
  }
}

/** How many numbers of a sender came, and how often the one that came most. */
export function summary(counts: ReadonlyMap<string, number>, sender: string): { came: number; most: number } {
  const times = [...counts].filter(([name]) => name.startsWith(`${sender} `)).map(([, count]) => count)
  return { came: times.length, most: Math.max(0, ...times) }
}

/** Sends numbers from one node to another for as long as `body` runs: how many came, up to the last one of them, and how often the one that came most. */
export async function streamWhile(
  rig: Rig,
  from: NodeName,
  to: NodeName,
  body: () => Promise<void>,
): Promise<{ came: number; sent: number; most: number }> {
  const listener = rig.spawn(to, ['python3', PROGRAM, 'listen', `${PORT}`])
  await listener.waitFor(/^listening/)
  const numbers = ['0', `${2 ** 31}`, `${STREAM_GAP_MS}`]
  const sender = rig.spawn(from, ['python3', PROGRAM, 'send', rig.address(to), `${PORT}`, ...numbers])
  try {
    await body()
  } finally {
    await sender.stop()
    await sleep(IN_FLIGHT_MS)
  }
  const { stdout } = await listener.stop()
  const counts = Object.entries<number>(JSON.parse(stdout.split('\n')[1]!))
  const sent = 1 + counts.reduce((last, [name]) => Math.max(last, Number(name.split(' ')[1])), -1)
  return { came: counts.length, sent, most: counts.reduce((most, [, count]) => Math.max(most, count), 0) }
}
