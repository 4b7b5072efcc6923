// The addresses that a name has now, as this host finds them (getaddrinfo(3): /etc/hosts, name servers, whatever is set up here).
// Nothing is remembered, and nothing is asked again.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

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

/** What looks like an address is the library's to judge; names have letters, and no colon. */
export function isAddress(remote: string): boolean {
  return remote.includes(':') || !/[a-z]/i.test(remote) || remote === ''
}

export function familyOf(address: string | undefined): 4 | 6 | undefined {
  const family = address === undefined ? 0 : isIP(address.split('%')[0]!)
  return family === 4 || family === 6 ? family : undefined
}
