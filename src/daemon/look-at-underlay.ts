// The way to the remote while the tunnel runs: it may lead into the tunnel itself, be gone, or come back; the address the
// tunnel sends from may be gone. A word each time that changes.

import { listAddresses, routeTo } from '../host/routes.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { type Place, type RemoteRoute, routeLeadsInto } from './place.js'
import type { Listener } from './watch-place.js'

/** Gives the look; it pauses sending while the way leads into the tunnel. */
export function lookAtUnderlay(
  tunnel: Tunnel,
  remote: RemoteRoute,
  where: Place,
  listener: Listener,
): () => Promise<void> {
  let was: Way = FINE
  return async () => {
    try {
      const inside = await routeLeadsInto(remote, where)
      const now = inside === undefined ? await outside(tunnel, remote) : into(remote, inside)
      if (now.trouble === was.trouble) return
      if (now.loops !== was.loops) tunnel.pause(now.loops, remote.text)
      if (now !== FINE) listener.warn(now.trouble)
      else
        listener.note(`the route to ${remote.text} ${was.loops ? 'leads outside' : 'is there'} again: frames are sent`)
      was = now
    } catch (error) {
      listener.warn(`cannot see the route to ${remote.text}: ${(error as Error).message}`)
    }
  }
}

/** What is wrong with the way to the remote. */
interface Way {
  readonly trouble: string
  /** It leads into the tunnel. */
  readonly loops: boolean
}

const FINE: Way = { trouble: '', loops: false }

function into({ text }: RemoteRoute, device: string): Way {
  const until = 'the tunnel would carry itself; no frame is sent until it leads elsewhere'
  return { trouble: `the route to ${text} now leads into ${device}: ${until}`, loops: true }
}

async function outside({ local }: Tunnel, remote: RemoteRoute): Promise<Way> {
  const own = local.split('%')[0]
  if (!(await listAddresses()).some(({ address }) => address === own))
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
