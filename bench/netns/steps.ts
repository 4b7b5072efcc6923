// What is measured of a peer, container to container, one step at a time.

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Hosts } from '../../test/rig/hosts.js'
import { median } from '../measure.js'
import { tunnelSeconds } from './load.js'

/** By which a peer can ask for some of them only. */
export const STEPS = ['ping', 'idle', 'forth', 'back', 'four', 'small'] as const

export type StepName = (typeof STEPS)[number]

type Container = 'cA' | 'cB'

const PORT = '9000'
const UDP_RATES = [170_000, 220_000, 290_000, 370_000, 0]
const UDP_SECONDS = 0.5
const IDLE_SECONDS = 2
const SOURCE = fileURLToPath(new URL('./udp-source.js', import.meta.url))
const SINK = fileURLToPath(new URL('./udp-sink.js', import.meta.url))

export interface TcpResult {
  gbits: number
  /** Of the tunnel's processes, while `gigabytes` came in at the receiving container. */
  cpuSeconds: number
  gigabytes: number
}

/** TCP streams of one iperf3; the first second, in which they find their pace, is left out of the rate. */
export async function tcp(
  rig: Hosts,
  [from, to]: readonly [Container, Container],
  seconds: number,
  streams = 1,
): Promise<TcpResult> {
  const server = rig.spawn(to, ['iperf3', '-s', '-1', '--forceflush'])
  try {
    await server.waitFor(/listening/)
    const [cpu, bytes] = [tunnelSeconds(rig), receivedBytes(rig, to)]
    const argv = ['iperf3', '-c', rig.address(to), '-t', `${seconds}`, '-O', '1', '-P', `${streams}`, '-J']
    const { stdout } = await rig.exec(from, argv, { timeoutMs: (seconds + 30) * 1000 })
    return {
      gbits: JSON.parse(stdout).end.sum_received.bits_per_second / 1e9,
      cpuSeconds: tunnelSeconds(rig) - cpu,
      gigabytes: (receivedBytes(rig, to) - bytes) / 1e9,
    }
  } finally {
    await server.stop('SIGKILL')
  }
}

function receivedBytes(rig: Hosts, container: Container): number {
  return rig.ipJson(container, '-statistics link show eth0')[0].stats64.rx.bytes
}

export interface UdpRate {
  /** Packets a second: asked of the source (0: all it can), sent by it, received by the sink. */
  rate: number
  offered: number
  received: number
  /** 0 to 1. */
  loss: number
}

/** Small packets at rising rates; which one counts is for the caller to say. */
export async function udp(rig: Hosts): Promise<UdpRate[]> {
  const sink = rig.spawn('cB', [process.execPath, SINK, rig.address('cB'), PORT])
  try {
    await sink.waitFor(/^ready/)
    const rates = UDP_RATES.map(String)
    const argv = [process.execPath, SOURCE, rig.address('cB'), PORT, `${UDP_SECONDS}`, ...rates]
    const source = await rig.exec('cA', argv)
    const counts: number[] = JSON.parse(sink.lines.at(-1)!)
    const sendings: { rate: number; sent: number; seconds: number }[] = jsonLines(source.stdout)
    return sendings.map(({ rate, sent, seconds }, i) => ({
      rate,
      offered: sent / seconds,
      received: counts[i]! / seconds,
      loss: 1 - counts[i]! / sent,
    }))
  } finally {
    await sink.stop('SIGKILL')
  }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the program prints
function jsonLines(text: string): any[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

export interface PingResult {
  p50: number
  p99: number
  loss: number
}

/** Round trips through an otherwise idle tunnel, in µs. */
export async function ping(rig: Hosts, count: number): Promise<PingResult> {
  const { replies, loss } = await rig.ping('cA', 'cB', { count, interval: 0.002 })
  const times = replies.flatMap(({ ms }) => (ms === undefined ? [] : [ms * 1000])).sort((a, b) => a - b)
  return { p50: median(times), p99: times[Math.floor(times.length * 0.99)]!, loss }
}

export interface IdleResult {
  /** Kept busy by the tunnel's processes of both hosts while there is no traffic. */
  cores: number
}

export async function idle(rig: Hosts): Promise<IdleResult> {
  await sleep(500) // what the step before has left to do is over
  const [seconds, started] = [tunnelSeconds(rig), performance.now()]
  await sleep(IDLE_SECONDS * 1000)
  return { cores: (tunnelSeconds(rig) - seconds) / ((performance.now() - started) / 1000) }
}
