// A bulk TCP transfer between two nodes, every byte of it compared by SHA-256.

import { fileURLToPath } from 'node:url'
import type { Rig } from './rig.js'
import type { Family, NodeName } from './topology.js'

export interface TransferOptions {
  family?: Family
  /** Of the receiver, where it is not the rig's own. */
  address?: string
  seed?: number
  /** For the whole transfer, 60 s unless given. */
  timeoutMs?: number
}

export interface TransferReport {
  bytes: number
  sha256: string
  seconds: number
}

const SERVER = fileURLToPath(new URL('./transfer-server.js', import.meta.url))
const CLIENT = fileURLToPath(new URL('./transfer-client.js', import.meta.url))

/** Rejects when the transfer does not finish in time, or when what came is not what was sent. */
export async function transfer(
  rig: Rig,
  from: NodeName,
  to: NodeName,
  bytes: number,
  options: TransferOptions = {},
): Promise<TransferReport> {
  const { family = 4, address = rig.address(to, family), seed = 1, timeoutMs = 60_000 } = options
  const server = rig.spawn(to, [process.execPath, SERVER, address])
  try {
    const port = (await server.waitFor(/^listening \d+/)).split(' ')[1]!
    const started = performance.now()
    const argv = [process.execPath, CLIENT, address, port, `${bytes}`, `${seed}`]
    const { stdout } = await rig.exec(from, argv, { timeoutMs })
    const seconds = (performance.now() - started) / 1000
    const sent = JSON.parse(stdout)
    const came = JSON.parse(await server.waitFor(/^\{/))
    if (sent.sha256 !== came.sha256) {
      throw new Error(`${sent.bytes} bytes were sent and ${came.bytes} came, with another SHA-256`)
    }
    return { bytes: came.bytes, sha256: came.sha256, seconds }
  } finally {
    await server.stop('SIGKILL')
  }
}
