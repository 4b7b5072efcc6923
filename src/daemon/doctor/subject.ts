// What the doctor looks at: one tunnel, as it was asked for on the command line or as a running tsgre tells of it. Plain data; an
// address is read and checked before it gets here.

import type { Address } from '../../sys/address.js'
import type { ChecksumRule } from '../../tunnel/peer-options.js'
import type { InstanceStatus, PeerStatus, Problem } from '../status.js'
import type { Difference } from './differences.js'

/** Asks every tsgre that runs in this network namespace how it is; an empty list where none does, or none can be asked. */
export type ReadStatus = () => Promise<InstanceStatus[]>

export interface Target {
  readonly address: Address
  /** As it was asked for: a name, or the address. */
  readonly asked: string
  readonly keyIn: number | undefined
  readonly keyOut: number | undefined
  /** Whether checksums and sequence numbers are sent, and which packets are taken. */
  readonly checksum: boolean
  readonly sequence: boolean
  readonly receiveChecksum: ChecksumRule
  /** What a running tsgre knows of it; undefined where that has another tunnel to it than is asked for. */
  readonly peer: PeerStatus | undefined
  /** In what it is another. */
  readonly differs: readonly Difference[]
}

/** A remote that cannot be looked at. */
export interface Nameless {
  /** As it was asked for. */
  readonly name: string
  /** What is behind the name in a sentence. */
  readonly why: string
}

export interface KeyFrom {
  readonly remote: string
  readonly key: number | 'none'
}

export interface Subject {
  readonly tap: string | undefined
  /** Whether a tsgre that runs here says that it is on that TAP. */
  readonly runs: boolean
  /** What it tells of itself, as far as the remotes here are concerned; undefined where none runs. */
  readonly problems: readonly Problem[] | undefined
  /** 'none' for none; undefined for docker0 where there is one. */
  readonly bridge: string | undefined
  readonly local: Address | undefined
  readonly dev: string | undefined
  /** Of GRE-in-UDP; undefined for protocol 47. */
  readonly udpPort: number | undefined
  /** Networks behind the other host. */
  readonly routes: readonly string[]
  readonly targets: readonly Target[]
  readonly nameless: readonly Nameless[]
  /** Keys other tunnels of this host expect, with the remote they expect them from. */
  readonly otherKeys: readonly KeyFrom[]
  /** Keys that other tunnels of this host have had from a remote of late, and no tunnel here expects. */
  readonly strayKeys: readonly KeyFrom[]
}
