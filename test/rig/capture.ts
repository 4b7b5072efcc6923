// tcpdump on one interface: ready when it listens, decoded when it is stopped, the pcap kept as long as the rig.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { packetsOfPcap } from './captures.js'
import type { Child } from './child.js'
import type { Hosts } from './hosts.js'
import type { NodeName } from './topology.js'

/** One line a packet, with the Ethernet header, without names and times. */
const DECODE = ['-nn', '-e', '-t']

/** `S` of a process that sleeps, proc(5). */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat[stat.lastIndexOf(')') + 2]!
}

export class Capture {
  readonly path: string
  readonly #rig: Hosts
  readonly #tcpdump: Child

  private constructor(rig: Hosts, path: string, tcpdump: Child) {
    this.#rig = rig
    this.path = path
    this.#tcpdump = tcpdump
  }

  static async start(rig: Hosts, node: NodeName, dev: string, filter = ''): Promise<Capture> {
    const path = rig.file('pcap')
    // Root stays root (-Z): the folder is closed to the user tcpdump would become.
    // Each packet takes a slot for the largest there is, so that a burst needs a large buffer (-B, KiB).
    const argv = ['tcpdump', '-i', dev, '-w', path, '-U', '--immediate-mode', '-s', '0', '-B', '65536', '-Z', 'root']
    const tcpdump = rig.spawn(node, filter ? [...argv, filter] : argv)
    await tcpdump.waitFor(/listening on/)
    return new Capture(rig, path, tcpdump)
  }

  /** The packets so far as text, one a line. The capture goes on. */
  async lines(flags: readonly string[] = DECODE): Promise<string[]> {
    const { stdout } = await this.#rig.exec('A', ['tcpdump', '-r', this.path, ...flags], { anyCode: true })
    return stdout.split('\n').filter(Boolean)
  }

  /** The IP packets as bytes, Ethernet header off; of a capture that has been stopped. */
  packets(): Uint8Array[] {
    return packetsOfPcap(readFileSync(this.path))
  }

  /** Waits until a line matches; what tcpdump has read, it has also written. */
  async waitFor(pattern: RegExp, timeoutMs = 30_000): Promise<string> {
    for (const deadline = Date.now() + timeoutMs; ; await sleep(50)) {
      const lines = await this.lines()
      const line = lines.find((candidate) => pattern.test(candidate))
      if (line !== undefined) return line
      if (Date.now() > deadline) throw new Error(`no packet like ${pattern} among\n${lines.join('\n')}`)
    }
  }

  /** Ends the capture, when what was sent just before has come to tcpdump and been written: it sleeps only when its ring is empty. */
  async stop(flags: readonly string[] = DECODE): Promise<string[]> {
    do await sleep(200)
    while (this.#tcpdump.running && stateOf(this.#tcpdump.pid) !== 'S')
    await this.#tcpdump.stop('SIGINT')
    return this.lines(flags)
  }
}
