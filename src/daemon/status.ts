// What a running tsgre tells of itself through its control socket: plain data, the JSON of `tsgre status --json`.

import type { DropReason } from '../drops.js'
import type { Offload } from '../offload/gso.js'
import type { ChecksumRule } from '../tunnel/peer-options.js'
import type { PeerStats } from '../tunnel/peer-stats.js'

/** Something that is not as it should be, in words for a person. */
export interface Problem {
  /** A stable name, `no-gre-there`, `key-mismatch`, … */
  readonly code: string
  /** What is wrong: "host 192.168.56.6 answers 'protocol unreachable': no GRE there". */
  readonly text: string
  /** How to mend it; empty where nobody knows. */
  readonly remedy: string
  /** The peer it is about. */
  readonly remote: string | undefined
}

export interface PeerStatus extends PeerStats {
  /** As it was given: a name, or the address. */
  readonly asked: string
  /** Whether a name has an address now. Where not, all counters are 0 and `remote` is empty. */
  readonly resolved: boolean
  /** What packets to it carry besides the key, and what is taken from it. */
  readonly checksum: boolean
  readonly sequence: boolean
  readonly receiveChecksum: ChecksumRule
}

export interface TunnelStatus {
  /** Of the TAP. */
  readonly name: string
  readonly state: 'starting' | 'up' | 'failed'
  readonly local: string
  /** Device or VRF that the underlay is bound to. */
  readonly dev: string | null
  /** Of the TAP, in bytes; and the largest payload that fits one packet to every peer. */
  readonly mtu: number
  readonly tunnelMtu: number
  readonly offload: Offload
  /** Port of GRE-in-UDP; null for GRE on protocol 47. */
  readonly udpPort: number | null
  readonly bridge: string | null
  readonly problems: readonly Problem[]
  readonly peers: readonly PeerStatus[]
  readonly txFrames: number
  readonly txBytes: number
  readonly rxFrames: number
  readonly rxBytes: number
  readonly drops: Readonly<Record<DropReason, number>>
  readonly fdb: { readonly entries: number; readonly limit: number }
}

export interface InstanceStatus {
  /** Of the configuration, or of the TAP where there is none. */
  readonly name: string
  readonly version: string
  readonly pid: number
  /** When it started, ISO 8601. */
  readonly since: string
  /** Its configuration file. */
  readonly config: string | null
  /** Capabilities of the process by set, as in capabilities(7): `cap_net_admin`. */
  readonly capabilities: { readonly effective: readonly string[]; readonly bounding: readonly string[] }
  readonly noNewPrivileges: boolean
  readonly user: string
  readonly tunnels: readonly TunnelStatus[]
}
