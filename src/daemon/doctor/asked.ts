// What the doctor is asked to look at: some of the options of a tunnel, read as the tunnel reads them. Names get the addresses that
// they have now; nothing else is looked up.

import type { ConfigError } from '../../errors.js'
import { parseCidr } from '../../host/cidr.js'
import { resolveEncapsulation } from '../../tunnel/encapsulation.js'
import type { PeerOptions } from '../../tunnel/peer-options.js'
import { listRemotes } from '../../tunnel/resolve-peers.js'
import { FollowNames } from '../follow-names.js'
import { tunnelWishes } from '../options/tunnel-wishes.js'

/** The options that matter here, by name. */
export const LOOKED_AT: ReadonlySet<string> = new Set([
  'tap',
  'bridge',
  'route',
  'remote',
  'local',
  'dev',
  'encap',
  'udp-port',
  'key',
  'ikey',
  'okey',
  'csum',
  'checksum',
  'seq',
])

/** With what was said for it alone; without an address where a name has none. */
export interface AskedRemote {
  readonly asked: PeerOptions
  readonly address: string | undefined
}

/** What is absent is as the running tunnel has it, or as a tunnel without it. Of `PeerOptions` what holds for all remotes. */
export interface Asked extends Omit<PeerOptions, 'remote'> {
  readonly remotes: readonly AskedRemote[]
  readonly tap?: string | undefined
  readonly bridge?: string | undefined
  readonly local?: string | undefined
  readonly dev?: string | undefined
  /** 'none': protocol 47, as it was asked for. */
  readonly udpPort?: number | 'none' | undefined
  readonly routes: readonly string[]
}

/** `typed`: by names of options. @throws ConfigError for what the tunnel would refuse, too */
export async function readAsked(typed: Readonly<Record<string, unknown>>): Promise<Asked> {
  const wishes = tunnelWishes(typed, refuseTyped)
  const { local, encap, udpPort } = wishes
  const names = new FollowNames(listRemotes(wishes.remote), local, SILENT)
  await names.once()
  return {
    remotes: names.list.map(({ asked, address }) => ({ asked, address })),
    tap: wishes.name as string | undefined,
    bridge: wishes.bridge,
    local,
    dev: wishes.dev,
    // Which UDP packets are taken besides is nothing that can be looked at.
    udpPort: encap === 'none' ? encap : resolveEncapsulation({ encap, udpPort }, 'mmsg', 4)?.port,
    key: wishes.key,
    checksum: wishes.checksum,
    sequence: wishes.sequence,
    receiveChecksum: wishes.receiveChecksum,
    routes: (wishes.routes ?? []).map((route) => parseCidr(route).network),
  }
}

/** A tunnel cannot be without a remote and a TAP, the doctor can. */
function refuseTyped(error: ConfigError): void {
  if (error.value !== undefined) throw error
}

/** A name without an address is told as a finding. */
const SILENT = { note() {}, warn() {} }
