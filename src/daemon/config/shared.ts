// What two tunnels of one file cannot both have: a TAP, and the packets of a remote. Only what is certain whatever the host: which
// address of its own a tunnel has where the file does not say is known where it starts, which looks again (refuse-shared.ts).

import { ConfigError } from '../../errors.js'
import { GRE_IN_UDP_PORT } from '../../io/open-udp-socket.js'
import { listRemotes } from '../../tunnel/resolve-peers.js'
import type { TunnelWishes } from '../options/wanted.js'
import { canonical } from '../peer-spec.js'
import type { ConfigDocument, Path } from './document.js'
import type { Entry } from './entries.js'
import { pathText } from './issues.js'
import { problemAt } from './places.js'
import type { Problem } from './problem.js'
import { remotesOf } from './tunnel-change.js'

export function sharedTaps(entries: readonly Entry[], document: ConfigDocument): Problem[] {
  const seen = new Map<unknown, Path>()
  return entries.flatMap(({ asked: { tap }, path }) => {
    const before = tap === undefined ? undefined : seen.get(tap)
    if (before === undefined) {
      seen.set(tap, path)
      return []
    }
    const key = document.has([...path, 'tap']) ? [...path, 'tap'] : path
    const message = `${tap} is the TAP of ${pathText(before)} already; give each tunnel its own`
    return [{ ...document.at(key), key: pathText(key), message }]
  })
}

/** An entry that was read: nothing is said of one whose options in question were refused. */
export interface Read extends Entry {
  readonly wishes: TunnelWishes
}

const LOOKED_AT = ['remote', 'key', 'ikey', 'okey', 'local', 'dev', 'encap', 'udp-port']

export function sharedRemotes(entries: readonly Read[], document: ConfigDocument): Problem[] {
  const good = entries.filter(({ wrong }) => !LOOKED_AT.some((option) => wrong.has(option)))
  return good.flatMap((entry, at) => {
    const errors = good.slice(0, at).flatMap((before) => conflicts(before, entry))
    const told = new Map(errors.map((error) => [`${error.option} ${error.value}`, error]))
    return [...told.values()].map((error) => problemAt(error, document, entry.path))
  })
}

function conflicts(before: Read, { wishes }: Read): ConfigError[] {
  const other = before.wishes
  if (!haveSameEnd(other, wishes)) return []
  const { name } = wishes
  if (wishes.encap === 'udp' || other.encap === 'udp') return samePort(other, wishes, name)
  const taken = takes(other)
  return takes(wishes).flatMap(({ remote, keyIn }) => {
    if (!taken.some((one) => one.keyIn === keyIn && canonical(one.remote) === canonical(remote))) return []
    const key = keyIn === undefined ? 'without a key' : `with key ${keyIn}`
    const words = `--remote ${remote}: ${other.name} takes the packets ${key} from it, and ${name} would get them too; give one of them its own --key`
    return [new ConfigError('TSGRE_IN_USE', 'remote', remote, words)]
  })
}

function samePort(other: TunnelWishes, wishes: TunnelWishes, name: string): ConfigError[] {
  const port = wishes.udpPort ?? GRE_IN_UDP_PORT
  if (other.encap !== wishes.encap || (other.udpPort ?? GRE_IN_UDP_PORT) !== port) return []
  const words = `--udp-port ${port}: ${other.name} has that port, and ${name} cannot have it too; give both ends of one of them another`
  return [new ConfigError('TSGRE_IN_USE', 'udp-port', port, words)]
}

/**
 * Whether both have certainly the same address of this host, on the same device: as it is written, or the one that the way to the
 * first remote has. A tunnel that is bound to no device takes packets of all of them.
 */
function haveSameEnd(a: TunnelWishes, b: TunnelWishes): boolean {
  if (a.dev !== b.dev && a.dev !== undefined && b.dev !== undefined) return false
  if (a.local !== undefined && b.local !== undefined) return canonical(a.local) === canonical(b.local)
  if (a.local !== undefined || b.local !== undefined || a.dev !== b.dev) return false
  const [first, second] = [a, b].map(({ remote }) => listRemotes(remote)[0]?.remote)
  return first !== undefined && second !== undefined && canonical(first) === canonical(second)
}

/** The remotes, and the keys of the packets that come from them. */
function takes(wishes: TunnelWishes): { remote: string; keyIn: number | undefined }[] {
  return remotesOf(wishes).map(({ remote, key }) => ({
    remote,
    keyIn: (typeof key === 'object' ? key.in : key) as number | undefined,
  }))
}
