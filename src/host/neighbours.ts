// Whether a neighbour on a link answers ARP, or neighbour discovery: what the kernel has found out when it last had to send there.
// Reads only; nothing here makes the kernel ask.

import { setTimeout as sleep } from 'node:timers/promises'
import { type Execute, execute } from './execute.js'
import { ipJson } from './ip-json.js'

/** Three questions, a second apart (net.ipv4.neigh.default.mcast_solicit, retrans_time_ms), and some time to tell. */
const ASKED_MS = 3500
/** One that was there before is first trusted for five seconds (delay_first_probe_time), then asked like that (ucast_solicit). */
const DOUBTED_MS = 9000
const LOOKED_EVERY_MS = 250

/**
 * True where the kernel has asked for the neighbour and got no answer; waits while it still asks. False also where it need not ask,
 * on a link without ARP.
 */
export async function isNeighbourSilent(address: string, dev: string, run: Execute = execute): Promise<boolean> {
  const start = performance.now()
  for (let unknownSince: number | undefined; ; await sleep(LOOKED_EVERY_MS)) {
    const states = await neighbourStates(address, dev, run)
    const now = performance.now()
    if (states.includes('FAILED')) return true
    if (states.includes('INCOMPLETE')) {
      unknownSince ??= now
      // A tunnel that runs sends on, and so the kernel asks anew as soon as it has given up.
      if (now - unknownSince >= ASKED_MS) return true
    } else if (!(states.includes('DELAY') || states.includes('PROBE')) || now - start >= DOUBTED_MS) return false
  }
}

/** As ip-neighbour(8) names them. */
async function neighbourStates(address: string, dev: string, run: Execute): Promise<readonly string[]> {
  const found = await ipJson<{ state?: readonly string[] }>(run, ['neighbour', 'show', address, 'dev', dev])
  return found[0]?.state ?? []
}
