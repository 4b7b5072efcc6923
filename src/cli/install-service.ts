// `tsgre install-service`: makes tsgre@NAME a service of systemd, or takes that back.

import { fileURLToPath } from 'node:url'
import type { Argv, CommandModule } from 'yargs'
import { ConfigError } from '../errors.js'
import { installedUser, planRemoval, planService, takeSteps } from '../host/service.js'
import { refuseUnprivileged, refuseUnreachable } from '../host/service-refusals.js'
import { serviceUnit } from '../host/service-unit.js'
import { once, type Text } from './arguments.js'

interface Arguments {
  user: Text
  dryRun: boolean
  uninstall: boolean
}

const flag = { type: 'boolean', default: false } as const
const next = (group: string) => `Write /etc/tsgre/NAME.yaml (docs/config.md), then: systemctl enable --now tsgre@NAME
Members of the group ${group} may use tsgre status, top, peers, … : usermod -aG ${group} YOU
`

export const installServiceCommand = {
  command: 'install-service',
  describe: 'make tsgre@NAME a service of systemd, for /etc/tsgre/NAME.yaml',
  builder: (yargs: Argv) =>
    yargs
      .option('user', {
        type: 'string',
        requiresArg: true,
        describe: 'user and group it runs as, made where missing [those of the unit that is there, or tsgre]',
      })
      .option('uninstall', { ...flag, describe: 'take the unit away; user, group and configurations stay' })
      .option('dry-run', { ...flag, describe: 'print what would be done, and the unit, and do nothing' })
      .hide('version'),
  async handler({ user: given, dryRun, uninstall }: Arguments) {
    const user = once('user', given) ?? installedUser() ?? 'tsgre'
    if (!/^[a-z_][a-z0-9_-]{0,30}$/.test(user) || user === 'root')
      throw new ConfigError(
        'TSGRE_BAD_OPTION',
        'user',
        user,
        `--user ${user}: takes the name of a user of its own, as in tsgre`,
      )
    const command = [process.execPath, fileURLToPath(new URL('./main.js', import.meta.url))]
    const steps = uninstall ? planRemoval({}) : planService({ command, user })
    const say = ({ text, why }: { text: string; why: string }) => process.stdout.write(`${text}  # ${why}\n`)
    if (dryRun) {
      steps.forEach(say)
      if (!uninstall) process.stdout.write(`\n${serviceUnit({ command, user })}`)
    } else if (steps.length > 0) refuseUnprivileged()
    // Of a dry run too: shown, and then refused as it would be. Only root is not asked for where nothing is done.
    if (!uninstall) refuseUnreachable(command)
    if (dryRun) return
    await takeSteps(steps, say)
    if (steps.length === 0)
      process.stdout.write(`tsgre: nothing to do: ${uninstall ? 'there is no unit of ours' : 'all is there'}\n`)
    if (!uninstall) process.stdout.write(next(user))
  },
} as unknown as CommandModule
