// What the doctor looks at and hears, with nothing special but what a test asks for.

import type { Exchange } from '#tsgre/daemon/doctor/exchange.js'
import type { Subject, Target } from '#tsgre/daemon/doctor/subject.js'
import { parseAddress } from '#tsgre/sys/address.js'

export const REMOTE = '192.0.2.2'

export function target(given: Partial<Target> = {}): Target {
  const plain = {
    keyIn: undefined,
    keyOut: undefined,
    checksum: false,
    sequence: false,
    receiveChecksum: 'accept',
    peer: undefined,
  } as const
  return { address: parseAddress(REMOTE)!, asked: REMOTE, ...plain, differs: [], ...given }
}

export function subject(given: Partial<Subject> = {}): Subject {
  const none = { tap: undefined, runs: false, bridge: undefined, local: undefined, dev: undefined, udpPort: undefined }
  const nobody = { problems: undefined, routes: [], targets: [], nameless: [], otherKeys: [], strayKeys: [] }
  return { ...none, ...nobody, ...given }
}

export const QUIET: Exchange = { answer: undefined, icmp: [], came: [], refused: undefined, listens: true }
