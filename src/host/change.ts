// A change to this machine, as data: what is run or written, and what takes it back. Data, so that it can be shown instead of
// made (--dry-run), and written down before it is made (journal.ts) for whoever comes after a process that was killed.

import { typed } from './execute.js'

/** A command as execFile takes it, or a text written over a file (a setting under /proc/sys). */
export type Action =
  | { readonly run: readonly [command: string, ...args: string[]] }
  | { readonly write: string; readonly text: string }

/** How a change is taken back. All of them bear that the change never happened, or that somebody took it back already. */
export type Undo =
  /** `ip link set dev NAME SET…`; where SET names a master that is gone, NAME is left without one. */
  | { readonly kind: 'link'; readonly name: string; readonly set: readonly string[] }
  /** All offload of the TAP NAME is off, and its frames have a virtio_net_hdr or none, unless somebody holds it. */
  | { readonly kind: 'tap'; readonly name: string; readonly vnetHeader: boolean }
  /** The link-local IPv6 addresses of NAME become these again, others go. */
  | { readonly kind: 'link-locals'; readonly name: string; readonly addresses: readonly string[] }
  /** BRIDGE loses the link-local address that came with its first carrier, if it is without one again. */
  | { readonly kind: 'idle-bridge'; readonly bridge: string }
  | { readonly kind: 'route'; readonly network: string; readonly dev: string }
  /** The file gets FROM again, if it still says TO and no other tunnel of this host holds it. */
  | { readonly kind: 'setting'; readonly path: string; readonly from: string; readonly to: string }
  /** A firewall rule, by the command that made it: `iptables -D RULE…`. */
  | { readonly kind: 'rule'; readonly command: string; readonly rule: readonly string[] }

export interface Change {
  /** What is different afterwards, in a few words: "route 10.103.200.0/24 dev docker0". */
  readonly what: string
  /** Absent where something else makes the change, and only its way back is kept. */
  readonly action?: Action
  readonly undo: Undo
}

/** The action as a person would type it. */
export function typedAction(action: Action): string {
  if ('run' in action) return typed(action.run[0], action.run.slice(1))
  return `echo ${action.text} > ${action.write}`
}
