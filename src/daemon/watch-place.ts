// What may change under a running tunnel: the route to the remote may come to lead into it, its bridge may go. Looked at
// again whenever the host changes. Invariant: one look at a time, nothing is said after stop().

import { linkKind, linkMaster } from '../host/links.js'
import { watchHost } from '../host/monitor.js'
import type { Tunnel } from '../tunnel/tunnel.js'
import { type Place, type RemoteRoute, routeLeadsInto } from './place.js'

// What changes before `ip monitor` has begun to listen is told by nobody, and a busy host takes its time to start it.
const FIRST_LOOKS_MS = [300, 1000, 3000]

/** Who is told. */
export interface Listener {
  note(message: string): void
  warn(message: string): void
}

/** Pauses sending while the route to the remote leads into the tunnel itself; tells when the TAP loses its bridge. */
export function watchPlace(tunnel: Tunnel, remote: RemoteRoute, where: Place, listener: Listener): { stop(): void } {
  let stopped = false
  const told: Listener = {
    note: (message) => stopped || listener.note(message),
    warn: (message) => stopped || listener.warn(message),
  }
  const looks = [lookAtRoute(tunnel, remote, where, told)]
  if (where.bridge) looks.push(lookAtBridge(where.tap, where.bridge, told))
  let looking = Promise.resolve()
  const lookAgain = () => {
    looking = looking.then(async () => {
      for (const look of stopped ? [] : looks) await look()
    })
  }
  const watch = watchHost(lookAgain)
  const timers = FIRST_LOOKS_MS.map((wait) => setTimeout(lookAgain, wait).unref())
  return {
    stop() {
      stopped = true
      watch.stop()
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

function lookAtRoute(tunnel: Tunnel, remote: RemoteRoute, where: Place, listener: Listener): () => Promise<void> {
  let looping = false
  return async () => {
    try {
      const device = await routeLeadsInto(remote, where)
      if (looping === (device !== undefined)) return
      looping = device !== undefined
      tunnel.pause(looping)
      if (!device) return listener.note(`the route to ${remote.text} leads outside again: frames are sent`)
      const until = 'the tunnel would carry itself; no frame is sent until it leads elsewhere'
      listener.warn(`the route to ${remote.text} now leads into ${device}: ${until}`)
    } catch (error) {
      listener.warn(`cannot see the route to ${remote.text}: ${(error as Error).message}`)
    }
  }
}

function lookAtBridge(tap: string, bridge: string, listener: Listener): () => Promise<void> {
  let joined = true
  return async () => {
    try {
      const was = joined
      joined = (await linkMaster(tap)) === bridge
      if (was === joined) return
      if (joined) return listener.note(`${tap} is in bridge ${bridge} again`)
      if ((await linkKind(tap)) === undefined) return // that ends the tunnel, which says so itself
      const there = (await linkKind(bridge)) !== undefined
      const wayOut = there ? `\`ip link set ${tap} master ${bridge}\` puts it back` : 'start again when there is one'
      const what = there
        ? `${tap} was taken out of bridge ${bridge}`
        : `bridge ${bridge} is gone, and its routes with it`
      listener.warn(`${what}: ${tap} is in no bridge of this tunnel; ${wayOut}`)
    } catch (error) {
      listener.warn(`cannot see the bridge of ${tap}: ${(error as Error).message}`)
    }
  }
}
