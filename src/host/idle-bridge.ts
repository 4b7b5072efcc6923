// A bridge without a carrier has no link-local IPv6 address yet; a tunnel's TAP gives it the carrier, the kernel then makes
// the address, and it stays when the TAP has left. This puts such a bridge back to where it was: to get one with its next
// carrier. (net/ipv6/addrconf.c: a device that was ready once is not configured again until IPv6 was off on it.)

import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import type { Change, Undo } from './change.js'
import { type Execute, execute } from './execute.js'
import { ipJson } from './ip-json.js'

interface Links {
  readonly flags: readonly string[]
}

interface Addresses {
  readonly addr_info?: readonly { readonly scope?: string; readonly local?: string }[]
}

interface Routes {
  readonly protocol?: string
}

/** The way back to a bridge that has neither a carrier nor an IPv6 address now; nothing for any other. */
export async function planIdleBridge(bridge: string, run: Execute = execute): Promise<Change[]> {
  const [link] = await ipJson<Links>(run, ['link', 'show', 'dev', bridge])
  if (!link || link.flags.includes('LOWER_UP') || (await scopes(bridge, run)).length > 0) return []
  return [{ what: `link-local address of ${bridge}`, undo: { kind: 'idle-bridge', bridge } }]
}

/** Leaves a bridge alone that others use by now: one with a carrier, an address or a route somebody gave it. */
export async function undoIdleBridge(
  { bridge }: Extract<Undo, { kind: 'idle-bridge' }>,
  run: Execute = execute,
): Promise<void> {
  const switchFile = `/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`
  if (!existsSync(switchFile)) return
  const ports = await ipJson<Links>(run, ['link', 'show', 'master', bridge])
  const given = await scopes(bridge, run)
  if (ports.some(({ flags }) => flags.includes('LOWER_UP')) || given.length === 0) return
  const routes = await ipJson<Routes>(run, ['-6', 'route', 'show', 'dev', bridge])
  if (given.some((scope) => scope !== 'link') || routes.some(({ protocol }) => protocol !== 'kernel')) return
  await writeFile(switchFile, '1')
  await writeFile(switchFile, '0')
}

/** Of its IPv6 addresses. */
async function scopes(bridge: string, run: Execute): Promise<string[]> {
  const links = await ipJson<Addresses>(run, ['-6', 'address', 'show', 'dev', bridge])
  return links.flatMap(({ addr_info = [] }) => addr_info.flatMap(({ scope }) => scope ?? []))
}
