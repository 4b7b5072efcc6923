// placeholder until the firewall step is merged
import type { Change, Undo } from './change.js'
import { type Execute, execute } from './execute.js'

export interface ForwardingPlan {
  readonly changes: Change[]
  readonly notes: string[]
}

export async function planForwarding(
  _wanted: { bridge: string; pairs: readonly { local: string; remote: string }[]; tap: string },
  _run: Execute = execute,
): Promise<ForwardingPlan> {
  return { changes: [], notes: [] }
}

export async function undoRule(_undo: Extract<Undo, { kind: 'rule' }>, _run: Execute): Promise<void> {}
