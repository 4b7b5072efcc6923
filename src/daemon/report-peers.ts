// Tells of the remotes of a running tunnel: who answers, who does so no more, and which ways are shut because they lead back.

import type { Tunnel } from '../tunnel/tunnel.js'
import type { Report } from './run-daemon.js'

export function reportPeers(tunnel: Tunnel, report: Report): void {
  tunnel.on('peer', (remote, liveness) => {
    if (liveness === 'down')
      report.warn(`${remote} answers no more: nothing is sent to it, and what was learnt from it is forgotten`)
    else if (liveness === 'up') report.note(`${remote} answers`)
  })
  tunnel.on('loop', (remote, blocked) => {
    if (blocked) report.warn(`the way to ${remote} leads back into this LAN by another path: it is shut for a while`)
    else report.note(`the way to ${remote} is open again`)
  })
}
