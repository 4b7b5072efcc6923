// `tsgre peers [list]|add|remove`: the remotes of a running tsgre. What is added or removed is so until it ends or reads its
// configuration anew.

import type { Argv, CommandModule } from 'yargs'
import { ask } from '../daemon/control/client.js'
import { findInstance, findInstances, statusesOf } from '../daemon/control/instances.js'
import { ConfigError, StateError } from '../errors.js'
import { once, type Text } from './arguments.js'
import { nameOf, type TunnelArguments, tell, tunnelOption } from './instance-options.js'
import { peerLines } from './status-report.js'

type ChangeArguments = TunnelArguments & { remote: Text }

const list = {
  command: ['list [name]', '$0 [name]'],
  describe: 'the peers and how they do',
  builder: (yargs: Argv) => tunnelOption(yargs).epilogue('With --json one line for each peer.'),
  async handler(argv: TunnelArguments) {
    const tunnel = once('tap', argv.tap)
    const statuses = await statusesOf(await findInstances(nameOf(argv)))
    const all = statuses.flatMap(({ status }) => status.tunnels.map((one) => ({ ...one, instance: status.name })))
    const tunnels = all.filter(({ name }) => tunnel === undefined || name === tunnel)
    if (tunnel !== undefined && tunnels.length === 0) refuseTap(tunnel, all)
    const lines = argv.json
      ? tunnels.flatMap(({ instance, name, peers }) =>
          peers.map((peer) => JSON.stringify({ instance, tunnel: name, ...peer })),
        )
      : tunnels.flatMap(({ name, peers }) => [
          ...(tunnels.length > 1 ? [`${name}:`] : []),
          ...peerLines(peers, Date.now()),
        ])
    process.stdout.write(lines.map((line) => `${line}\n`).join(''))
  },
}

const add = {
  command: 'add <remote> [name]',
  describe: 'one more remote, with settings as --remote takes them',
  builder: (yargs: Argv) =>
    change(yargs).epilogue('Example: tsgre peers add 192.168.56.6,key=7\nIt is forgotten when the tsgre ends.'),
  async handler(argv: ChangeArguments) {
    const { name, remote, answer } = await send(argv, 'POST')
    const { address } = JSON.parse(answer) as { address: string | null }
    const later = address === null ? ': it has no address now, and is looked up again until it has one' : ''
    tell(argv, `added ${remote} (${name})${later}`, { event: 'peers', instance: name, added: remote, address })
  },
}

const remove = {
  command: 'remove <remote> [name]',
  describe: 'one remote less',
  builder: (yargs: Argv) => change(yargs).epilogue('Example: tsgre peers remove 192.168.56.6'),
  async handler(argv: ChangeArguments) {
    const { name, remote } = await send(argv, 'DELETE')
    tell(argv, `removed ${remote} (${name})`, { event: 'peers', instance: name, removed: remote })
  },
}

export const peersCommand = {
  command: 'peers',
  describe: 'the remotes of a running tsgre: list, add, remove',
  builder: (yargs: Argv) =>
    [list, add, remove]
      .reduce((all, command) => all.command(command as unknown as CommandModule), yargs)
      .hide('version'),
  handler() {},
} as unknown as CommandModule

function change(yargs: Argv): Argv {
  return tunnelOption(yargs).positional('remote', { type: 'string', describe: 'the address or name of the other host' })
}

function refuseTap(tap: string, all: readonly { name: string }[]): never {
  const names = all.map(({ name }) => name).join(', ')
  throw new ConfigError('TSGRE_BAD_TAP', 'tap', tap, `no tunnel here is called ${tap}: name one of ${names}`)
}

async function send(argv: ChangeArguments, method: 'POST' | 'DELETE') {
  const remote = once('remote', argv.remote)
  const { name, path } = await findInstance(nameOf(argv)).catch((error) => secondWord(error, argv, remote))
  const body = { tunnel: once('tap', argv.tap), remote }
  return { name, remote, answer: await ask(path, { method, path: '/v1/peers', body }) }
}

/** Whoever writes two remotes is told that the second word is a name. */
function secondWord(error: unknown, argv: ChangeArguments, remote: string | undefined): never {
  const name = nameOf(argv)
  if (name === undefined || !(error instanceof StateError) || error.code !== 'TSGRE_NO_INSTANCE') throw error
  const words = `the word behind ${remote} is the name of a tsgre; each remote has a command of its own`
  throw new StateError('TSGRE_NO_INSTANCE', `${error.message}; ${words}`)
}
