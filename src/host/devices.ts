// The network devices of this host as facts, all of them at once, with their addresses. Reads only; what is to be changed about
// one is planned in links.ts.

import { type Cidr, readCidr } from './cidr.js'
import { type Execute, execute } from './execute.js'
import { ipJson } from './ip-json.js'

export interface Device {
  readonly name: string
  /** 'bridge', 'tun', 'gretap', …; '' for a plain one. */
  readonly kind: string
  readonly up: boolean
  /** Whether something is at its other end; of a TAP, a program. */
  readonly carrier: boolean
  readonly loopback: boolean
  readonly mtu: number
  readonly master: string | undefined
  /** Of a bridge: whether it speaks spanning tree. */
  readonly stp: boolean
  /** Of a port of a bridge: 'forwarding', 'listening', 'blocking', … */
  readonly portState: string | undefined
  /** Of a GRE device. */
  readonly gre: { readonly local: string; readonly remote: string; readonly ikey: number | undefined } | undefined
  readonly addresses: readonly Cidr[]
}

interface LinkJson {
  readonly ifname: string
  readonly flags: readonly string[]
  readonly mtu: number
  readonly master?: string
  readonly linkinfo?: {
    readonly info_kind?: string
    readonly info_data?: {
      readonly stp_state?: number
      readonly local?: string
      readonly remote?: string
      readonly ikey?: string
    }
    readonly info_slave_data?: { readonly state?: string }
  }
}

interface AddressJson {
  readonly ifname: string
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[]
}

export async function readDevices(run: Execute = execute): Promise<Device[]> {
  const [links, addresses] = await Promise.all([
    ipJson<LinkJson>(run, ['-details', 'link', 'show']),
    ipJson<AddressJson>(run, ['address', 'show']),
  ])
  return links.map((link) =>
    deviceOf(
      link,
      addresses.find(({ ifname }) => ifname === link.ifname),
    ),
  )
}

function deviceOf({ ifname, flags, mtu, master, linkinfo }: LinkJson, found: AddressJson | undefined): Device {
  const kind = linkinfo?.info_kind ?? ''
  const data = linkinfo?.info_data
  return {
    name: ifname,
    kind,
    up: flags.includes('UP'),
    carrier: !flags.includes('NO-CARRIER'),
    loopback: flags.includes('LOOPBACK'),
    mtu,
    master,
    stp: kind === 'bridge' && (data?.stp_state ?? 0) !== 0,
    portState: linkinfo?.info_slave_data?.state,
    gre: /gre/.test(kind)
      ? { local: data?.local ?? 'any', remote: data?.remote ?? 'any', ikey: keyOf(data?.ikey) }
      : undefined,
    addresses: (found?.addr_info ?? []).flatMap(({ local, prefixlen }) => readCidr(`${local}/${prefixlen}`) ?? []),
  }
}

/** iproute2 writes keys dotted. */
function keyOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : text.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
}
