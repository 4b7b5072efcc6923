// Which remote of a tunnel a person means: by the name or address it was asked for with, or by its address in any spelling.

import { ConfigError } from '../errors.js'
import type { FollowNames } from './follow-names.js'
import { canonical } from './peer-spec.js'

/** The remotes of a tunnel, as they were asked for, and as they are now. */
export type KnownRemotes = Pick<FollowNames, 'list'>

/** How many are named to who asks for a stranger. */
const SHOWN = 5

/**
 * The address it has; undefined while its name has none.
 * @throws ConfigError TSGRE_BAD_OPTION where the tunnel has no such remote
 */
export function whichRemote({ list }: KnownRemotes, remote: string, tunnel: string): string | undefined {
  const wanted = canonical(remote)
  const found =
    list.find(({ asked }) => canonical(asked.remote) === wanted) ??
    list.find(({ address }) => address !== undefined && canonical(address) === wanted)
  if (found) return found.address
  const some = list.slice(0, SHOWN).map(({ asked }) => asked.remote)
  const has = [...some, ...(list.length > SHOWN ? ['…'] : [])].join(', ') || 'none'
  const words = `--remote ${remote}: ${tunnel} has no such peer; it has ${has}`
  throw new ConfigError('TSGRE_BAD_OPTION', 'remote', remote, words)
}
