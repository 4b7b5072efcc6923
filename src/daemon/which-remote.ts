// Which remote of a tunnel a person means: by the name or address it was asked for with, or by its address in any spelling.

import { ConfigError } from '../errors.js'
import { parseAddress } from '../sys/address.js'
import type { FollowNames } from './follow-names.js'

/** How many are named to who asks for a stranger. */
const SHOWN = 5

/**
 * The address it has; undefined while its name has none.
 * @throws ConfigError TSGRE_BAD_OPTION where the tunnel has no such remote
 */
export function whichRemote({ list }: Pick<FollowNames, 'list'>, remote: string, tunnel: string): string | undefined {
  const wanted = canonical(remote)
  const found =
    list.find(({ asked }) => asked.remote === remote) ??
    list.find(({ address }) => address !== undefined && canonical(address) === wanted)
  if (found) return found.address
  const some = list.slice(0, SHOWN).map(({ asked }) => asked.remote)
  const has = [...some, ...(list.length > SHOWN ? ['…'] : [])].join(', ') || 'none'
  const words = `--remote ${remote}: ${tunnel} has no such peer; it has ${has}`
  throw new ConfigError('TSGRE_BAD_OPTION', 'remote', remote, words)
}

function canonical(text: string): string {
  return parseAddress(text)?.text ?? text
}
