// Whether a neighbour on a link answers ARP, or neighbour discovery: what the kernel has found out when it last had to send there.
// Reads only; nothing here makes the kernel ask.

import { setTimeout as sleep } from 'node:timers/promises'
import { type Execute, execute } from './execute.js'
import { ipJson } from './ip-json.js'

/** Three questions, a second apart (net.ipv4.neigh.default.mcast_solicit, retrans_time_ms), and some time to tell. */
const SETTLES_MS = 3500
const LOOKED_EVERY_MS = 250

/**
 * True where the kernel has asked for the neighbour and got no answer; waits while it still asks. False also where it need not ask,
 * on a link without ARP.
 */
export async function isNeighbourSilent(address: string, dev: string, run: Execute = execute): Promise<boolean> {
  for (const end = performance.now() + SETTLES_MS; ; await sleep(LOOKED_EVERY_MS)) {
    const states = await neighbourStates(address, dev, run)
    if (states.includes('FAILED')) return true
    if (!states.includes('INCOMPLETE')) return false
    // A tunnel that runs sends on, and so the kernel asks anew as soon as it has given up.
    if (performance.now() >= end) return true
  }
}

/** As ip-neighbour(8) names them. */
async function neighbourStates(address: string, dev: string, run: Execute): Promise<readonly string[]> {
  const found = await ipJson<{ state?: readonly string[] }>(run, ['neighbour', 'show', address, 'dev', dev])
  return found[0]?.state ?? []
}
