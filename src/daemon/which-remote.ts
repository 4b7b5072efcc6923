// Which remote of a tunnel a person means: by the name or address it was asked for with, or by its address in any spelling.

import { ConfigError } from '../errors.js'
import { canonical } from './peer-spec.js'

/** A remote as it was asked for, and the address it has now; undefined while its name has none. */
export interface KnownRemote {
  readonly asked: { readonly remote: string }
  readonly address: string | undefined
}

/** How many are named to who asks for a stranger. */
const SHOWN = 5

/** @throws ConfigError TSGRE_BAD_OPTION where `tunnel` has no such remote */
export function remoteNamed<Known extends KnownRemote>(list: readonly Known[], remote: string, tunnel: string): Known {
  const wanted = canonical(remote)
  const found =
    list.find(({ asked }) => canonical(asked.remote) === wanted) ??
    list.find(({ address }) => address !== undefined && canonical(address) === wanted)
  if (found) return found
  const some = list.slice(0, SHOWN).map(({ asked }) => asked.remote)
  const has = [...some, ...(list.length > SHOWN ? ['…'] : [])].join(', ') || 'none'
  const words = `--remote ${remote}: ${tunnel} has no such peer; it has ${has}`
  throw new ConfigError('TSGRE_BAD_OPTION', 'remote', remote, words)
}
