// Between which networks this host forwards packets for the tunnel: routed from its bridge back into it, or only bridged and
// yet shown to iptables (br_netfilter).

import { readFile } from 'node:fs/promises'
import { type Cidr, overlap, readCidr } from '../host/cidr.js'
import { findEngine } from '../host/docker-engine.js'
import { readDaemonJson } from '../host/docker-file.js'
import { flagOf } from '../host/docker-flags.js'
import { settingsOf } from '../host/docker-settings.js'
import type { Pair } from '../host/firewall.js'
import { listAddresses, parseCidr } from '../host/routes.js'

/** With routes, each network of the bridge with each behind the other host; without, the two parts of the bridge's own. */
export async function forwardedPairs(bridge: string, routes: readonly string[]): Promise<Pair[]> {
  const networks = await networksOf(bridge)
  if (routes.length === 0) return await bridgedPairs(networks)
  return routes
    .map(parseCidr)
    .flatMap((remote) =>
      networks
        .filter(({ family }) => family === remote.family)
        .map((local) => ({ local: local.network, remote: remote.network, tellOnly: overlap(local, remote) })),
    )
}

/**
 * One network over both hosts: its packets are let through where it is known which of its addresses are on this host. With
 * `local` for all of them the rules would open containers of one host to each other, which --icc=false forbids.
 */
async function bridgedPairs(networks: readonly Cidr[]): Promise<Pair[]> {
  const shown = await readFile('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8').catch(() => '0')
  if (shown.trim() === '0') return []
  const part = readCidr((await fixedCidr()) ?? '')
  return networks
    .filter(({ family }) => family === 4)
    .map((network) => {
      const known = part && part.prefixLength > network.prefixLength && network.contains(part.address)
      if (known) return { local: part.network }
      return { local: network.network, remote: network.network, tellOnly: true }
    })
}

async function networksOf(bridge: string): Promise<Cidr[]> {
  const addresses = (await listAddresses()).filter(({ dev, address }) => dev === bridge && !address.startsWith('fe80:'))
  return addresses.flatMap(({ address, prefixLength }) => readCidr(`${address}/${prefixLength}`) ?? [])
}

/** From which addresses the engine of this host, if there is one, gives to its containers. */
async function fixedCidr(): Promise<string | undefined> {
  try {
    const engine = await findEngine()
    if (!engine) return undefined
    const flag = flagOf(engine.flags, 'fixed-cidr')?.value
    return flag ?? settingsOf(await readDaemonJson(engine.configFile))['fixed-cidr']
  } catch {
    return undefined // a daemon.json that cannot be read says nothing
  }
}
