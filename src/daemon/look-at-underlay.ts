// The ways to the remotes while the tunnel runs: one may lead into the tunnel itself, be gone, or come back; the address the
// tunnel sends from may be another one (DHCP), and the tunnel goes on from there. A word each time that changes.

import { listAddresses, routeTo } from '../host/routes.js'
import { underlayPath } from '../io/underlay-path.js'
import { parseAddress } from '../sys/address.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { type Place, type RemoteRoute, routeLeadsInto } from './place.js'
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
    try {
      if (underfoot.follows) await followLocal(tunnel, dev, listener)
    } catch (error) {
      listener.warn(`cannot follow this host's address: ${(error as Error).message}`)
    }
    const known = new Set(tunnel.remotes)
    for (const text of ways.keys()) if (!known.has(text)) ways.delete(text)
    for (const text of known) {
      const was = ways.get(text) ?? FINE
      const now = await lookAtOne(tunnel, { text, dev }, where, was, listener)
      ways.set(text, now)
    }
  }
}

async function lookAtOne(
  tunnel: Tunnel,
  remote: RemoteRoute,
  where: Place,
  was: Way,
  listener: Listener,
): Promise<Way> {
  try {
    const inside = await routeLeadsInto(remote, where)
    const now = inside === undefined ? await outside(tunnel, remote) : into(remote, inside)
    if (now.trouble === was.trouble) return was
    if (now.loops !== was.loops) tunnel.pause(now.loops, remote.text)
    if (now !== FINE) listener.warn(now.trouble)
    else listener.note(`the route to ${remote.text} ${was.loops ? 'leads outside' : 'is there'} again: frames are sent`)
    return now
  } catch (error) {
    listener.warn(`cannot see the route to ${remote.text}: ${(error as Error).message}`)
    return was
  }
}

/** What is wrong with the way to the remote. */
interface Way {
  readonly trouble: string
  /** It leads into the tunnel. */
  readonly loops: boolean
}

const FINE: Way = { trouble: '', loops: false }

/** Where the address has left this host and the route to a remote gives another one: goes on from that. */
async function followLocal(tunnel: Tunnel, dev: string | undefined, listener: Listener): Promise<void> {
  const before = tunnel.local
  if (await isHere(before)) return
  for (const text of tunnel.remotes) {
    const local = sourceTo(text, dev)
    if (local === undefined || local === before) continue
    tunnel.moveLocal(local)
    listener.note(`this host's address is ${local} now (was ${before}): packets leave from there`)
    return
  }
}

async function isHere(address: string): Promise<boolean> {
  const own = address.split('%')[0]
  return (await listAddresses()).some((known) => known.address === own)
}

function sourceTo(remote: string, dev: string | undefined): string | undefined {
  try {
    return underlayPath(parseAddress(remote)!, { dev }).local.text
  } catch {
    return undefined // no route yet
  }
}

function into({ text }: RemoteRoute, device: string): Way {
  const until = 'the tunnel would carry itself; no frame is sent until it leads elsewhere'
  return { trouble: `the route to ${text} now leads into ${device}: ${until}`, loops: true }
}

async function outside({ local }: Tunnel, remote: RemoteRoute): Promise<Way> {
  if (!(await isHere(local)))
    return {
      trouble: `${local} is no address of this host any more: nothing is carried until it is back`,
      loops: false,
    }
  const route = await routeTo(remote.text, remote.dev)
  if (route?.dev) return FINE
  return {
    trouble: `there is no route to ${remote.text} any more: nothing is carried until there is one`,
    loops: false,
  }
}
