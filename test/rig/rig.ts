// What one does with nodes, wherever they come from: run programs, ping, transfer, start the command.

import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, type ChildOptions, completion, type Ended } from './child.js'
import { Daemon, type DaemonOptions } from './daemon.js'
import { type PingOptions, type PingReport, parsePing, pingArgv } from './ping.js'
import type { Family, HostName, NodeName } from './topology.js'
import { type TransferOptions, type TransferReport, transfer } from './transfer.js'

export interface ExecOptions extends ChildOptions {
  /** 30 s unless given; then the program is killed and the call rejects. */
  timeoutMs?: number
  /** Resolve whatever the exit code is. */
  anyCode?: boolean
}

export abstract class Rig {
  abstract readonly nodes: readonly NodeName[]

  /** Starts a program; it ends with the rig. */
  abstract spawn(node: NodeName, argv: readonly string[], options?: ChildOptions): Child

  /** By which a node is spoken to. */
  abstract address(node: NodeName, family?: Family): string

  async exec(node: NodeName, argv: readonly string[], options: ExecOptions = {}): Promise<Ended> {
    const { timeoutMs, anyCode, ...rest } = options
    return completion(this.spawn(node, argv, rest), timeoutMs, anyCode)
  }

  /** `to` is a node or an address. Never rejects for lost replies. */
  async ping(from: NodeName, to: NodeName | (string & {}), options: PingOptions = {}): Promise<PingReport> {
    const node = this.nodes.find((candidate) => candidate === to)
    const target = node ? this.address(node, options.family) : to
    const { stdout, stderr } = await this.exec(from, pingArgv(target, options), { anyCode: true, timeoutMs: 120_000 })
    return parsePing(stdout + stderr)
  }

  /** Pings until one reply has come. */
  async reach(
    from: NodeName,
    to: NodeName | (string & {}),
    options: PingOptions = {},
    timeoutMs = 30_000,
  ): Promise<void> {
    for (const deadline = Date.now() + timeoutMs; ; await sleep(50)) {
      const { received, output } = await this.ping(from, to, { wait: 0.5, ...options, count: 1 })
      if (received > 0) return
      if (Date.now() > deadline) throw new Error(`${from} does not reach ${to}:\n${output}`)
    }
  }

  /** The command in one host; see Daemon.start. */
  tsgre(host: HostName, args?: readonly string[], options?: DaemonOptions): Promise<Daemon> {
    return Daemon.start(this, host, args, options)
  }

  /** The command in both hosts, with the same arguments. */
  async tunnel(args?: readonly string[], options?: DaemonOptions): Promise<{ A: Daemon; B: Daemon }> {
    const [A, B] = await Promise.all([this.tsgre('A', args, options), this.tsgre('B', args, options)])
    return { A, B }
  }

  transfer(from: NodeName, to: NodeName, bytes: number, options?: TransferOptions): Promise<TransferReport> {
    return transfer(this, from, to, bytes, options)
  }
}
