// `tsgre fdb [list]|flush`: which MAC address a running tsgre takes to be behind which peer.

import type { Argv, CommandModule } from 'yargs'
import { ask } from '../daemon/control/client.js'
import { findInstance } from '../daemon/control/instances.js'
import type { FdbEntry } from '../tunnel/peer-stats.js'
import { aligned } from './aligned.js'
import { once, type Text } from './arguments.js'
import { nameOf, type TunnelArguments, tell, tunnelOption } from './instance-options.js'

type FdbArguments = TunnelArguments & { remote?: Text }
/** As JSON has it. */
type Entry = Omit<FdbEntry, 'remote'> & { remote: string | null }

const list = {
  command: ['list [name]', '$0 [name]'],
  describe: 'the addresses that were learnt',
  builder: (yargs: Argv) => remoteOption(tunnelOption(yargs), 'those behind this peer alone'),
  async handler(argv: FdbArguments) {
    const { path } = await findInstance(nameOf(argv))
    const query = { tunnel: once('tap', argv.tap), remote: once('remote', argv.remote) }
    const entries = JSON.parse(await ask(path, { path: '/v1/fdb', query })) as Entry[]
    process.stdout.write(argv.json ? `${JSON.stringify(entries)}\n` : `${fdbLines(entries).join('\n')}\n`)
  },
}

const flush = {
  command: 'flush [name]',
  describe: 'forget them; frames go to every peer until they are learnt again',
  builder: (yargs: Argv) => remoteOption(tunnelOption(yargs), 'those behind this peer alone'),
  async handler(argv: FdbArguments) {
    const { name, path } = await findInstance(nameOf(argv))
    const remote = once('remote', argv.remote)
    await ask(path, { method: 'DELETE', path: '/v1/fdb', query: { tunnel: once('tap', argv.tap), remote } })
    const which = remote === undefined ? 'all addresses' : `the addresses behind ${remote}`
    tell(argv, `forgot ${which} (${name})`, { event: 'fdb', instance: name, flushed: remote ?? null })
  },
}

export const fdbCommand = {
  command: 'fdb',
  describe: 'the MAC addresses a running tsgre has learnt: list, flush',
  builder: (yargs: Argv) =>
    [list, flush].reduce((all, command) => all.command(command as unknown as CommandModule), yargs).hide('version'),
  handler() {},
} as unknown as CommandModule

function remoteOption(yargs: Argv, describe: string): Argv {
  return yargs.option('remote', { type: 'string', requiresArg: true, describe })
}

function fdbLines(entries: readonly Entry[]): string[] {
  if (entries.length === 0) return ['no addresses']
  const rows = entries.map(({ mac, remote, age }) => [mac, remote ?? 'here', `${Math.round(age)} s`])
  return aligned([['address', 'behind', 'age'], ...rows], new Set([2]))
}
