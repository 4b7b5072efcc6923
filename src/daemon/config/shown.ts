// A configuration as a file would say it in full: every key that has a value, given or by default, in the order of the table. What
// is written so asks for the same when it is read.

import type { Keys, PeerOptions } from '../../tunnel/peer-options.js'
import { listRemotes } from '../../tunnel/resolve-peers.js'
import type { Option } from '../options/option.js'
import { OPTIONS } from '../options/option-table.js'
import type { TunnelWishes, Wanted } from '../options/wanted.js'

type Shown = Record<string, unknown>

export function shownConfig(wanted: Wanted): Shown {
  const instance = Object.fromEntries(
    OPTIONS.filter(({ of }) => of === 'instance').flatMap((option) => entry(option, wanted as unknown as Shown)),
  )
  return { ...instance, tunnels: wanted.tunnels.map(shownTunnel) }
}

function shownTunnel(wishes: TunnelWishes): Shown {
  const shown: Shown = {}
  for (const option of OPTIONS) {
    if (option.of !== 'tunnel') continue
    if (option.kind === 'remotes') shown.remotes = listRemotes(wishes.remote).map(shownRemote)
    else if (option.kind === 'networks') shown.routes = wishes.routes
    else if (option.name === 'key') Object.assign(shown, shownKeys(wishes.key))
    // Beside ignore-df it would be a contradiction.
    else if (option.name !== 'pmtudisc' || !wishes.ignoreDf)
      for (const [name, value] of entry(option, wishes as unknown as Shown)) shown[name] = value
  }
  return shown
}

function entry(option: Option, values: Shown): [string, unknown][] {
  if (option.field === undefined) return []
  const given = values[option.field]
  const value = given === undefined ? ('standard' in option ? option.standard : undefined) : written(option, given)
  return value === undefined ? [] : [[option.name, value]]
}

/** As it stands in a file. */
function written(option: Option, value: unknown): unknown {
  if (option.kind === 'parts') return option.parts.map(({ field }) => (value as Shown)[field]).join()
  if (option.kind !== 'listen') return value
  const { address, port } = value as { address: string; port: number }
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function shownRemote({ remote, key, checksum, receiveChecksum, sequence }: PeerOptions): string | Shown {
  const own = { ...shownKeys(key), csum: checksum, checksum: receiveChecksum, seq: sequence }
  const said = Object.entries(own).filter(([, value]) => value !== undefined)
  return said.length === 0 ? remote : { address: remote, ...Object.fromEntries(said) }
}

function shownKeys(key: Keys | undefined): Shown {
  if (key === undefined) return {}
  if (typeof key !== 'object') return { key }
  return { ...(key.in !== undefined && { ikey: key.in }), ...(key.out !== undefined && { okey: key.out }) }
}
