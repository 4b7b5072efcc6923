// What the commands that talk to a running tsgre have in common: which one is meant, JSON, and how an answer is printed.

import type { Argv } from 'yargs'
import { once, type Text } from './arguments.js'

export interface InstanceArguments {
  name?: Text
  json: boolean
}

export interface TunnelArguments extends InstanceArguments {
  tap?: Text
}

const NAME = 'of its configuration file, or of its TAP; not needed where one runs'

export function instanceOptions(yargs: Argv): Argv {
  return yargs
    .positional('name', { type: 'string', describe: `which tsgre: the name ${NAME}` })
    .option('json', { type: 'boolean', default: false, describe: 'JSON in place of words, errors too' })
    .hide('version')
}

export function tunnelOption(yargs: Argv): Argv {
  const describe = 'TAP of the tunnel that is meant, where it has several'
  return instanceOptions(yargs).option('tap', { type: 'string', requiresArg: true, describe })
}

export function nameOf({ name }: InstanceArguments): string | undefined {
  return once('name', name)
}

/** One line for a person, or one of JSON. */
export function tell({ json }: InstanceArguments, words: string, fields: object): void {
  process.stdout.write(json ? `${JSON.stringify(fields)}\n` : `tsgre: ${words}\n`)
}
