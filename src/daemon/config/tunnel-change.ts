// What of a running tunnel is asked for otherwise than before, and whether that takes it to be ended: a pure comparison, by the
// table of options.

import { isDeepStrictEqual } from 'node:util'
import type { PeerOptions } from '../../tunnel/peer-options.js'
import { listRemotes } from '../../tunnel/resolve-peers.js'
import type { Option } from '../options/option.js'
import { OPTIONS } from '../options/option-table.js'
import { readValue } from '../options/read-value.js'
import type { InstanceOptions, TunnelWishes } from '../options/wanted.js'

export interface TunnelChange {
  /** Names of the options, as in a file. */
  readonly keys: readonly string[]
  /** Whether all of it can be done while frames are carried. */
  readonly live: boolean
}

/**
 * What is said of a tunnel for all its remotes, taken away: a tunnel keeps to its end what it was opened with, and gives it to
 * every remote that says nothing. One that is opened with the remotes of remotesOf is opened with this.
 */
export const OF_EACH_REMOTE = {
  key: undefined,
  checksum: undefined,
  receiveChecksum: undefined,
  sequence: undefined,
} satisfies Omit<Record<keyof PeerOptions, undefined>, 'remote'>

/**
 * The remotes with all that counts for each: what one has not of its own it has of the tunnel, and what neither says is the
 * default. No key is the default of keys.
 */
export function remotesOf(wishes: Pick<TunnelWishes, keyof PeerOptions>): PeerOptions[] {
  const { key, checksum = false, receiveChecksum = 'accept', sequence = false } = wishes
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

/** What is not said is the default, where that is a value: in the table it stands as one types it. */
function saidOf(option: Option, wishes: TunnelWishes | InstanceOptions): unknown {
  const value = (wishes as Readonly<Record<string, unknown>>)[option.field!]
  if (value !== undefined || !('standard' in option) || option.standard === undefined) return value
  return readValue(option, option.standard)
}
