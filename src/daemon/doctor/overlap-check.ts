// Networks that are in each other's way: containers here and the underlay, the networks behind the other host and those of this
// one. Pure.

import { type Cidr, overlap, readCidr } from '../../host/cidr.js'
import type { Device } from '../../host/devices.js'
import type { Route } from '../../host/routes.js'
import type { Address } from '../../sys/address.js'
import { type Finding, fine, found } from './finding.js'

export interface Networks {
  readonly bridge: string | undefined
  readonly tap: string | undefined
  readonly devices: readonly Device[]
  readonly routes: readonly Route[]
  /** Networks behind the other host that were asked for. */
  readonly wanted: readonly string[]
  readonly remotes: readonly Address[]
}

const WAY_OUT = 'give docker0 another network: tsgre docker apply --bip ADDRESS/LENGTH'

export function checkOverlap(networks: Networks): Finding[] {
  const findings = [...remoteInside(networks), ...bridgeOverOthers(networks), ...behindOverOthers(networks)]
  return findings.length > 0 ? findings : [fine('overlap', 'no networks overlap')]
}

/** Devices of the overlay. */
function isInside(name: string | undefined, { bridge, tap }: Networks): boolean {
  return name !== undefined && (name === bridge || name === tap)
}

function ownNetworks(networks: Networks): Cidr[] {
  return networks.devices
    .filter(({ name }) => isInside(name, networks))
    .flatMap(({ addresses }) => addresses.filter(isWide))
}

/** Link-local networks are on every device, and single addresses have no neighbours. */
function isWide({ network, family, prefixLength }: Cidr): boolean {
  return !network.startsWith('fe80:') && prefixLength < (family === 4 ? 32 : 128)
}

function remoteInside(networks: Networks): Finding[] {
  return networks.remotes.flatMap(({ text }) => {
    const own = ownNetworks(networks).find((network) => network.contains(text))
    if (!own) return []
    const words = `the other host ${text} lies in ${own.network}, the network of the containers here`
    return [found('overlap-remote', words, WAY_OUT)]
  })
}

function bridgeOverOthers(networks: Networks): Finding[] {
  return ownNetworks(networks).flatMap((own) => {
    const other = foreign(networks).find(({ network }) => overlap(network, own))
    if (other) {
      const words = `${own.network} of ${networks.bridge ?? networks.tap} overlaps ${other.network.network} on ${other.name}`
      return [found('overlap-network', words, WAY_OUT)]
    }
    const part = networks.routes.find(({ dev, destination }) => !isInside(dev, networks) && isPart(destination, own))
    if (!part) return []
    const words = `the route "${part.text}" takes a part of ${own.network}, the network of the containers here, elsewhere`
    return [found('overlap-route', words, `ip route del ${part.text}, or: ${WAY_OUT}`)]
  })
}

/** Networks on devices that are not the tunnel's: the underlay, other bridges. */
function foreign(networks: Networks): { name: string; network: Cidr }[] {
  return networks.devices
    .filter(({ name, loopback }) => !loopback && !isInside(name, networks))
    .flatMap(({ name, addresses }) => addresses.filter(isWide).map((network) => ({ name, network })))
}

function isPart(destination: string, of: Cidr): boolean {
  const cidr = readCidr(destination)
  return cidr !== undefined && cidr.prefixLength >= of.prefixLength && of.contains(cidr.address)
}

/** Those that were asked for, and those that a route leads to through the tunnel. */
function behindOverOthers(networks: Networks): Finding[] {
  const routed = networks.routes.filter(({ dev, protocol }) => isInside(dev, networks) && protocol !== 'kernel')
  const behind = new Set([...networks.wanted, ...routed.map(({ destination }) => destination)])
  return [...behind].flatMap((text) => {
    const cidr = readCidr(text)
    if (!cidr || cidr.prefixLength === 0) return []
    const remote = networks.remotes.find((one) => cidr.contains(one.text))
    if (remote)
      return [
        found(
          'overlap-remote',
          `the other host ${remote.text} lies in ${text}, which is routed into the tunnel`,
          NARROWER,
        ),
      ]
    const other = foreign(networks).find(({ network }) => overlap(network, cidr))
    const own = ownNetworks(networks).find((network) => isPart(cidr.network, network))
    if (!other && !own) return []
    const where = other
      ? `${other.network.network} on ${other.name}`
      : `${own!.network}, the network of the containers here`
    return [found('overlap-network', `${text}, behind the other host, overlaps ${where}`, APART)]
  })
}

const NARROWER = "name only the network of the other host's containers with --route"
const APART = 'give the two hosts networks of their own: tsgre pair prints the commands'
