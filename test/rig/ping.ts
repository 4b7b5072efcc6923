// What ping(8) of iputils prints, as numbers. Runs nothing.

export interface PingOptions {
  /** 3 unless given. */
  count?: number
  /** Payload in bytes, 56 unless given. The IP packet is 28 bytes longer, with IPv6 48. */
  size?: number
  /** Seconds between two requests. Unless given, up to five go out at once, and more of them 0.05 apart. */
  interval?: number
  /** Forbid fragmentation. */
  dontFragment?: boolean
  /** Of the request. */
  ttl?: number
  family?: 4 | 6
  /** Seconds to wait for the last reply, 5 unless given: late is not lost. With every reply there it ends at once. */
  wait?: number
}

export interface PingReport {
  sent: number
  received: number
  /** 0 to 1. */
  loss: number
  /** Of the first reply. */
  ttl: number | undefined
  replies: { seq: number; ttl: number; ms: number | undefined }[]
  rtt: { min: number; avg: number; max: number } | undefined
  output: string
}

const AT_ONCE = 5

/**
 * Once there was a reply, ping waits for the others no longer than two round trips or one interval (ping_common.c), and a
 * busy machine is later than that. Hence few requests go out at once, with an interval that is only the wait.
 */
function pace(count: number, wait: number, interval: number | undefined): string[] {
  if (interval === undefined && count <= AT_ONCE) return ['-l', `${count}`, '-i', `${wait}`]
  return ['-i', `${interval ?? 0.05}`]
}

export function pingArgv(target: string, options: PingOptions): string[] {
  const { count = 3, size = 56, interval, wait = 5 } = options
  const argv = ['ping', '-n', '-c', `${count}`, '-s', `${size}`, ...pace(count, wait, interval), '-W', `${wait}`]
  if (options.dontFragment) argv.push('-M', 'do')
  if (options.ttl !== undefined) argv.push('-t', `${options.ttl}`)
  return [...argv, target]
}

export function parsePing(output: string): PingReport {
  const totals = /(\d+) packets transmitted, (\d+) received/.exec(output)
  if (!totals) throw new Error(`ping did not run: ${output}`)
  const [sent, received] = [Number(totals[1]), Number(totals[2])]
  const lines = output.matchAll(/icmp_seq=(\d+) ttl=(\d+)(?: time=([\d.]+) ms)?/g)
  const replies = [...lines].map(([, seq, ttl, ms]) => ({
    seq: Number(seq),
    ttl: Number(ttl),
    ms: ms === undefined ? undefined : Number(ms),
  }))
  const times = /= ([\d.]+)\/([\d.]+)\/([\d.]+)\//.exec(output)
  const rtt = times ? { min: Number(times[1]), avg: Number(times[2]), max: Number(times[3]) } : undefined
  return { sent, received, loss: sent === 0 ? 1 : 1 - received / sent, ttl: replies[0]?.ttl, replies, rtt, output }
}
