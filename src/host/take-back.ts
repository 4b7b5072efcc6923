// Takes back one change, whoever made it: this process, or one that was killed.

import { HostError } from '../errors.js'
import { resetTap } from '../sys/tap-state.js'
import type { Undo } from './change.js'
import type { Execute } from './execute.js'
import { undoRule } from './firewall.js'
import { undoIdleBridge } from './idle-bridge.js'
import { undoLink, undoLinkLocals } from './links.js'
import { undoRoute } from './routes.js'
import { type HeldSettings, undoSetting } from './settings.js'

/** `held`: the settings that other tunnels of this host hold. */
export async function takeBack(undo: Undo, held: HeldSettings, run: Execute): Promise<void> {
  switch (undo.kind) {
    case 'link':
      return await undoLink(undo, run)
    case 'tap':
      return resetTap(undo.name, undo.vnetHeader)
    case 'link-locals':
      return await undoLinkLocals(undo, run)
    case 'idle-bridge':
      return await undoIdleBridge(undo, run)
    case 'route':
      return await undoRoute(undo, run)
    case 'setting':
      return await undoSetting(undo, held)
    case 'rule':
      return await undoRule(undo, run)
    default: // a journal of another version
      throw new HostError('TSGRE_COMMAND_FAILED', '', '', `this tsgre cannot take back ${JSON.stringify(undo)}`)
  }
}
