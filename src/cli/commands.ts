// Every command beside the tunnel itself, in the order of --help: what is made, what is seen of it, what is changed, this host.

import type { CommandModule } from 'yargs'
import { captureCommand } from './capture.js'
import { cleanupCommand } from './cleanup.js'
import { type Command, commandTree } from './command-tree.js'
import { completionCommand } from './completion.js'
import { configCommand } from './config.js'
import { dockerCommand } from './docker.js'
import { doctorCommand } from './doctor.js'
import { fdbCommand } from './fdb.js'
import { installServiceCommand } from './install-service.js'
import { fetchCapture, readStatuses } from './instances-here.js'
import { manCommand } from './man.js'
import { pairCommand } from './pair.js'
import { peersCommand } from './peers.js'
import { reloadCommand } from './reload.js'
import { statusCommand } from './status.js'
import { stopCommand } from './stop.js'
import { topCommand } from './top.js'
import { tunnelCommand } from './tunnel.js'

export const COMMANDS: readonly CommandModule[] = [
  statusCommand,
  topCommand,
  doctorCommand(readStatuses),
  captureCommand(fetchCapture),
  peersCommand,
  fdbCommand,
  reloadCommand,
  stopCommand,
  configCommand,
  installServiceCommand,
  cleanupCommand,
  pairCommand,
  dockerCommand,
  completionCommand(tree),
  manCommand(tree),
]

/** `tsgre` and all its commands. */
export function tree(): Command {
  return commandTree(tunnelCommand, COMMANDS)
}
