// Whether the first host on the way, the remote or its gateway, is there at all: a dead link or switch answers nothing, and what the
// kernel makes of that comes later than the doctor listens.

import { isNeighbourSilent } from '../../host/neighbours.js'
import type { Exchange } from './exchange.js'
import { type Finding, found } from './finding.js'
import type { Target } from './subject.js'
import type { Way } from './way-checks.js'

/** To be asked behind an exchange, which has made the kernel ask for the neighbour. Undefined where the neighbour is not what is wrong. */
export async function checkNeighbour(
  { address }: Target,
  { nextHop, dev }: Pick<Way, 'nextHop' | 'dev'>,
  { answer, came, refused }: Pick<Exchange, 'answer' | 'came' | 'refused'>,
  isSilent = isNeighbourSilent,
): Promise<Finding | undefined> {
  if (answer || came.length > 0 || (refused !== undefined && refused !== 'EHOSTUNREACH')) return undefined
  if (!(await isSilent(nextHop, dev))) return undefined
  const who = nextHop === address.text.replace(/%.*/, '') ? nextHop : `${nextHop}, the gateway to ${address.text},`
  const asked = nextHop.includes(':') ? 'neighbour discovery' : 'ARP'
  const text = `${who} does not answer ${asked} on ${dev}: it is down, has another address, or the link or switch between is cut`
  return found('unreachable', text, `is the address right, the link of ${dev} up? ip neigh show ${nextHop} dev ${dev}`)
}
