// Asks the tsgre that run here what they know. Where they may not be asked that is a finding, and the doctor goes on without them.

import { SystemError } from '../../errors.js'
import type { InstanceStatus, PeerStatus } from '../status.js'
import { type Finding, found } from './finding.js'
import type { ReadStatus, Subject, Target } from './subject.js'

export interface Told {
  readonly instances: readonly InstanceStatus[]
  readonly findings: readonly Finding[]
}

export async function askInstances(read: ReadStatus): Promise<Told> {
  try {
    return { instances: await read(), findings: [] }
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    const text = `the tsgre that run here may not be asked, and what they know is left out: ${error.message}`
    return { instances: [], findings: [found('instances-not-asked', text, 'run it as root, or in the group tsgre')] }
  }
}

/** What the tunnel knows of its remote now; undefined where none runs to it, or it may not be asked. */
export async function askAgain(read: ReadStatus, { tap }: Subject, { peer }: Target): Promise<PeerStatus | undefined> {
  if (!peer) return undefined
  const { instances } = await askInstances(read)
  const tunnel = instances.flatMap(({ tunnels }) => tunnels).find(({ name }) => name === tap)
  return tunnel?.peers.find(({ asked, remote }) => asked === peer.asked && remote === peer.remote)
}
