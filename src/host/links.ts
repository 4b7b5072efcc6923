// Network devices of this host: what they are, and a TAP as port of a bridge. A port's IPv6 addresses would answer beside
// the bridge's, so a port gets none. Invariant: what is undone is as it was found, and a device that is gone needs nothing.

import { HostError } from '../errors.js'
import type { Change, Undo } from './change.js'
import { type Execute, execute } from './execute.js'
import { ipJson } from './ip-json.js'

/** Whoever may write a journal must not have root give `ip link set` other words: `xdp` would load a program. */
const OURS = /^(up|down|nomaster|master \S+|addrgenmode [a-z_0-9]+|mtu \d+( address [\da-f:]+)?)$/

/** The fields used of `ip -json -details link show`. */
interface LinkState {
  readonly ifname: string
  readonly flags: readonly string[]
  readonly mtu: number
  /** Hardware address; null where the device has none. */
  readonly address: string | null
  readonly master?: string
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: { readonly vnet_hdr?: boolean } }
  /** Absent where the device has no IPv6: switched off, or an MTU below 1280. */
  readonly inet6_addr_gen_mode?: string
}

type UndoOf<K extends Undo['kind']> = Extract<Undo, { kind: K }>

/** A TAP as the kernel makes it. */
const FRESH: LinkState = { ifname: '', flags: [], mtu: 1500, address: '', inet6_addr_gen_mode: 'eui64' }

/** The fields used of `ip -json -6 address show`. */
interface AddressState {
  /** An empty object stands for each address that the question left out. */
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[]
}

/** 'bridge', 'tun' (a TAP too), 'veth', …; '' for a plain device; undefined when there is no such device. */
export async function linkKind(name: string, run: Execute = execute): Promise<string | undefined> {
  const state = await linkState(name, run)
  return state && (state.linkinfo?.info_kind ?? '')
}

export async function isBridge(name: string, run: Execute = execute): Promise<boolean> {
  return (await linkKind(name, run)) === 'bridge'
}

/** The bridge (or bond, or VRF) the device is a port of. */
export async function linkMaster(name: string, run: Execute = execute): Promise<string | undefined> {
  return (await linkState(name, run))?.master
}

/** Has a bridge forget what it has learnt (dynamic entries alone). */
export async function flushBridge(name: string, run: Execute = execute): Promise<void> {
  await run('ip', ['link', 'set', 'dev', name, 'type', 'bridge', 'fdb_flush'])
}

/** In bytes; of a TAP still to be made, what the kernel gives it. */
export async function linkMtu(name: string, run: Execute = execute): Promise<number> {
  return ((await linkState(name, run)) ?? FRESH).mtu
}

/**
 * What is left to do for `tap` to be a port of `bridge`, up, with no IPv6 address of its own. A TAP still to be made is
 * planned for as the kernel makes it. `beforeJoining` comes when the TAP can have no IPv6 address any more: of an MTU below
 * 1280 the kernel knows no mode of their generation, and setting it fails.
 */
export async function planPort(
  tap: string,
  bridge: string,
  beforeJoining: readonly Change[] = [],
  run: Execute = execute,
): Promise<Change[]> {
  const found = (await linkState(tap, run)) ?? FRESH
  const changes = [...(await planNoLinkLocal(tap, found, run)), ...beforeJoining]
  if (found.master !== bridge) {
    const what = `${tap} in ${bridge}`
    changes.push(setting(tap, what, ['master', bridge], found.master ? ['master', found.master] : ['nomaster']))
  }
  return [...changes, ...planRaise(tap, found)]
}

/** What is left to do for the device to be up. */
export async function planUp(name: string, run: Execute = execute): Promise<Change[]> {
  return planRaise(name, (await linkState(name, run)) ?? FRESH)
}

/**
 * The ways back to a TAP as it is now, for one that is taken over; of one still to be made there are none. To be kept
 * before the TAP is opened: with its carrier the kernel may make it a link-local address.
 */
