// Whether the addresses meant for docker0 can work: as dockerd would find out only at its next start, with every
// container down, or not at all. Pure.

import { ConfigError } from '../errors.js'
import { type Cidr, lastAddress, overlap, parseCidr, readCidr } from './cidr.js'
import type { HostAddress, Route } from './routes.js'

const BRIDGE = 'docker0'
const FLAT_LENGTH = 16

/**
 * Reads a bridge address: a host's, with its mask.
 * @throws ConfigError TSGRE_BAD_BIP
 */
export function validateBip(bip: string): Cidr {
  const cidr = readCidr(bip)
  if (!cidr) refuse('bip', bip, 'takes an IPv4 address with its prefix length, as in 10.103.100.1/24')
  if (cidr.family === 6) refuse('bip', bip, 'dockerd takes IPv4 here, as in 10.103.100.1/24 (IPv6 is fixed-cidr-v6)')
  const { address, prefixLength, network } = cidr
  if (prefixLength > 30) refuse('bip', bip, `/${prefixLength} leaves no address for a container; /30 is the least`)
  const first = Number(address.split('.')[0])
  if (first === 0 || first === 127 || first >= 224) refuse('bip', bip, `${address} is no address a host can have`)
  const host = hostIn(cidr)
  if (network === `${address}/${prefixLength}`)
    refuse('bip', bip, `${address} is the network itself; did you mean ${host}?`)
  if (address === lastAddress(cidr))
    refuse('bip', bip, `${address} is the network's broadcast address; did you mean ${host}?`)
  return cidr
}

/**
 * Reads the range containers get their addresses from; dockerd does not mind one outside the bridge's network, and its
 * containers then reach nothing.
 * @throws ConfigError TSGRE_BAD_BIP
 */
export function validateFixedCidr(fixedCidr: string, bip: Cidr): Cidr {
  const cidr = readCidr(fixedCidr)
  if (cidr?.family !== 4) refuse('fixed-cidr', fixedCidr, 'takes an IPv4 network, as in 10.103.100.128/25')
  if (cidr.network !== `${cidr.address}/${cidr.prefixLength}`)
    refuse('fixed-cidr', fixedCidr, `has host bits set; did you mean ${cidr.network}?`)
  if (cidr.prefixLength < bip.prefixLength || !bip.contains(cidr.address))
    refuse('fixed-cidr', fixedCidr, `is not inside the bridge's network ${bip.network}; choose a part of that`)
  return cidr
}

/**
 * @throws ConfigError TSGRE_BAD_MTU
 */
export function validateMtu(mtu: number): void {
  // 68 is all IPv4 asks of a link, but every host must take a packet of 576 bytes whole (RFC 791 §3.1) and programs count
  // on it; above, the length field of IPv4 ends.
  if (Number.isInteger(mtu) && mtu >= 576 && mtu <= 65535) return
  const words = `--mtu ${mtu}: takes a whole number from 576 to 65535; 1462 fits a GRE tunnel over Ethernet`
  throw new ConfigError('TSGRE_BAD_MTU', 'mtu', mtu, words)
}

/** One network for both hosts: the bridge in the whole of it, containers in the part the bip named. */
export interface Flat {
  readonly bip: string
  readonly fixedCidr: string
}

/**
 * Makes the /16 around a bip the bridge's network, so that the other host's containers are neighbours and need no route.
 * @throws ConfigError TSGRE_BAD_BIP
 */
export function flatten(bip: string): Flat {
  const part = validateBip(bip)
  if (part.prefixLength > FLAT_LENGTH) return { bip: `${part.address}/${FLAT_LENGTH}`, fixedCidr: part.network }
  const why = `with --flat it names this host's part of the /${FLAT_LENGTH} that both hosts share, and a`
  const wayOut = `/${part.prefixLength} leaves none for the other; write ${part.address}/24`
  refuse('bip', bip, `${why} ${wayOut}`)
}

/**
 * Refuses a bip whose network this host already uses otherwise. docker0's own address and what came with it may stay,
 * and so may a route that only covers the network (coveringRoutes).
 * @throws ConfigError TSGRE_BAD_BIP naming what is in the way
 */
export function refuseOverlap(bip: string, routes: readonly Route[], addresses: readonly HostAddress[]): void {
  const wanted = validateBip(bip)
  const bearable = coveringRoutes(bip, routes)
  for (const route of routes) {
    // Of docker0's own routes only the kernel's: one somebody added leads to the other host's containers.
    if (route.dev === BRIDGE && route.protocol === 'kernel') continue
    const network = readCidr(route.destination)
    // A VPN that takes everything over often says so in two halves, 0.0.0.0/1 and 128.0.0.0/1.
    if (network && network.prefixLength > 1 && overlap(wanted, network) && !bearable.includes(route))
      inTheWay(bip, wanted, `the route "${route.text}"`)
  }
  for (const { address, prefixLength, dev } of addresses) {
    const network = dev === BRIDGE ? undefined : readCidr(`${address}/${prefixLength}`)
    if (network && overlap(wanted, network)) inTheWay(bip, wanted, `the address ${address}/${prefixLength} of ${dev}`)
  }
}

/**
 * The routes that hold the bip's network and more: a company's 10.0.0.0/8 through its gateway. To cut a piece out of one is
 * what people do on purpose: docker0's own route is the more specific and wins, dockerd does not mind, and only the hosts of
 * that piece, if there are any, are out of reach. A connected network (the kernel's route) is another thing: its hosts are
 * neighbours. So is a route as long as the bip's or longer: one of the two would never be used. Default routes are not listed.
 */
export function coveringRoutes(bip: string, routes: readonly Route[]): Route[] {
  const wanted = validateBip(bip)
  return routes.filter(({ destination, protocol }) => {
    const network = readCidr(destination)
    if (!network || protocol === 'kernel' || network.prefixLength <= 1) return false
    return network.prefixLength < wanted.prefixLength && network.contains(wanted.address)
  })
}

/**
 * Refuses a bip that shares addresses with the network behind the other host.
 * @throws ConfigError TSGRE_BAD_BIP; TSGRE_BAD_ROUTE where the remote network is none
 */
export function refuseRemote(bip: string, remote: string): void {
  const wanted = validateBip(bip)
  const network = parseCidr(remote)
  if (!overlap(wanted, network)) return
  const what = `--route ${remote}, the network behind the other host`
  refuse(
    'bip',
    bip,
    `its network ${wanted.network} overlaps ${what}; the two hosts need different ones, or both --flat`,
  )
}

function inTheWay(bip: string, wanted: Cidr, what: string): never {
  refuse('bip', bip, `its network ${wanted.network} overlaps ${what} of this host; choose a network nobody here uses`)
}

/** The first address a host can have, as people mostly choose for a bridge. */
function hostIn(cidr: Cidr): string {
  const [network = ''] = cidr.network.split('/')
  return `${network.replace(/\d+$/, (last) => `${Number(last) + 1}`)}/${cidr.prefixLength}`
}

function refuse(option: 'bip' | 'fixed-cidr', value: string, why: string): never {
  throw new ConfigError('TSGRE_BAD_BIP', option, value, `--${option} ${value || '""'}: ${why}`)
}
