// The bridge and the TAP: there, up, together, and in whose hands. Looks at facts that were read, asks nothing itself.

import type { Device } from '../../host/devices.js'
import type { Holders } from '../../host/tap-holders.js'
import { type Finding, fine, found } from './finding.js'
import type { Subject } from './subject.js'

const ROOT = 'run it as root'

/** `named`: whether somebody asked for this bridge; docker0 may be missing otherwise. */
export function checkBridge(
  name: string | undefined,
  named: boolean,
  tap: string | undefined,
  devices: readonly Device[],
): Finding[] {
  if (name === undefined) return [fine('bridge', named ? 'none, as asked' : 'none: there is no docker0')]
  const bridge = devices.find((device) => device.name === name)
  if (!bridge)
    return [
      found(
        'bridge-missing',
        `there is no device ${name}`,
        `ip link add ${name} type bridge && ip link set ${name} up`,
      ),
    ]
  if (bridge.kind !== 'bridge') {
    const kind = bridge.kind || 'a plain device'
    return [found('not-a-bridge', `${name} is no bridge (${kind})`, 'name a bridge: ip link show type bridge')]
  }
  const findings = [
    ...(bridge.up ? [] : [found('bridge-down', `${name} is down: it forwards nothing`, `ip link set ${name} up`)]),
    ...checkPortMtus(bridge, tap, devices),
  ]
  const addresses = bridge.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`)
  const ports = devices.filter(({ master }) => master === name).length
  const has = `${addresses.length > 0 ? addresses.join(' ') : 'no address'}, spanning tree ${bridge.stp ? 'on' : 'off'}`
  return findings.length > 0 ? findings : [fine('bridge', `${name} is up, MTU ${bridge.mtu}, ${has}, ${ports} ports`)]
}

/** A bridge takes the smallest MTU of its ports, and drops what is larger without a word. */
function checkPortMtus(bridge: Device, tap: string | undefined, devices: readonly Device[]): Finding[] {
  const ports = devices.filter(({ master }) => master === bridge.name)
  const own = ports.find(({ name }) => name === tap)
  const others = ports.filter(({ name }) => name !== tap).map(({ mtu }) => mtu)
  const least = Math.min(...others)
  if (!own || others.length === 0 || own.mtu >= least) return []
  const text = `${own.name} has MTU ${own.mtu}, the other ports of ${bridge.name} at least ${least}: larger frames are dropped`
  return [found('tap-mtu-small', text, `ip link set ${own.name} mtu ${least}, or tsgre without --mtu`)]
}

/** `runs`: whether a tsgre says that it is on this TAP. */
export function checkTap(
  { tap: name, runs }: Pick<Subject, 'tap' | 'runs'>,
  bridge: string | undefined,
  devices: readonly Device[],
  holders: Holders,
): Finding[] {
  if (name === undefined) return [fine('tap', 'none named (--tap)')]
  const tap = devices.find((device) => device.name === name)
  if (!tap)
    return [found('tap-missing', `there is no ${name}: no tunnel runs on it`, `tsgre --remote ADDRESS --tap ${name}`)]
  if (tap.kind !== 'tun')
    return [found('not-a-tap', `${name} is no TAP (${tap.kind || 'a plain device'})`, 'choose another --tap')]
  const findings = [
    ...checkHolders(tap, runs, holders),
    ...checkState(tap, runs, holders),
    ...checkPort(tap, bridge, devices),
  ]
  const [known] = holders.seen
  const holder = known ? `, held by process ${known.pid}` : ', held by a process that may not be looked at'
  const where = tap.master ? ` in ${tap.master}` : ''
  return findings.length > 0 ? findings : [fine('tap', `${name} is up${where}, MTU ${tap.mtu}${holder}`)]
}

/** Without a process that has it open a TAP has no carrier (drivers/net/tun.c, __tun_detach). */
function checkHolders({ name, carrier }: Device, runs: boolean, { seen, hidden }: Holders): Finding[] {
  const [holder] = seen
  if (!holder && (carrier || runs)) return []
  if (!holder && hidden)
    return [
      found('tap-holder-unknown', `whether a process holds ${name} cannot be told: not all may be looked at`, ROOT),
    ]
  if (!holder)
    return [found('tap-not-held', `nobody holds ${name}: no tunnel runs on it`, `tsgre --remote ADDRESS --tap ${name}`)]
  if (/tsgre|node/.test(holder.command)) return []
  const text = `${name} is held by process ${holder.pid} (${holder.command.slice(0, 60)}), which does not look like tsgre`
  return [found('tap-held-by-other', text, 'end it, or choose another --tap')]
}

function checkState({ name, up, carrier }: Device, runs: boolean, { seen }: Holders): Finding[] {
  if (!up) return [found('tap-down', `${name} is down: no frame passes it`, `ip link set ${name} up`)]
  if (carrier || (seen.length === 0 && !runs)) return []
  const why = 'its tsgre has taken the carrier away: with --carrier, because no remote answers'
  return [found('tap-no-carrier', `${name} has no carrier: ${why}`, 'see tsgre status')]
}

function checkPort(
  { name, up, master, portState }: Device,
  bridge: string | undefined,
  devices: readonly Device[],
): Finding[] {
  if (bridge === undefined || !devices.some((device) => device.name === bridge)) return []
  if (master !== bridge) {
    const is = master ? `is a port of ${master}` : 'is no port of a bridge'
    return [found('tap-not-in-bridge', `${name} ${is}, not of ${bridge}`, `ip link set ${name} master ${bridge}`)]
  }
  // Before it has carrier a port is disabled.
  if (!up || portState === undefined || portState === 'forwarding' || portState === 'disabled') return []
  const until = portState === 'blocking' ? 'spanning tree has found a loop' : 'spanning tree waits before it forwards'
  const remedy =
    portState === 'blocking'
      ? `take the second way between the two bridges away, or see bridge link show dev ${name}`
      : `wait, or: ip link set ${bridge} type bridge stp_state 0 forward_delay 0`
  return [found('tap-blocked', `${name} is ${portState} in ${bridge}: ${until}`, remedy)]
}
