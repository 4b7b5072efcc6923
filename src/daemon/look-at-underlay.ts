// The ways to the remotes while the tunnel runs: one may lead into the tunnel itself, be gone, or come back; the address the
// tunnel sends from may be another one (DHCP), and the tunnel goes on from there. A word each time that changes. Invariant: a look
// asks for this host's addresses once, and for the route to each remote once; every question is a process.

import { listAddresses, type RouteAnswer, routeTo } from '../host/routes.js'
import { underlayPath } from '../io/underlay-path.js'
import { parseAddress } from '../sys/address.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { leadsInto, type Place } from './place.js'
import type { Listener } from './watch-place.js'

export interface Underfoot {
  /** The device that packets are bound to. */
  readonly dev: string | undefined
  /** Whether the tunnel's own address was chosen by the route, which may choose another. */
  readonly follows: boolean
}

/** Gives the look; it pauses sending to a remote while the way there leads into the tunnel. */
export function lookAtUnderlay(
  tunnel: Tunnel,
  where: Place,
  underfoot: Underfoot,
  listener: Listener,
): () => Promise<void> {
  const ways = new Map<string, Way>()
  const { dev } = underfoot
  return async () => {
    const here = await standsHere(tunnel, underfoot, listener)
    if (here === undefined) return
    const known = new Set(tunnel.remotes)
    for (const text of ways.keys()) if (!known.has(text)) ways.delete(text)
    for (const text of known) {
      const was = ways.get(text) ?? FINE
      try {
        const now = wayOf(text, await routeTo(text, dev), where, here ? undefined : tunnel.local)
        ways.set(text, takeNote(tunnel, text, was, now, listener))
      } catch (error) {
        listener.warn(`cannot see the route to ${text}: ${(error as Error).message}`)
      }
    }
  }
}

/** Tells what has changed, and acts on it; returns how it is. */
function takeNote(tunnel: Tunnel, remote: string, was: Way, now: Way, listener: Listener): Way {
  if (now.trouble === was.trouble) return was
  if (now.loops !== was.loops) tunnel.pause(now.loops, remote)
  if (now !== FINE) listener.warn(now.trouble)
  else listener.note(`the route to ${remote} ${was.loops ? 'leads outside' : 'is there'} again: frames are sent`)
  return now
}

/** What is wrong with the way to the remote. */
interface Way {
  readonly trouble: string
  /** It leads into the tunnel. */
  readonly loops: boolean
}

const FINE: Way = { trouble: '', loops: false }

/** Whether the tunnel's address is one of this host's, or came to be in its place; undefined where this cannot be told. */
async function standsHere(tunnel: Tunnel, underfoot: Underfoot, listener: Listener): Promise<boolean | undefined> {
  const own = tunnel.local.split('%')[0]
  try {
    if ((await listAddresses()).some(({ address }) => address === own)) return true
  } catch (error) {
    listener.warn(`cannot see this host's addresses: ${(error as Error).message}`)
    return undefined
  }
  try {
    return underfoot.follows && followLocal(tunnel, underfoot.dev, listener)
  } catch (error) {
    listener.warn(`cannot follow this host's address: ${(error as Error).message}`)
    return false
  }
}

/** Where the route to a remote gives another address than the one that has left: goes on from that. */
function followLocal(tunnel: Tunnel, dev: string | undefined, listener: Listener): boolean {
  const before = tunnel.local
  for (const text of tunnel.remotes) {
    const local = sourceTo(text, dev)
    if (local === undefined || local === before) continue
    tunnel.moveLocal(local)
    listener.note(`this host's address is ${local} now (was ${before}): packets leave from there`)
    return true
  }
  return false
}

function sourceTo(remote: string, dev: string | undefined): string | undefined {
  try {
    return underlayPath(parseAddress(remote)!, { dev }).local.text
  } catch {
    return undefined // no route yet
  }
}

/** `gone`: the tunnel's address, where it is no longer this host's. */
function wayOf(remote: string, route: RouteAnswer | undefined, where: Place, gone: string | undefined): Way {
  const inside = leadsInto(route, where)
  if (inside !== undefined) {
    const until = 'the tunnel would carry itself; no frame is sent until it leads elsewhere'
    return { trouble: `the route to ${remote} now leads into ${inside}: ${until}`, loops: true }
  }
  if (gone !== undefined)
    return { trouble: `${gone} is no address of this host any more: nothing is carried until it is back`, loops: false }
  if (route?.dev) return FINE
  return {
    trouble: `there is no route to ${remote} any more: nothing is carried until there is one`,
    loops: false,
  }
}
