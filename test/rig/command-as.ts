// A program that runs one handler of the command as another user: command-as.js USER[:GROUP] status|stop|reload|install-service. Ends as tsgre does.

import type { CommandModule } from 'yargs'
import { describeFailure, exitCodeOf } from '#tsgre/cli/failure.js'
import { installServiceCommand } from '#tsgre/cli/install-service.js'
import { reloadCommand } from '#tsgre/cli/reload.js'
import { statusCommand } from '#tsgre/cli/status.js'
import { stopCommand } from '#tsgre/cli/stop.js'
import { dropTo } from './drop-to.js'

const commands: Record<string, CommandModule> = {
  status: statusCommand,
  stop: stopCommand,
  reload: reloadCommand,
  'install-service': installServiceCommand,
}
const [user, name = 'status'] = process.argv.slice(2)

dropTo(user)
try {
  await commands[name]!.handler({ json: false, _: [], $0: 'tsgre' })
} catch (error) {
  process.exitCode = exitCodeOf(error)
  process.stderr.write(`${describeFailure(error, false)}\n`)
}
