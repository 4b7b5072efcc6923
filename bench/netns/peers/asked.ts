// A tsgre whose status is asked for all the time, on both hosts: what it costs to be looked at.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '#tsgre/daemon/control/client.js'
import { HOSTS, type Peer } from './peer.js'

const EVERY_MS = 100

/** The same peer, asked ten times a second on each host; it takes no other peer than a tsgre. */
export function asked(peer: Peer): Peer {
  return {
    ...peer,
    name: `${peer.name}-asked`,
    title: `${peer.title}, asked`,
    about: `${peer.name} whose status is asked for ten times a second on both hosts`,
    only: ['forth', 'back'],
    async up(rig) {
      const running = await peer.up(rig)
      const folder = rig.runFolder(HOSTS[0]!)
      const sockets = readdirSync(folder).filter((name) => name.endsWith('.sock'))
      if (sockets.length !== HOSTS.length) throw new Error(`${sockets.length} control sockets in ${folder}`)
      let answers = 0
      const timer = setInterval(() => {
        for (const socket of sockets)
          ask(join(folder, socket), { path: '/v1/status' }).then(
            () => answers++,
            () => {},
          )
      }, EVERY_MS)
      return {
        async down() {
          clearInterval(timer)
          return { answers, end: await running.down() }
        },
      }
    },
  }
}
