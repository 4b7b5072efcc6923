// The restart dockerd needs to take daemon.json: bip, fixed-cidr and mtu are read at its start only, a SIGHUP does not do.

import { existsSync } from 'node:fs'
import { type Execute, execute } from './execute.js'

/** There exactly where systemd is the running init (sd_booted(3)). */
const SYSTEMD = '/run/systemd/system'

export interface Restarted {
  readonly restarted: boolean
  /** What happened, or what is left to do. */
  readonly text: string
}

/** How a person restarts dockerd here. */
export function restartCommand(systemd = SYSTEMD): string {
  return existsSync(systemd) ? 'systemctl restart docker' : 'service docker restart'
}

/**
 * Restarts dockerd where systemd runs it; elsewhere says how.
 * @throws HostError TSGRE_COMMAND_FAILED when dockerd does not come up
 */
export async function restartDocker(run: Execute = execute, systemd = SYSTEMD): Promise<Restarted> {
  if (existsSync(systemd)) {
    await run('systemctl', ['restart', 'docker'])
    return { restarted: true, text: 'dockerd was restarted (systemctl restart docker).' }
  }
  const how = `${restartCommand(systemd)}, or stop dockerd and start it the way you do`
  return {
    restarted: false,
    text: `systemd does not run here, so dockerd was not restarted. Restart it yourself: ${how}.`,
  }
}
