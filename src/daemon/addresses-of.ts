// The addresses that a name has now, as this host finds them (getaddrinfo(3): /etc/hosts, name servers, whatever is set up here).
// Nothing is remembered, and nothing is asked again.

import { lookup } from 'node:dns/promises'

/** Names that are being looked up now. */
let underWay = 0

/** Whether a name is being looked up: that cannot be called off (getaddrinfo), and keeps a process until the answer comes. */
export function isLookingUp(): boolean {
  return underWay > 0
}

/** At least one. @throws Error with the code of getaddrinfo(3) */
export async function addressesOf(name: string, family: 4 | 6 | undefined): Promise<string[]> {
  underWay++
  try {
    const found = await lookup(name, { all: true, ...(family && { family }) })
    if (found.length === 0) throw new Error('it has no address')
    return found.map(({ address }) => address)
  } finally {
    underWay--
  }
}
