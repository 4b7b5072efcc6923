// Network devices of this host: what they are, and a TAP as port of a bridge. A port's IPv6 addresses would answer beside
// the bridge's, so a port gets none. Invariant: undo puts back what was found, and a device that is gone needs none.

import { HostError } from '../errors.js'
import { type Execute, execute } from './execute.js'
import { ipJson } from './ip-json.js'
import type { UndoStack } from './undo.js'

/** The fields used of `ip -json -details link show`. */
interface LinkState {
  readonly ifname: string
  readonly flags: readonly string[]
  readonly master?: string
  readonly linkinfo?: { readonly info_kind?: string }
  /** Absent where the device has no IPv6: switched off, or an MTU below 1280. */
  readonly inet6_addr_gen_mode?: string
}

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

/** Makes `tap` a port of `bridge`, up and with no IPv6 address of its own. */
export async function attachToBridge(
  tap: string,
  bridge: string,
  undo: UndoStack,
  run: Execute = execute,
): Promise<void> {
  const found = await presentLink(tap, run)
  await withoutLinkLocal(tap, found, undo, run)
  if (found.master !== bridge) {
    const before = found.master
    undo.push(before ? `${tap} back into ${before}` : `${tap} out of ${bridge}`, async () => {
      const back = before && (await linkState(before, run)) ? ['master', before] : ['nomaster']
      await setIfPresent(tap, back, run)
    })
    await run('ip', ['link', 'set', 'dev', tap, 'master', bridge])
  }
  await raise(tap, found, undo, run)
}

/**
 * Remembers the link-local addresses of a device that may be there; its undo takes away those that came since. To be called
 * before a TAP gets its carrier, with which the kernel makes one on a TAP that is up.
 */
export async function keepLinkLocals(name: string, undo: UndoStack, run: Execute = execute): Promise<void> {
  if (!(await linkState(name, run))) return
  const found = await linkLocals(name, run)
  undo.push(`no other link-local addresses on ${name} than before`, async () => {
    if (!(await linkState(name, run))) return
    const since = (await linkLocals(name, run)).filter((address) => !found.includes(address))
    for (const address of since) await run('ip', ['-6', 'address', 'del', address, 'dev', name])
  })
}

/** Sets the device up; its undo sets it down, unless it was up before. */
export async function setUp(name: string, undo: UndoStack, run: Execute = execute): Promise<void> {
  await raise(name, await presentLink(name, run), undo, run)
}

async function raise(name: string, found: LinkState, undo: UndoStack, run: Execute): Promise<void> {
  if (found.flags.includes('UP')) return
  undo.push(`${name} down`, () => setIfPresent(name, ['down'], run))
  await run('ip', ['link', 'set', 'dev', name, 'up'])
}

/** Mode `none` keeps the kernel from making a link-local address; those already made are taken away. */
async function withoutLinkLocal(tap: string, found: LinkState, undo: UndoStack, run: Execute): Promise<void> {
  const mode = found.inet6_addr_gen_mode
  const addresses = await linkLocals(tap, run)
  if (addresses.length > 0) {
    undo.push(`${addresses.join(', ')} back on ${tap}`, () => giveBack(tap, addresses, run))
  }
  if (mode !== undefined && mode !== 'none') {
    undo.push(`IPv6 address generation of ${tap} back to ${mode}`, () => setIfPresent(tap, ['addrgenmode', mode], run))
    await run('ip', ['link', 'set', 'dev', tap, 'addrgenmode', 'none'])
  }
  // After the mode: before it, a carrier that comes late would make the address anew.
  if (addresses.length > 0) await run('ip', ['-6', 'address', 'flush', 'dev', tap, 'scope', 'link'])
}

async function linkLocals(name: string, run: Execute): Promise<string[]> {
  const [state] = await ipJson<AddressState>(run, ['-6', 'address', 'show', 'dev', name, 'scope', 'link'])
  return (state?.addr_info ?? []).flatMap(({ local, prefixlen }) => (local ? [`${local}/${prefixlen}`] : []))
}

/** Setting the mode back makes no address on a device that stays up, hence by hand. */
async function giveBack(tap: string, addresses: readonly string[], run: Execute): Promise<void> {
  if (!(await linkState(tap, run))) return
  const has = await linkLocals(tap, run)
  for (const address of addresses) {
    if (!has.includes(address)) await run('ip', ['-6', 'address', 'add', address, 'dev', tap, 'scope', 'link'])
  }
}

/** `ip link set`, where a device that vanished is as good as done. */
async function setIfPresent(name: string, change: readonly string[], run: Execute): Promise<void> {
  try {
    await run('ip', ['link', 'set', 'dev', name, ...change])
  } catch (error) {
    if (await linkState(name, run)) throw error
  }
}

async function presentLink(name: string, run: Execute): Promise<LinkState> {
  const state = await linkState(name, run)
  if (state) return state
  throw new HostError('TSGRE_COMMAND_FAILED', `ip link show dev ${name}`, '', `there is no device ${name}`)
}

async function linkState(name: string, run: Execute): Promise<LinkState | undefined> {
  try {
    return (await ipJson<LinkState>(run, ['-details', 'link', 'show', 'dev', name]))[0]
  } catch (error) {
    if (error instanceof HostError && /does not exist|Cannot find device/.test(error.stderr)) return undefined
    throw error
  }
}
