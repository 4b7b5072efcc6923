// The control socket of a process, where it can have one: a tunnel does not need it.

import { SystemError } from '../errors.js'
import { type ControlServer, serveControl } from './control/server.js'
import type { Instance } from './instance.js'
import type { Report } from './run-daemon.js'

/** Where there can be no socket (no directory to put it) the tunnel runs on without. */
export async function servedControl(instance: Instance, report: Report): Promise<ControlServer | undefined> {
  try {
    const control = await serveControl(instance)
    if (control.warning) report.warn(control.warning)
    return control
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    report.warn(`no control socket, so \`tsgre status\` does not see this one: ${error.message}`)
    return undefined
  }
}
