// What of a running tunnel is asked for otherwise than before, and whether that takes it to be ended: a pure comparison, by the
// table of options.

import { isDeepStrictEqual } from 'node:util'
import type { PeerOptions } from '../../tunnel/peer-options.js'
import { listRemotes } from '../../tunnel/resolve-peers.js'
import type { Option } from '../options/option.js'
import { OPTIONS } from '../options/option-table.js'
import type { InstanceOptions, TunnelWishes } from '../options/wanted.js'

export interface TunnelChange {
  /** Names of the options, as in a file. */
  readonly keys: readonly string[]
  /** Whether all of it can be done while frames are carried. */
  readonly live: boolean
}

/** The remotes with all that is said for each: what one has not of its own it has of the tunnel. */
export function remotesOf(wishes: Pick<TunnelWishes, keyof PeerOptions>): PeerOptions[] {
  const { key, checksum, receiveChecksum, sequence } = wishes
  return listRemotes(wishes.remote).map((remote) => ({
    remote: remote.remote,
    key: remote.key ?? key,
    checksum: remote.checksum ?? checksum,
    receiveChecksum: remote.receiveChecksum ?? receiveChecksum,
    sequence: remote.sequence ?? sequence,
  }))
}

/** `remotes`: those it has, as remotesOf says them; undefined where all is as it was. */
export function tunnelChange(
  before: TunnelWishes,
  after: TunnelWishes,
  remotes: readonly PeerOptions[],
): TunnelChange | undefined {
  const changed = OPTIONS.filter((option) => option.of === 'tunnel' && differs(option, before, after, remotes))
  if (changed.length === 0) return undefined
  return { keys: changed.map(({ name }) => name), live: changed.every(({ reload }) => reload === 'live') }
}

function differs(option: Option, before: TunnelWishes, after: TunnelWishes, remotes: readonly PeerOptions[]): boolean {
  if (option.field === undefined) return false
  if (option.field === 'remote') return !isDeepStrictEqual(byName(remotes), byName(remotesOf(after)))
  return !isDeepStrictEqual(saidOf(option, before), saidOf(option, after))
}

/** Which of them comes first says nothing. */
function byName(remotes: readonly PeerOptions[]): Map<string, PeerOptions> {
  return new Map(remotes.map((remote) => [remote.remote, remote]))
}

/** The keys of the process itself, as in a file, that are wanted otherwise: it takes them at its start alone. */
export function waitingKeys(before: InstanceOptions, after: InstanceOptions): string[] {
  const waiting = OPTIONS.filter(({ of, field }) => of === 'instance' && field !== undefined)
  return waiting
    .filter((option) => !isDeepStrictEqual(saidOf(option, before), saidOf(option, after)))
    .map(({ name }) => name)
}

/** What is not said is the default, where that is a value. */
function saidOf(option: Option, wishes: TunnelWishes | InstanceOptions): unknown {
  const value = (wishes as Readonly<Record<string, unknown>>)[option.field!]
  return value === undefined && 'standard' in option ? option.standard : value
}
