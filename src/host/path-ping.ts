// The largest packet that comes back from a host, found with pings that may not be fragmented (ping(8), iputils): several sizes
// at once, and again between the largest that came back and the smallest that did not. Changes nothing, but for what the
// kernel learns from ICMP on the way.

import { HostError } from '../errors.js'
import { type Execute, execute } from './execute.js'

/** What every path of IPv4 carries in practice, and of IPv6 by rule. */
export const LEAST_MTU = { 4: 576, 6: 1280 } as const
/** Of IP and ICMP. */
const HEADERS = { 4: 28, 6: 48 } as const
const SIZES_AT_ONCE = 14
/** How often a size is asked for that is to be said not to pass: pings get lost, too. */
const SURE = 5

export interface Pinged {
  readonly text: string
  readonly family: 4 | 6
  /** Device or VRF that the pings are bound to. */
  readonly dev?: string | undefined
}

export interface PathPing {
  /** In bytes, with the IP header; 0 where not even the least came back. */
  readonly passes: number
  /** What the kernel took the way for, in the end. */
  readonly known: number
  /** Why nothing could be asked, as a sentence. */
  readonly trouble?: string
}

/**
 * Finds it between the least MTU and what the kernel takes the way for, which is asked for first: on most ways nothing else is
 * needed. `known` is asked again after that, since a router may have said by ICMP what fits. Where it is lost, it is asked for some
 * times more: one lost ping is no box that drops large packets.
 */
export async function pathPing(address: Pinged, known: () => number, run: Execute = execute): Promise<PathPing> {
  const least = LEAST_MTU[address.family]
  let most = known()
  const ask = (size: number, count = 2) => comesBack(address, size, count, run)
  try {
    for (let before = 0; before !== most; most = known()) {
      if (await ask(most, 1)) return { passes: most, known: most }
      before = most
    }
    const [passing, small] = await Promise.all([ask(most, SURE), ask(least)])
    if (passing) return { passes: most, known: most }
    if (!small) return { passes: 0, known: most }
    let passes: number = least
    let lost = most
    while (lost - passes > 1) {
      const step = Math.max(1, Math.floor((lost - passes) / (SIZES_AT_ONCE + 1)))
      const sizes = Array.from({ length: SIZES_AT_ONCE }, (_, i) => passes + (i + 1) * step).filter(
        (size) => size < lost,
      )
      const answers = await Promise.all(sizes.map((size) => ask(size)))
      const best = answers.lastIndexOf(true)
      lost = sizes[best + 1] ?? lost
      passes = sizes[best] ?? passes
    }
    return { passes, known: most }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return { passes: 0, known: most, trouble: error.message.trim() }
  }
}

/** ping(8) ends with 1 where nothing came back, also where the kernel would not send what is larger than it knows to pass. */
async function comesBack({ text, family, dev }: Pinged, size: number, count: number, run: Execute): Promise<boolean> {
  const payload = `${size - HEADERS[family]}`
  const way = dev === undefined ? [] : ['-I', dev]
  const args = ['-n', '-q', ...way, '-M', 'do', '-c', `${count}`, '-i', '0.2', '-W', '1', '-s', payload, text]
  try {
    return /, [1-9]\d* received/.test(await run('ping', [`-${family}`, ...args]))
  } catch (error) {
    const said = error instanceof HostError ? error.stderr.trim() : ''
    const lost = error instanceof HostError && !/no command ping/.test(error.message)
    if (lost && (said === '' || /message too long/.test(said))) return false
    throw error
  }
}
