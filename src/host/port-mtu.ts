// The MTU of a TAP in a bridge: that of the smallest other port. A bridge takes the smallest MTU of its ports and drops larger
// frames in silence, so a TAP must not be the smallest; and it must not copy the bridge's own, which follows the TAP.

import type { Change } from './change.js'
import { type Execute, execute } from './execute.js'
import { ipJson } from './ip-json.js'
import { linkMtu } from './links.js'

/** Ethernet's, for a bridge without other ports, and of a TAP as the kernel makes it. */
const ETHERNET_MTU = 1500
/** MAX_MTU of drivers/net/tun.c less an Ethernet header. */
const MOST_TAP_MTU = 65521

/** The smallest MTU of the ports of `bridge` besides `tap` and `others`, in bytes; 1500 when there are none. */
export async function portMtu(
  tap: string,
  bridge: string,
  others: readonly string[],
  run: Execute = execute,
): Promise<number> {
  const ports = await ipJson<{ ifname: string; mtu: number }>(run, ['link', 'show', 'master', bridge])
  const mtus = ports.filter(({ ifname }) => ifname !== tap && !others.includes(ifname)).map(({ mtu }) => mtu)
  return Math.min(...(mtus.length > 0 ? mtus : [ETHERNET_MTU]), MOST_TAP_MTU)
}

/**
 * What is left to do for `tap` to have `mtu`. To be done before it joins a bridge. The way back is kept even where nothing is
 * left to do: ports come and go. `found` is what the TAP had first, so that however often this is done there is one way back,
 * and none that makes a bridge smaller that the TAP was a port of already.
 */
export async function planMtu(tap: string, mtu: number, found = ETHERNET_MTU, run: Execute = execute): Promise<Change> {
  const what = `MTU ${mtu} of ${tap}`
  const undo = { kind: 'link', name: tap, set: ['mtu', `${found}`] } as const
  if ((await linkMtu(tap, run)) === mtu) return { what, undo }
  return { what, action: { run: ['ip', 'link', 'set', 'dev', tap, 'mtu', `${mtu}`] }, undo }
}