export async function planKeep(tap: string, run: Execute = execute): Promise<Change[]> {
  const found = await linkState(tap, run)
  if (!found?.address) return [] // a TUN has none, and is refused when it is opened
  const set = ['mtu', `${found.mtu}`, 'address', found.address]
  const vnetHeader = found.linkinfo?.info_data?.vnet_hdr === true
  return [
    { what: `MTU and address of ${tap}`, undo: { kind: 'link', name: tap, set } },
    { what: `offload of ${tap}`, undo: { kind: 'tap', name: tap, vnetHeader } },
    {
      what: `link-local addresses of ${tap}`,
      undo: { kind: 'link-locals', name: tap, addresses: await linkLocals(tap, run) },
    },
  ]
}

/** `ip link set`, where a device that vanished is as good as done, and a master that vanished is none. */
export async function undoLink({ name, set }: UndoOf<'link'>, run: Execute): Promise<void> {
  if (!OURS.test(set.join(' ')))
    throw new HostError(
      'TSGRE_COMMAND_FAILED',
      name,
      '',
      `${JSON.stringify(set)} of ${name} is no setting tsgre changes`,
    )
  const [word, master] = set
  const back = word === 'master' && master && !(await linkState(master, run)) ? ['nomaster'] : set
  try {
    await run('ip', ['link', 'set', 'dev', name, ...back])
  } catch (error) {
    if (await linkState(name, run)) throw error
  }
}

/** By hand: setting the mode of address generation back makes no address on a device that stays up. */
export async function undoLinkLocals({ name, addresses }: UndoOf<'link-locals'>, run: Execute): Promise<void> {
  if (!(await linkState(name, run))) return
  const present = await linkLocals(name, run)
  for (const address of present.filter((one) => !addresses.includes(one)))
    await run('ip', ['-6', 'address', 'del', address, 'dev', name])
  for (const address of addresses.filter((one) => !present.includes(one)))
    await run('ip', ['-6', 'address', 'add', address, 'dev', name, 'scope', 'link'])
}

function planRaise(name: string, found: LinkState): Change[] {
  return found.flags.includes('UP') ? [] : [setting(name, `${name} up`, ['up'], ['down'])]
}

/** Mode `none` keeps the kernel from making a link-local address; those already made are taken away. */
async function planNoLinkLocal(tap: string, found: LinkState, run: Execute): Promise<Change[]> {
  const mode = found.inet6_addr_gen_mode
  const addresses = found === FRESH ? [] : await linkLocals(tap, run)
  const changes: Change[] = []
  if (mode !== undefined && mode !== 'none') {
    const what = `no IPv6 address generation on ${tap}`
    changes.push(setting(tap, what, ['addrgenmode', 'none'], ['addrgenmode', mode]))
  }
  // After the mode: before it, a carrier that comes late would make the address anew.
  if (addresses.length > 0) {
    changes.push({
      what: `no link-local address on ${tap}`,
      action: { run: ['ip', '-6', 'address', 'flush', 'dev', tap, 'scope', 'link'] },
      undo: { kind: 'link-locals', name: tap, addresses },
    })
  }
  return changes
}

function setting(name: string, what: string, set: readonly string[], back: readonly string[]): Change {
  return {
    what,
    action: { run: ['ip', 'link', 'set', 'dev', name, ...set] },
    undo: { kind: 'link', name, set: back },
  }
}

async function linkLocals(name: string, run: Execute): Promise<string[]> {
  const [state] = await ipJson<AddressState>(run, ['-6', 'address', 'show', 'dev', name, 'scope', 'link'])
  return (state?.addr_info ?? []).flatMap(({ local, prefixlen }) => (local ? [`${local}/${prefixlen}`] : []))
}

async function linkState(name: string, run: Execute): Promise<LinkState | undefined> {
  try {
    return (await ipJson<LinkState>(run, ['-details', 'link', 'show', 'dev', name]))[0]
  } catch (error) {
    if (error instanceof HostError && /does not exist|Cannot find device/.test(error.stderr)) return undefined
    throw error
  }
}
